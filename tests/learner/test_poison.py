"""A sample that a model cannot take costs itself, and none of those that follow."""

import random

import pytest

from stream.records import NOT_FINITE, SCORED
from tests.learner.told import learner, reasons, rows, sample, tell

OF_NUMBERS = (
    *("naive_bayes.GaussianNB", "naive_bayes.MultinomialNB", "naive_bayes.ComplementNB"),
    *("neighbors.KNNClassifier", "neighbors.KNNRegressor", "forest.AMFClassifier"),
    *("forest.AMFRegressor", "tree.SGTClassifier", "tree.SGTRegressor"),
    *("linear_model.LinearRegression", "linear_model.BayesianLinearRegression"),
)


def stream(n, seed=1, **first):
    """Return samples of which the first has other features."""
    rng = random.Random(seed)
    samples = []
    for i in range(n):
        a, b = rng.random(), rng.random()
        samples.append(sample(i, int(a > b), a=a, b=b))
    samples[0]["x"] |= first
    return samples


@pytest.mark.parametrize("name", OF_NUMBERS)
@pytest.mark.parametrize(
    ("first", "reason"), [({"a": "t"}, "text_feature"), ({"a": None}, "missing_feature")]
)
def test_a_model_of_numbers_does_not_remember_what_is_none(name, first, reason):
    """It never sees it, and so the samples behind it are guessed as without it."""
    told = learner({"class": f"river.{name}"}, policy="none")
    clean = learner({"class": f"river.{name}"}, policy="none")

    turn = tell(told, *stream(80, **first))
    undisturbed = tell(clean, *stream(80)[1:])

    assert reasons(turn) == [(0, reason)]
    assert [row["y_pred"] for row in rows(turn)] == [row["y_pred"] for row in rows(undisturbed)]


def test_a_first_grain_that_fails_is_as_if_it_had_never_come():
    """Which features there are is settled by the first grain that is learned."""
    how = {"policy": "none", "classes": (0, 1), "scaling": "none", "grain": 10}
    told, clean = (learner("multinomial-nb", **how) for _ in range(2))

    turn = tell(told, *stream(10, a=-1.0), *stream(60, seed=2))
    undisturbed = tell(clean, *stream(60, seed=2))

    assert reasons(turn) == [(n, "not_learned") for n in range(10)]
    assert [row["y_pred"] for row in rows(turn)[10:]] == [
        row["y_pred"] for row in rows(undisturbed)
    ]


def test_a_regressor_that_has_lost_its_numbers_starts_over():
    """A guess that is no number is as wrong as the worst one was, and a detector hears it."""
    told = learner("river.linear_model.LinearRegression", policy="reset")
    samples = stream(6000)
    for each in samples:
        each["y"] = 2.0 * each["x"]["a"]
    samples[600]["x"]["a"] = 1e100

    found = rows(tell(told, *samples))

    assert told.totals.resets >= 1
    assert NOT_FINITE in [row["flag"] for row in found]
    assert {row["flag"] for row in found[-1000:]} == {SCORED}


def test_one_that_draws_lots_is_asked_once_wherever_a_part_ends():
    """Also where another sample of the same grain cannot be guessed."""
    samples = stream(60)
    for each in samples[20::7]:
        each["x"]["text"] = 1.0
    whole, parts = (learner("tests.doubles.Moody", grain=8) for _ in range(2))

    turn = tell(whole, *samples)
    told = [tell(parts, each) for each in samples]

    assert len(turn.dead) == 6
    assert rows(turn) == [row for each in told for row in rows(each)]
