"""A wish to forget reaches what policies keep of samples that were learned long ago."""

import copy
import pickle
from collections import deque

import pytest

from learner.policies.refit_window import RefitWindow
from tests.learner.told import learner, reasons, sample, tell

KEEPING = {
    "replay": {"name": "replay", "size": 500},
    "refit-window": {"name": "refit-window", "window": 500, "every": 7},
    "refit-all": {"name": "refit-all", "budget": 500, "every": 7},
    "old+both": {"name": "old+both", "after": 40, "kept": 500},
    "auto": {"name": "auto", "arms": ["none", "ddm", "replay"]},
}
SECRET = b"secret-7"
each_policy = pytest.mark.parametrize("name", KEEPING)


def filled(name, *, grain, nested=False, **settings):
    """Return a learner that has learned twenty samples, of which the eighth is a secret."""
    policy = {"policy": KEEPING[name]}
    if nested:
        policy = {"policy": "none", "challengers": ({"name": "c", **policy},)}
    made = learner(**policy, grain=grain, detector="none", **settings)
    for n in range(20):
        tell(made, sample(f"s{n}", n % 3, a=f"secret-{n}"))
    return made


def kept(made):
    """Return the features of all that the policy keeps, oldest first."""
    return [x["a"] for store in made.policy.stores for x, _ in store.lessons]


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("grain", [1, 4, 64])
@each_policy
def test_a_learned_sample_that_is_to_be_forgotten_is_nowhere(name, grain, nested):
    """Neither in a policy's memory nor in a grain that is not learned yet; the others stay."""
    made = filled(name, grain=grain, nested=nested)
    assert SECRET in pickle.dumps(made)
    others = [a for a in kept(made) if a != "secret-7"]
    made = pickle.loads(pickle.dumps(made))

    turn = tell(made, {"id": "s7", "forget": True})

    assert [(kind, details["kept"] > 0) for _, kind, details in turn.events] == [
        ("forget", True)
    ]
    assert kept(made) == others
    tell(made, {"command": "end-grain"})
    assert SECRET not in pickle.dumps(made)
    assert reasons(tell(made, {"id": "s7", "forget": True})) == [
        (made.cursor - 1, "unknown_id")
    ]


@each_policy
def test_a_forgotten_sample_is_never_learned_again(name):
    """What comes after goes on as if the sample had never been kept."""
    made = filled(name, grain=1)
    tell(made, {"id": "s7", "forget": True})
    for n in range(20, 120):
        tell(made, sample(f"s{n}", n % 3, a=f"later-{n}"))

    assert SECRET not in pickle.dumps(made)


@each_policy
def test_whose_a_sample_was_is_known_by_its_label_or_its_place(name):
    """A label that came late, an id that is a number, and none at all."""
    made = filled(name, grain=1)
    tell(made, sample(77, a="late"), {"id": 77, "y": 1})
    tell(made, {"x": {"a": "nameless"}, "y": 1})
    place = f"0@{made.cursor - 1}"
    assert {"late", "nameless"} <= {*kept(made)}

    turn = tell(made, {"id": "77", "forget": True}, {"id": place, "forget": True})

    assert [kind for _, kind, _ in turn.events if kind == "forget"] == ["forget"] * 2
    assert not {"late", "nameless"} & {*kept(made)}


def test_a_wish_for_a_question_that_waits_reaches_its_older_namesake_too():
    """An id may be used again once its first sample is learned; both are forgotten."""
    made = filled("replay", grain=1)
    tell(made, sample("s7", a="secret-7"))

    tell(made, {"id": "s7", "forget": True})

    assert not made.waiting
    assert SECRET not in pickle.dumps(made)


def test_a_wish_without_an_id_forgets_nothing():
    """Not even a sample that is called as nothing is."""
    made = filled("replay", grain=1)
    tell(made, sample("None", 1, a="secret-7"))
    before = kept(made)

    assert [why for _, why in reasons(tell(made, {"forget": True}))] == ["no_id"]
    assert kept(made) == before


def test_a_policy_that_keeps_nothing_knows_no_learned_sample():
    """What a model has learned it cannot forget, and that is said."""
    made = learner(policy="none")
    tell(made, sample(1, 0, a=1))
    assert [why for _, why in reasons(tell(made, {"id": 1, "forget": True}))] == ["unknown_id"]


def test_a_window_of_an_older_version_goes_on():
    """Its samples have no ids, and those that come have."""
    made = filled("refit-window", grain=1)
    older = copy.deepcopy(made.policy.__dict__)
    older["_window"] = deque([(x, y) for x, y in made.policy.kept()], maxlen=500)

    policy = RefitWindow.__new__(RefitWindow)
    policy.__setstate__(older)

    assert policy.kept() == made.policy.kept()
    policy.stores[0].ids = ("new",)
    policy.keep([{"a": 1}], [0])
    assert policy.stores[0].drop("new") == 1
