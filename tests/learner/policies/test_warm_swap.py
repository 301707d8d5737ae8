"""A new model is brought up at a warning, swapped in at a drift, dropped when it passes."""

import pytest

from learner.models.build import build
from stream.errors import SettingError
from tests.learner.policies.streams import records, stream
from tests.learner.told import learner, rows, sample, tell

WARNS = {"class": "tests.doubles.FourthMistake", "every": 8, "calm": 100} | {
    "warning": {"class": "tests.doubles.FourthMistake", "every": 3}
}
MISSES = [sample(i, 2, a=i) for i in range(60)]


def diary(policy="warm-swap", detector=WARNS, **settings):
    """Return a learner that is mostly wrong, with a detector that says much."""
    return learner(policy=policy, detector=detector, direction="any", **settings)


def kinds(turn):
    """Return offset and kind of all that happened."""
    return [(offset, kind) for offset, kind, _ in turn.events]


@pytest.mark.parametrize("grain", [1, 4])
def test_what_is_swapped_in_has_learned_from_the_warning_on(grain):
    """The grain of the warning is its first; then that of the drift is learned by it alone."""
    told = diary(grain=grain)

    turn = tell(told, *MISSES)

    swap = next(i for i, (_, kind) in enumerate(kinds(turn)) if kind == "swap")
    background = next(o for o, k in reversed(kinds(turn)[:swap]) if k == "background")
    at, _, details = turn.events[swap]
    after = learner(policy="none", detector="none", grain=grain)
    first = background - background % grain
    expected = tell(after, *MISSES[first:])
    assert details["trained"] == at - at % grain - first > 0
    later = next((o for o, k in kinds(turn)[swap + 1 :] if k == "swap"), len(MISSES))
    mine = [row["y_pred"] for row in rows(turn) if at < row["offset"] <= later]
    theirs = [row["y_pred"] for row in rows(expected)][at + 1 - first :]
    assert mine == theirs[: len(mine)] != []


def test_a_warning_that_passes_takes_the_new_model_with_it():
    """The old one goes on as if nothing had been, and the next warning begins anew."""
    hits = {"class": "tests.doubles.FourthMistake", "every": 1000, "calm": 2} | {
        "warning": {"class": "tests.doubles.FourthMistake", "every": 10}
    }
    told, alone = diary(detector=hits), learner(policy="none", detector="none")

    turn = tell(told, *MISSES)

    assert [kind for _, kind in kinds(turn)[:4]] == ["warning", "background", "calm", "drop"]
    assert "swap" not in told.totals.actions
    assert told.totals.actions["drop"] >= 2
    assert rows(turn) == rows(tell(alone, *MISSES))
    trained = [details["trained"] for _, kind, details in turn.events if kind == "background"]
    assert trained == [0] * len(trained)


def test_without_dropping_it_only_pauses():
    """At the next warning it goes on with what it knows."""
    hits = {"class": "tests.doubles.FourthMistake", "every": 1000, "calm": 2} | {
        "warning": {"class": "tests.doubles.FourthMistake", "every": 10}
    }
    turn = tell(diary({"name": "warm-swap", "drop": False}, hits), *MISSES)

    trained = [details["trained"] for _, kind, details in turn.events if kind == "background"]
    paused = [details["trained"] for _, kind, details in turn.events if kind == "pause"]
    assert trained == [0, *paused[: len(trained) - 1]]
    assert trained == sorted(set(trained))


def test_a_drift_without_a_warning_brings_in_a_new_model():
    """As a reset does."""
    detector = WARNS | {"warning": False}
    swaps, resets = diary(detector=detector), diary("reset", detector)

    assert rows(tell(swaps, *MISSES)) == rows(tell(resets, *MISSES))
    assert swaps.totals.actions["swap"] == resets.totals.resets > 0


def test_every_event_says_what_was_heard():
    """The detector, the error before and after, and how many samples were learned."""
    told = learner("naive-bayes", policy="warm-swap", detector="hddm-a")

    turn = tell(told, *records(stream("sine")))

    for _, kind, details in turn.events:
        if kind in ("background", "swap"):
            assert {"detector", "before", "after", "trained"} <= details.keys()
            assert details["before"] < details["after"]
    assert {"background", "swap"} <= told.totals.actions.keys()


def test_a_background_model_that_cannot_learn_is_dropped_with_its_reason():
    """And the model that serves goes on."""
    told = diary()
    swaps = iter(MISSES)
    while told.policy._background is None:
        tell(told, next(swaps))
    told.policy._background = build("linear", seed=1)

    turn = tell(told, sample(900, 1, a="text"))

    (_, kind, details), *_ = [event for event in turn.events if event[1] == "drop"]
    assert kind == "drop"
    assert "error" in details
    assert not turn.dead
    assert told.policy._background is None


@pytest.mark.parametrize(
    ("model", "settings", "sentence"),
    [
        ("half-space-trees", {}, "the score of an anomaly has none; choose none or replay"),
        ("logistic", {"drop": 1}, "drop of policy 'warm-swap' must be true or false, got 1"),
        ("logistic", {"keep": True}, "has no argument 'keep'; it takes drop"),
    ],
)
def test_what_cannot_be_meant_is_refused(model, settings, sentence):
    """Before a record is read."""
    with pytest.raises(SettingError, match=sentence):
        learner(model, policy={"name": "warm-swap"} | settings)
