"""Features and guesses that move are told of before any label comes."""

import math
import pickle
import random

import pytest
from river import drift

from learner.inputs import InputWatch
from tests.learner.told import learner, rows, sample, tell


def features(n, *, change, seed=3, **more):
    """Return features of which one moves, one changes its shares, and some stay as they are."""
    chance, found = random.Random(seed), []
    for i in range(n):
        later = i >= change
        found.append(
            {
                "height": chance.gauss(1.7 + 0.2 * later, 0.1),
                "salary": chance.gauss(50_000, 9_000),
                "colour": chance.choice("rrg" if later else "rgg"),
                "still": 7.0,
            }
            | more
        )
    return found


def questions(xs):
    """Return samples without labels."""
    return [sample(i, None, **x) for i, x in enumerate(xs)]


def moved(turn, kind="input-drift"):
    """Return offset and details of what has moved."""
    return [(offset, details) for offset, said, details in turn.events if said == kind]


def test_the_event_says_which_feature_moved_before_any_label_comes():
    """With its mean before and after, in its own unit; the others are silent."""
    told = learner("hoeffding-tree", policy="none", watch_inputs=20)

    turn = tell(told, *questions(features(3000, change=1500)))

    found = moved(turn)
    assert {details["feature"] for _, details in found} == {"height", "colour"}
    assert all(1500 < offset < 2000 for offset, _ in found)
    height = next(details for _, details in found if details["feature"] == "height")
    assert height["before"] == pytest.approx(1.7, abs=0.06)
    assert height["after"] == pytest.approx(1.9, abs=0.06)
    colour = next(details for _, details in found if details["feature"] == "colour")
    assert colour["value"] in ("r", "g")
    assert abs(colour["after"] - colour["before"]) > 0.1
    assert told.totals.actions["input-drift"] == len(found) == 2


def test_nothing_is_watched_unless_asked_for():
    """It is off by default."""
    turn = tell(learner("hoeffding-tree"), *questions(features(3000, change=1500)))

    assert turn.events == []


def test_only_so_many_features_are_watched_the_first_ones_by_name():
    """What comes later has no room."""
    xs = [x | {"zeta": float(i > 1000)} for i, x in enumerate(features(2000, change=1000))]
    told = learner("hoeffding-tree", policy="none", watch_inputs=2)

    turn = tell(told, *questions(xs))

    assert {details["feature"] for _, details in moved(turn)} == {"colour", "height"}
    assert list(told.inputs._of) == ["colour", "height"]


def test_a_number_is_watched_as_river_s_adwin_does():
    """Told in deviations from the first hundred, cut at four and brought to 0 to 1."""
    values = [x["height"] for x in features(2000, change=900)]
    watch, said = InputWatch(1, "classification"), []
    for at, value in enumerate(values):
        said += [(at, details) for _, details in watch.observe({"a": value}, (None, None))]

    first = values[:100]
    mean = sum(first) / 100
    deviation = (sum((v - mean) ** 2 for v in first) / 99) ** 0.5
    adwin, told = drift.ADWIN(0.002), values[100:]
    count = 0
    while not adwin.drift_detected:
        adwin.update((min(max((told[count] - mean) / deviation, -4), 4) + 4) / 8)
        count += 1
    before, after = told[: count - 50], told[count - 50 : count]
    place, details = said[0]
    assert place == 99 + count
    assert details["before"] == pytest.approx(sum(before) / len(before), abs=0.01)
    assert details["after"] == pytest.approx(sum(after) / 50, abs=0.01)


def test_guesses_are_watched_as_well():
    """The share of a guessed class, and how sure the model is of it."""
    chance = random.Random(1)
    lessons = [sample(i, y, a=y + chance.gauss(0, 0.3)) for i in range(600) for y in [i % 2]]
    asked = [sample(f"q{i}", None, a=1 + chance.gauss(0, 0.3)) for i in range(900)]
    told = learner("naive-bayes", policy="none", watch_inputs=1)
    tell(told, *lessons)

    turn = tell(told, *asked)

    (_, details), *_ = moved(turn, "guess-drift")
    assert details["value"] in (0, 1)
    assert abs(details["after"] - details["before"]) > 0.2
    assert "feature" in moved(turn)[0][1]


def test_a_guessed_class_is_named_as_in_the_stream():
    """Not by the code that a model of two classes has for it."""
    chance = random.Random(1)
    told = learner("logistic", policy="none", watch_inputs=1)
    for start, share in ((0, 0.5), (2000, 0.95)):
        ys = [chance.random() < share for _ in range(2000)]
        turn = tell(
            told,
            *(
                sample(start + i, ["no", "yes"][y], a=y + chance.gauss(0, 0.2))
                for i, y in enumerate(ys)
            ),
        )
    values = {d["value"] for _, d in moved(turn, "guess-drift") if "value" in d}
    assert values
    assert values <= {"no", "yes"}


def test_guessed_numbers_and_scores_are_watched_by_their_mean():
    """Of a regression and of a detector of anomalies."""
    for model in ("linear", "half-space-trees"):
        chance = random.Random(1)
        told = learner(model, policy="none", watch_inputs=1)
        xs = [chance.random() * (0.3 if i < 1500 else 1.0) for i in range(3000)]

        lessons = [(i, x, 5 * x if model == "linear" else 0) for i, x in enumerate(xs)]
        turn = tell(told, *(sample(i, y, a=x) for i, x, y in lessons))

        assert moved(turn, "guess-drift"), model


def test_watching_changes_no_guess():
    """It only looks."""
    xs = features(800, change=400)
    lessons = [sample(i, i % 3, **x) for i, x in enumerate(xs)]
    plain = learner("hoeffding-tree", policy="none")
    told = learner("hoeffding-tree", policy="none", watch_inputs=4)

    assert rows(tell(told, *lessons)) == rows(tell(plain, *lessons))


def test_what_is_missing_or_strange_is_passed_over():
    """A feature that is absent, null, infinite in size or now a text."""
    watch = InputWatch(3, "regression")

    def said(xs):
        return [each for x in xs for each in watch.observe(x, (math.nan, None))]

    odd = [{"a": None}, {}, {"a": "t"}]
    assert said([{"a": 1.0, "b": "x"}, {"a": 10**400, "b": 2}, *odd] * 200) == []
    found = said([{"a": 10**400, "b": 2}, *odd] * 200)
    assert {(kind, details["feature"]) for kind, details in found} == {
        ("input-drift", "a"),
        ("input-drift", "b"),
    }
    for _, details in found:
        assert math.isfinite(details["before"])
        assert details["before"] != details["after"]


@pytest.mark.parametrize("cut", [50, 900, 1501])
def test_a_pickled_watch_goes_on_alike(cut):
    """All it has counted is in its pickle."""
    xs = features(2200, change=1500)

    def said(watch, xs):
        return [each for x in xs for each in watch.observe(x, (x["colour"], None))]

    whole, watch = said(InputWatch(9, "classification"), xs), InputWatch(9, "classification")
    first = said(watch, xs[:cut])
    assert first + said(pickle.loads(pickle.dumps(watch)), xs[cut:]) == whole
    assert whole
