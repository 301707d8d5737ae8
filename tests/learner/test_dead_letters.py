"""Nothing is dropped in silence, and what is refused disturbs nothing else."""

import json
import random
import re

import pytest

from learner.config import Config
from learner.loop import learn
from learner.models.presets import PRESETS
from learner.run import Run
from stream.errors import SettingError
from stream.memory import MemoryLog
from stream.records import LARGEST
from tests.learner.told import learner, reasons, rows, sample, tell

BAD = {
    "label_type": sample(900, 1.5, a=1),
    "unknown_id": {"id": 901, "y": 0},
    "no_id": {"y": 0},
    "unknown_command": {"command": "demote"},
    "model_error": sample(902, 0, text="no"),
    "truncated": b'{"id": ',
    "empty": b" ",
    "not_utf8": b'{"id": "\xff"}',
    "wrong_type": {"id": 903, "x": {"a": 1}, "ts": "now"},
    "nested": {"id": 903, "x": {"a": [1]}, "y": 0},
    "number_range": b'{"id": 904, "x": {"a": 9223372036854775808}, "y": 0}',
    "no_content": {"id": 905},
    "too_many_fields": {"id": 906, "x": {f"f{i}": i for i in range(1025)}, "y": 0},
    "too_large": b" " * (256 * 1024 + 1),
    "string_too_long": {"id": "x" * (64 * 1024 + 1), "y": 0},
    "bad_command": {"command": "declare"},
    "not_json": b"id;a;y",
    "duplicate_question": sample("q", a=1),
}
GRAINS = pytest.mark.parametrize("grain", [1, 4])


@GRAINS
@pytest.mark.parametrize("reason", BAD)
def test_a_bad_record_is_filed_under_its_reason(reason, grain):
    """Whole, with its place and a sentence, and counted."""
    diary = learner(policy="none", grain=grain)

    turn = tell(diary, sample("q", a=0), BAD[reason], sample(1, 0, a=0))

    value = BAD[reason] if isinstance(BAD[reason], bytes) else json.dumps(BAD[reason]).encode()
    ((offset, kept, error),) = turn.dead
    assert (offset, kept, error.reason) == (1, value, reason)
    assert len(str(error)) > 10
    assert diary.totals.dead == {reason: 1}


@GRAINS
@pytest.mark.parametrize("model", ["tests.doubles.Diary", "hoeffding-tree"])
def test_good_records_among_bad_ones_fare_as_without_them(model, grain):
    """Their outcomes are the same, but for the offset."""
    chance = random.Random(3)
    bad = dict(BAD)
    if model == "hoeffding-tree":
        del bad["model_error"]  # a tree takes text for a category
    good = [sample("q", a=0)]
    good += [sample(i, chance.randrange(3), a=chance.random()) for i in range(200)]
    mixed = good[:1]
    for record in good[1:]:
        mixed += chance.sample(list(bad.values()), chance.randrange(3))
        mixed.append(record)
    pure, disturbed = (
        learner(model, grain=grain, detector="tests.doubles.FourthMistake", direction="any")
        for _ in range(2)
    )

    turns = tell(pure, *good), tell(disturbed, *mixed)

    told = [
        [{**row, "offset": None, "of": None} for row in rows(turn)]
        + [(kind, details) for _, kind, details in turn.events]
        for turn in turns
    ]
    assert told[0] == told[1]
    assert len(turns[1].dead) == len(mixed) - len(good)
    assert turns[0].errors == turns[1].errors


def test_a_class_that_was_not_declared_is_refused():
    """A model that must know its classes cannot take another."""
    turn = tell(learner("sgd", classes=("a", "b")), sample(1, "a", n=1), sample(2, "c", n=1))

    assert reasons(turn) == [(1, "unknown_class")]


def test_a_third_class_is_refused_by_a_model_of_two():
    """The other two go on."""
    turn = tell(learner(), *(sample(i, i, a=0) for i in range(2)))
    assert not turn.dead
    model = learner("logistic", policy="none")

    turn = tell(model, *(sample(i, y, n=1) for i, y in enumerate("abcab")))

    assert reasons(turn) == [(2, "third_class")]
    assert [row["y"] for row in rows(turn)] == ["a", "b", "a", "b"]


@pytest.mark.parametrize("y", [True, "7"])
def test_a_regression_takes_numbers_only(y):
    """Neither a truth value nor a text that looks like one."""
    turn = tell(learner("linear", policy="none"), sample(1, y, n=1), sample(2, 7, n=1))

    assert reasons(turn) == [(0, "label_type")]
    assert "must be float or int for regression" in str(turn.dead[0][2])


@pytest.mark.parametrize("y", [1e101, -1.7e308])
def test_a_regression_takes_no_number_whose_square_is_infinite(y):
    """One of them would make every sum after it infinite."""
    turn = tell(learner("linear", policy="none"), sample(1, y, n=1), sample(2, 7, n=1))

    assert reasons(turn) == [(0, "number_range")]


def test_a_text_is_more_than_a_numeric_model_can_guess():
    """The sample is filed with the name of the feature."""
    model = learner("logistic", policy="none")
    tell(model, *(sample(i, i % 2, n=i) for i in range(10)))

    turn = tell(model, sample(10, 0, n="many"), sample(11, 0, n=1))

    assert reasons(turn) == [(10, "text_feature")]
    assert "feature 'n' is the text 'many'" in str(turn.dead[0][2])
    assert len(turn.rows) == 1


