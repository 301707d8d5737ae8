"""Labels find their samples, and keep their types."""

import random

import pytest

from learner.config import Config
from learner.labels import TwoClasses
from learner.learner import Learner
from stream.errors import RecordError
from stream.records import Record, encode
from stream.topic import Batch
from tests.learner.told import learner, reasons, rows, sample, tell


def test_a_late_label_joins_the_guess_of_its_question():
    """The row has the guess, time and offset of the question; its own offset is the label's."""
    diary = learner(policy="none")
    tell(diary, sample(1, 0, a=1))
    asked = tell(diary, sample(17, ts=50.0, a=2))
    tell(diary, sample(2, 1, a=1), sample(3, 1, a=2))

    (row,) = rows(tell(diary, {"id": "17", "y": 2}))

    assert (row["offset"], row["of"], row["id"], row["ts"], row["y"]) == (4, 1, 17, 50.0, 2)
    assert row["y_pred"] == asked.predictions[0].y_pred
    assert diary.totals.pending == 0


def test_a_late_label_teaches_what_its_question_showed():
    """Whether the label came with the sample or later, the model has learned the same."""
    early, late = learner(policy="none"), learner(policy="none")

    tell(early, sample(1, 0, a=1), sample(2, 1, a=2))
    tell(late, sample(1, a=1), {"id": 1, "y": 0}, sample(2, a=2), {"id": 2, "y": 1})

    assert early.policy.model.estimator.taught == late.policy.model.estimator.taught


def test_a_sample_whose_id_waits_is_only_its_label():
    """Its features are ignored and counted: what was guessed stays guessed."""
    diary = learner(policy="none")
    tell(diary, sample(1, 0, a=1), sample(2, a=2))
    guess = diary.waiting["2"].guess[0]

    (row,) = rows(tell(diary, sample("2", 1, a=99)))

    assert (row["of"], row["y"], row["y_pred"]) == (1, 1, guess)
    assert (diary.totals.repeated, diary.totals.samples) == (1, 2)


def test_features_that_are_ignored_may_be_anything():
    """A repeated sample that the model cannot guess still brings its label."""
    for grain in (1, 3):
        diary = learner(policy="none", grain=grain)

        turn = tell(diary, sample(1, a=1), sample(1, 2, text="no"))

        assert [row["y"] for row in rows(turn)] == [2]
        assert not turn.dead


def test_what_is_forgotten_waits_no_more():
    """A label for it comes to nothing, and nobody learns it."""
    diary = learner(policy="none")

    turn = tell(diary, sample(1, a=1), {"id": 1, "forget": True}, {"id": 1, "y": 0})

    assert turn.events == [(1, "forget", {})]
    assert reasons(turn) == [(2, "unknown_id")]
    assert not turn.rows
    assert not diary.policy.model.estimator.taught


def test_the_oldest_question_makes_room_for_the_newest():
    """No more wait than are allowed; what has expired is counted."""
    diary = learner(policy="none", max_pending=2)

    turn = tell(
        diary, *(sample(i, a=i) for i in range(4)), {"id": 0, "y": 0}, {"id": 3, "y": 0}
    )

    assert reasons(turn) == [(4, "unknown_id")]
    assert [row["id"] for row in rows(turn)] == [3]
    assert (diary.totals.pending, diary.totals.expired) == (1, 2)


def test_a_label_that_is_refused_does_not_use_up_its_question():
    """The right one may still come."""
    diary = learner(policy="none")

    turn = tell(diary, sample(1, a=1), {"id": 1, "y": 1.5}, {"id": 1, "y": 2})

    assert reasons(turn) == [(1, "label_type")]
    assert [(row["of"], row["y"]) for row in rows(turn)] == [(0, 2)]


def test_a_sample_without_an_id_is_named_by_its_place():
    """Nobody can send a label later, but its row can be found."""
    (row,) = rows(tell(learner(policy="none"), {"x": {"a": 1}, "y": 0}))

    assert row["id"] == "0@0"


