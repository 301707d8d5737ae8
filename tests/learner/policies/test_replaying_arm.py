"""The arm of `auto` whose model learns the past as well."""

import pickle

import pytest
from river.datasets import synth

from learner.policies.auto import Auto
from learner.policies.candidates import replaying
from learner.policies.policy import Maker
from learner.policies.replay import Mixed, Replay

MAKER = Maker(model="logistic", seed=3, classes=None, scaling=None, grain=None)


def arms_of(policy):
    """Return the arms by name."""
    return {arm.name: arm for arm in policy.model.arms}


def taught(policy, samples=300):
    """Guess and learn a stream, and return the policy."""
    for x, y in synth.Sine(seed=4).take(samples):
        policy.model.guess(x)
        policy.model.learn_one(x, y)
    return policy


def test_it_learns_what_the_policy_of_that_name_does():
    """The same model, from the same lots."""
    arm = arms_of(taught(Auto(MAKER, ["none", "replay"])))["replay"]
    alone = taught(Replay(MAKER))
    xs = [x for x, _ in synth.Sine(seed=9).take(20)]

    assert arm.model.guess_many(xs) == alone.model.guess_many(xs)
    assert arm.model.past.lessons == alone.model.past.lessons


@pytest.mark.parametrize("leads", [True, False])
def test_what_starts_over_replays_where_that_does_best(leads):
    """And a sample that a new model learns first can be forgotten there, too."""
    policy = taught(Auto(MAKER, ["none", "ddm", "replay"]))
    council, arms = policy.model, arms_of(policy)
    assert council.at_work == 2
    arms["replay"]._late = 0.0 if leads else 1e9
    arms["ddm"].policy.due = True
    for store in policy.stores:
        store.ids = ("first",)

    ((x, y),) = synth.Sine(seed=5).take(1)
    council.guess(x)
    council.learn_one(x, y)

    assert isinstance(arms["ddm"].model, Mixed) is leads
    assert council.at_work == 3
    assert sum(store.drop("first") for store in policy.stores) == (2 if leads else 1)


def test_whether_replaying_pays_is_judged_later_than_all_else():
    """Among those that replay it is as ever; a window's turn would come before its trial."""
    policy = Auto(MAKER, ["none", "window-a", "replay"])
    council, arms = policy.model, arms_of(policy)
    none, window, replay = (arms[name] for name in ("none", "window-a", "replay"))
    window.begin(replaying(MAKER), 0)
    for arm, error in ((none, 0.1), (replay, 0.5), (window, 0.9)):
        arm._late, arm._weighed = error, 1.0

    found = {}
    for seen in (999, 1000, 4999, 5000):
        council._seen = seen
        found[seen] = [council._beats(none, replay), council._beats(replay, window)]

    assert found == {
        999: [False, False],
        1000: [False, True],
        4999: [False, True],
        5000: [True, True],
    }


def test_it_is_carried_about_with_what_it_draws_from():
    """A pickle of it goes on as the policy itself does."""
    policy = taught(Auto(MAKER, ["none", "replay"]))
    other = pickle.loads(pickle.dumps(policy))
    taught(policy), taught(other)

    assert [arm.totals for arm in policy.model.arms] == [arm.totals for arm in other.model.arms]