def test_a_sample_that_cannot_be_learned_was_scored_all_the_same():
    """Its row stands, and the failure is filed beside it."""
    diary = learner(policy="none")
    tell(diary, sample(1, 0, a=1))

    turn = tell(diary, sample(2, 0, a=1, poison=1), sample(3, 0, a=1))

    assert reasons(turn) == [(1, "not_learned")]
    assert [row["id"] for row in rows(turn)] == [2, 3]
    assert diary.totals.dead == {"not_learned": 1}


def test_a_grain_that_cannot_be_learned_is_told_and_counted():
    """All its samples, at the place where it would have been learned."""
    diary = learner(policy="none", grain=4)

    turn = tell(
        diary, *(sample(i, 0, a=1, **({"poison": 1} if i == 2 else {})) for i in range(9))
    )

    ((offset, kind, details),) = turn.events
    assert (offset, kind, details["samples"]) == (3, "not-learned", 4)
    assert "cannot be learned" in details["error"]
    assert diary.totals.dead == {"not_learned": 4}
    assert len(turn.rows) == 9


def test_a_model_that_must_know_its_classes_does_not_file_a_whole_stream():
    """That is for the user to mend, in a sentence; no sample is at fault."""
    with pytest.raises(SettingError, match=r"must know every class.*--classes"):
        tell(learner("sgd", policy="none"), sample(1, 0, n=1))


def test_a_dead_letter_lies_in_its_topic_with_where_and_why(tmp_path):
    """The bytes as they were, up to 64 KiB of them."""
    log = MemoryLog()
    log.create("memory.samples", partitions=1)
    writer = log.writer("test")
    for value in (b"what?", b'{"x": "' + b"y" * 100_000):
        writer.append("memory.samples", value, partition=0)
    writer.commit()

    learn(log, Config(), Run(state=tmp_path, until_end=True))

    first, second = log.topic("memory.main.dead").scan(0, 0, 9)
    message = first.headers.pop("message")
    assert first.value == b"what?"
    assert first.headers == {
        "reason": b"not_json",
        "partition": b"0",
        "offset": b"0",
        "size": b"5",
    }
    assert message
    assert (len(second.value), second.headers["size"]) == (64 * 1024, b"100007")


@pytest.mark.parametrize(
    "odd", [sample("odd", "1", c="p", n=0.5), sample("odd", 1, c=3, n=0.5)]
)
@pytest.mark.parametrize(
    "model", ["hoeffding-tree", "adaptive-tree", "adaptive-forest", "bagging"]
)
def test_one_text_among_numbers_spoils_no_tree(model, odd):
    """Neither as a label nor as a category: the samples after it are guessed and learned."""
    chance = random.Random(5)
    tree = learner(model, policy="none")

    def stream(ids):
        for i in ids:
            c = chance.choice("pqrs")
            yield sample(i, int(c in "pq"), c=c, n=chance.random())

    turn = tell(tree, *stream(range(50)), odd, *stream(range(100, 1500)))

    assert not turn.dead
    late = rows(turn)[-500:]
    assert sum(row["y"] == row["y_pred"] for row in late) > 450


@pytest.mark.parametrize("model", sorted(PRESETS))
def test_no_number_that_is_taken_spoils_a_model(model):
    """The greatest there may be is learned, and all after it are guessed and learned."""
    declared = PRESETS[model].labels.startswith("classes declared")
    told = learner(model, policy="none", classes=(0, 1) if declared else None, grain=8)
    calm = [sample(i, i % 2, a=i / 10, b=-i) for i in range(80)]

    turn = tell(told, *calm[:20], sample("wild", 1, a=LARGEST, b=-LARGEST), *calm[20:])

    assert not turn.dead
    assert [row["flag"] for row in rows(turn)[40:]] == [0] * 41
    beyond = tell(told, sample("more", 1, a=LARGEST * 1.01))
    assert reasons(beyond) == [(81, "number_range")]


@pytest.mark.parametrize("model", ["logistic", "linear", "tree-regressor", "loda"])
def test_models_named_beside_a_text_are_of_the_same_task_and_take_it(model):
    """Whoever follows the hint is not refused for the same text again."""
    made = learner(model, policy="none")
    turn = tell(made, sample(1, 1, n=1), sample(2, 0, n="many"))

    said = str(turn.dead[0][2])
    named = [name for name in re.findall(r"[a-z-]+", said.partition(";")[2]) if name in PRESETS]
    assert bool(named) == (model != "loda")
    for name in named:
        other = learner(name, policy="none", classes=(0, 1), grain=2)
        assert other.policy.model.task == made.policy.model.task
        assert tell(other, *(sample(i, i % 2, n="many") for i in range(4))).dead == []


@pytest.mark.parametrize("model", ["logistic", "naive-bayes", "knn", "half-space-trees"])
def test_a_text_is_refused_before_a_model_of_numbers_has_learned_half_of_it(model):
    """Also when it stands in a feature that nobody has seen yet, or in the first sample."""
    good = [sample(i, i % 2, a=i / 10, b=-i) for i in range(40)]
    texts = [sample(f"t{i}", 1, a=1e6, new="text", b=1e6) for i in range(3)]
    pure, told = (learner(model, policy="none") for _ in range(2))

    want = tell(pure, *good)
    turn = tell(told, texts[0], *good[:9], texts[1], *good[9:], texts[2])

    assert {error.reason for _, _, error in turn.dead} == {"text_feature"}
    assert [row[2:] for row in turn.rows] == [row[2:] for row in want.rows]