def test_a_question_is_answered_at_once_or_never():
    """Asked answers questions, all answers every sample, none answers nothing."""
    told = sample(1, 0, a=1), sample(2, a=2), sample(3, 1, a=1), {"id": 2, "y": 1}
    ids = {}
    for answer in ("asked", "all", "none"):
        turn = tell(learner(policy="none"), *told, answer=answer)
        ids[answer] = [prediction.id for prediction in turn.predictions]

    assert ids == {"asked": [2], "all": [1, 2, 3], "none": []}


def test_an_answer_names_its_place_and_each_class():
    """A class is a key by its JSON text, so that no two of them are one."""
    diary = learner("tests.doubles.YesNoDiary", policy="none", classes=("no", "yes"))
    tell(diary, sample(1, "no", a=1))

    (answer,) = tell(diary, sample(2, a=2)).predictions

    assert answer.at == "samples[0]@1"
    assert answer.y_pred in ("no", "yes")
    assert answer.p.keys() == {'"no"', '"yes"'}
    assert encode(answer).startswith(b'{"id":2,"y_pred":"')


def test_true_and_one_are_one_class_and_the_text_is_another():
    """Labels are told apart as River does it."""
    diary = learner("river.dummy.NoChangeClassifier", policy="none")

    turn = tell(diary, *(sample(i, y, a=0) for i, y in enumerate([True, 1, "1", "1", True])))

    assert [row["y_pred"] for row in rows(turn)] == [None, True, 1, "1", "1"]
    assert (diary.totals.scored, diary.totals.correct) == (4, 2)


@pytest.mark.parametrize("labels", [(True, False), (1, 0), (0, 1)])
def test_truth_values_and_their_numbers_stand_for_themselves(labels):
    """So that a model of two guesses what it guesses with River."""
    two = TwoClasses()

    assert [two.label(code) for code in (False, True)] == [False, True]
    assert [two.code(label) for label in labels] == [bool(label) for label in labels]
    assert [two.label(two.code(label)) for label in labels] == list(labels)


@pytest.mark.parametrize("labels", [("b", "a"), (7, 3), (2, 1)])
def test_any_other_two_labels_are_coded_as_they_appear(labels):
    """The first one is False, the second True, and a guess has their names."""
    two = TwoClasses()

    assert [two.code(label) for label in (labels[0], *labels)] == [False, False, True]
    assert (two.label(False), two.label(True)) == labels


def test_a_label_is_no_name_for_a_guess_before_it_has_appeared():
    """Of two texts that nobody declared only the first is known."""
    two = TwoClasses()
    two.code("a")

    assert (two.label(False), two.label(True)) == ("a", None)


def test_of_two_declared_labels_the_first_names_the_other():
    """Coded as they appear all the same, so that guesses equal River's own."""
    two = TwoClasses()
    two.declare(["a", "b"])

    assert two.code("b") is False
    assert (two.label(False), two.label(True)) == ("b", "a")
    assert two.code("a") is True


def test_a_third_label_is_refused_with_a_way_out():
    """The sentence names the other two, and models that know more."""
    two = TwoClasses()
    for label in ("a", "b", "a"):
        two.code(label)

    with pytest.raises(
        RecordError, match=r"'c' is a third class.*'a' and 'b'.*softmax"
    ) as error:
        two.code("c")
    assert error.value.reason == "third_class"
    assert two.code("b") is True


def test_labels_declared_in_the_stream_are_taken_before_the_first_sample():
    """Three of them make a model of two one against the rest; later it is too late."""
    model = learner("logistic", policy="none")

    turn = tell(
        model,
        {"command": "declare", "classes": ["a", "b", "c"]},
        *(sample(i, y, n=i) for i, y in enumerate("abcabc")),
        {"command": "declare", "classes": ["x", "y"]},
    )

    assert [kind for _, kind, _ in turn.events] == ["declare", "declare"]
    assert turn.events[1][2] == {"classes": ["x", "y"], "ignored": True}
    assert len(turn.rows) == 6
    assert not turn.dead


