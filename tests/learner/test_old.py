"""Old data, then new: a model that is kept as it was, beside one that goes on."""

import random

import pytest

from learner.policies.reservoir import Reservoir
from stream.errors import SettingError
from tests.learner.told import learner, rows, sample, tell

NOISE = [random.Random(i).gauss(0.0, 0.1) for i in range(400)]
FIRST = [sample(i, i % 2, a=i % 2 + NOISE[i]) for i in range(200)]
THEN = [sample(1000 + i, 1 - i % 2, a=i % 2 + NOISE[i]) for i in range(400)]
AFTER = {"name": "old+new", "after": 200}


@pytest.mark.parametrize("name", ["old+new", "old+both"])
def test_one_model_learns_until_the_samples_it_is_given(name):
    """Up to there it is the model alone; from there on the blend of two serves."""
    told = learner("naive-bayes", policy={"name": name, "after": 200})
    alone = learner("naive-bayes", policy="none")

    turn = tell(told, *FIRST, *THEN)

    def guesses(turn):
        return [(row["y_pred"], row["p_pred"]) for row in rows(turn)]

    assert guesses(turn)[:201] == guesses(tell(alone, *FIRST, THEN[0]))
    assert [row["arm"] for row in rows(turn)] == ["old"] * 201 + ["blend"] * 399
    (split,) = [event for event in turn.events if event[1] == "split"]
    assert split == (200, "split", {"from": "old", "to": "blend", "learned": 200})


def test_the_old_one_learns_no_more_and_the_new_one_nothing_old():
    """What each was taught is what a model alone would have been taught of it."""
    told = learner("tests.doubles.Diary", policy=AFTER)
    first, then = learner(policy="none"), learner(policy="none")

    tell(told, *FIRST, *THEN)
    tell(first, *FIRST)
    tell(then, *THEN)

    old, new = told.policy.model.arms
    assert old.model.inner.estimator.taught == first.policy.model.estimator.taught
    assert new.model.estimator.taught == then.policy.model.estimator.taught


def test_a_copy_goes_on_and_is_taught_old_samples_with_each_new_one():
    """The reservoir holds old samples alone, and the copy begins where the old one stood."""
    policy = {"name": "old+both", "after": 200, "kept": 20, "times": 2}
    told = learner("naive-bayes", policy=policy)

    tell(told, *FIRST, *THEN)

    old, both = told.policy.model.arms
    assert sum(old.model.inner.inner.estimator.class_counts.values()) == 200
    assert sum(both.model.inner.estimator.class_counts.values()) == 200 + 3 * 400
    kept = told.policy.model._reservoir.lessons
    assert len(kept) == 20
    assert all(round(x["a"]) == y for x, y in kept)


@pytest.mark.parametrize("name", ["old+new", "old+both"])
def test_a_drift_splits_where_no_number_is_given(name):
    """Before the sample is learned that brought the alarm."""
    told = learner("naive-bayes", policy=name, direction="any")

    turn = tell(told, *FIRST, *THEN)

    kinds = [(offset, kind) for offset, kind, _ in turn.events if kind in ("drift", "split")]
    (at, kind), (split_at, split), *_ = kinds
    assert (kind, split, at) == ("drift", "split", split_at)
    assert at >= 200
    assert [row["arm"] for row in rows(turn)][at : at + 2] == ["old", "blend"]


def test_the_new_one_serves_what_is_new_and_the_old_one_what_comes_back():
    """Weights follow the recent errors of the two."""
    told = learner("naive-bayes", policy=AFTER)
    tell(told, *FIRST, *THEN)
    right = told.totals.correct

    back = tell(told, *({**record, "id": f"again{i}"} for i, record in enumerate(FIRST)))

    assert right > 570
    late = rows(back)[100:]
    assert sum(row["y"] == row["y_pred"] for row in late) > 95


def test_a_later_drift_makes_the_new_one_anew():
    """The old one stays what it was."""
    told = learner(
        "tests.doubles.Diary", policy="old+new", detector="tests.doubles.FourthMistake"
    )

    turn = tell(told, *(sample(i, 2, a=i) for i in range(60)))

    kinds = [kind for _, kind, _ in turn.events]
    assert kinds.count("split") == 1
    assert kinds.count("arm-reset") == kinds.count("drift") - 1 > 0


@pytest.mark.parametrize(
    ("policy", "sentence"),
    [
        ({"name": "old+new", "after": 0}, "after of policy 'old.new' must be a whole number"),
        ({"name": "old+new", "after": "soon"}, "got 'soon'"),
        ({"name": "old+both", "kept": 0}, "kept of policy 'old.both'"),
        ({"name": "old+both", "times": 1.5}, "times of policy 'old.both'"),
        ({"name": "old+new", "kept": 3}, "no argument 'kept'; it takes after"),
    ],
)
def test_arguments_that_cannot_be_are_refused(policy, sentence):
    """In one sentence, when the learner is made."""
    with pytest.raises(SettingError, match=sentence):
        learner("naive-bayes", policy=policy)


def test_a_reservoir_keeps_each_as_likely_as_any_other():
    """Over many reservoirs every sample is kept about equally often."""
    often = [0] * 40
    for seed in range(2000):
        reservoir = Reservoir(10, seed)
        for i in range(40):
            reservoir.add([{"a": i}], [i])
        for _, i in reservoir.lessons:
            often[i] += 1

    assert sum(often) == 2000 * 10
    # Four standard deviations of a binomial of 2,000 at a quarter.
    assert all(abs(n - 500) < 4 * (2000 * 0.25 * 0.75) ** 0.5 for n in often)


def test_a_reservoir_draws_by_its_seed():
    """Two alike draw alike; an empty one draws nothing."""
    one, other = Reservoir(5, 3), Reservoir(5, 3)
    chance = random.Random(1)
    for reservoir in (one, other):
        assert reservoir.draw(3) == []
    for _ in range(50):
        x = {"a": chance.random()}
        one.add([x], [1])
        other.add([x], [1])

    assert one.draw(8) == other.draw(8)
    assert len(one.draw(8)) == 5