def test_a_refused_label_leaves_its_sample_at_its_place_in_the_queue():
    """Nor does it count for anything but a dead letter: the oldest still makes room first."""
    diary = learner(policy="none", max_pending=2)
    tell(diary, sample("old", a=1), sample("new", a=2), {"id": "old", "y": 0.5})
    refused = tell(diary, sample("old", 0.5, a=1))
    assert [error.reason for _, _, error in refused.dead] == ["label_type"]
    assert (diary.totals.samples, diary.totals.repeated) == (2, 0)

    turn = tell(diary, sample("newest", a=3), {"id": "old", "y": 1}, {"id": "new", "y": 1})

    assert [error.reason for _, _, error in turn.dead] == ["unknown_id"]
    assert [row["id"] for row in rows(turn)] == ["new"]


def test_a_question_may_be_called_as_the_place_of_a_sample_without_a_name():
    """Then that sample is its label, and nothing ends."""
    records = [
        Record(id="0@2", x={"a": 1.0}),
        Record(x={"a": 1.0}, y=1),
        Record(x={"a": 2.0}, y=1),
    ]
    learner = Learner(Config(policy="none"), 0, 0)

    turn = learner.learn(Batch(0, [*enumerate(map(encode, records))], 3))

    assert [(row[0], row[1], row[2]) for row in turn.rows] == [(1, 1, "0@1"), (2, 0, "0@2")]
    assert turn.dead == []


def test_a_question_expires_by_event_time():
    """So many seconds after it came, by the records' own account; its label is too late."""
    diary = learner(policy="none", pending_seconds=60)
    tell(diary, sample("early", a=1), sample("a", ts=100.0, a=1), sample("b", ts=130.0, a=1))
    assert diary.totals.pending == 3

    tell(diary, sample(1, 0, ts=159.9, a=1))
    assert diary.totals.expired == 0
    turn = tell(diary, sample(2, 0, ts=160.0, a=1), {"id": "a", "y": 0}, {"id": "b", "y": 0})

    assert reasons(turn) == [(5, "unknown_id")]
    assert (diary.totals.pending, diary.totals.expired) == (0, 2)


def test_one_record_dated_far_ahead_expires_nothing():
    """Nor does any that says no time."""
    diary = learner(policy="none", pending_seconds=60)
    tell(diary, sample("a", ts=100.0, a=1), sample(1, 0, ts=9e9, a=1), sample(2, 0, a=1))

    assert diary.totals.pending == 1


def test_an_expired_question_may_be_asked_again():
    """Its id is free; and the record that brings the time counts as after it."""
    diary = learner(policy="none", pending_seconds=60)
    tell(diary, sample("a", ts=100.0, a=1))
    turn = tell(diary, sample("a", ts=200.0, a=2), {"id": "a", "y": 0, "ts": 259.0})

    (row,) = rows(turn)
    assert (row["of"], diary.totals.expired) == (1, 1)


@pytest.mark.parametrize("size", [1, 7, 500])
def test_what_expires_is_what_an_oracle_says(size):
    """Over a stream whose times are out of order, wherever that is cut."""
    chance = random.Random(4)
    diary = learner(policy="none", pending_seconds=50, max_jump=1e6)
    records, waiting, expired, now = [], {}, 0, None
    for n in range(500):
        ts = 0.0 if n == 0 else chance.choice([None, 3.0 * n + chance.uniform(-40, 10)])
        now = ts if now is None else now if ts is None else max(now, ts)
        late = [id for id, since in waiting.items() if now is not None and now - since >= 50]
        expired += len(late)
        for id in late:
            del waiting[id]
        if waiting and chance.random() < 0.3:
            id = chance.choice([*waiting])
            del waiting[id]
            records.append({"id": id, "y": 0, **({} if ts is None else {"ts": ts})})
        else:
            records.append(sample(n, ts=ts, a=1))
            waiting[n] = now

    for start in range(0, 500, size):
        tell(diary, *records[start : start + size])

    assert (diary.totals.expired, set(diary.waiting)) == (expired, {str(id) for id in waiting})
    assert expired > 100
    assert not diary.totals.dead
