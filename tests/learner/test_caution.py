"""Warnings before an alarm, and what keeps one back."""

import pickle
import random
from itertools import pairwise

import pytest
from river import drift

from learner.caution import CALM, watch
from learner.detectors import DETECTORS, LAXER
from learner.drift import Watch
from stream.errors import SettingError

LEVELS = {"ddm": drift.binary.DDM, "hddm-a": drift.binary.HDDMA, "hddm-w": drift.binary.HDDMW}
TWO = {
    "adwin": lambda: drift.ADWIN(delta=0.02),
    "page-hinkley": lambda: drift.PageHinkley(threshold=25),
    "periodic": lambda: drift.DummyDriftDetector(t_0=150, seed=1),
}


def made(spec, **how):
    """Return a watch with the settings of all tests."""
    settings = {"task": "classification", "direction": "any", "seed": 1, "warnings": True}
    return watch(spec, **settings | how)


def mistakes(*shares, n=2000, seed=4):
    """Return errors whose share stays for n, and goes to the next within another n."""
    chance = random.Random(seed)
    errors = []
    for a, b in pairwise([*shares, shares[-1]]):
        risk = [a] * n + [a + (b - a) * i / n for i in range(n)]
        errors += [float(chance.random() < share) for share in risk]
    return errors


SLOWLY = mistakes(0.1, 0.3, n=1500)


def said(watching, errors=SLOWLY):
    """Return place, kind and details of all that a watch says."""
    alarms = enumerate(map(watching.observe, errors))
    return [(place, *alarm) for place, alarm in alarms if alarm is not None]


@pytest.mark.parametrize("name", LEVELS)
def test_a_detector_with_a_warning_level_warns_where_river_s_does(name):
    """And the warning has passed at the first sample without, where that is wished."""
    told = said(made({"name": name, "calm": 1}))

    detector, expected, warned = LEVELS[name](), [], False
    for place, error in enumerate(SLOWLY):
        detector.update(bool(error))
        if detector.drift_detected:
            expected.append((place, "drift"))
            warned = False
        elif detector.warning_detected != warned:
            warned = not warned
            expected.append((place, "warning" if warned else "calm"))
    assert [(place, kind) for place, kind, _ in told] == expected
    assert {"warning", "drift", "calm"} == {kind for _, kind in expected}


@pytest.mark.parametrize("name", TWO)
def test_one_without_warns_by_a_second_more_sensitive(name):
    """Its first alarm since the last drift is the warning."""
    told = said(made({"name": name, "calm": 10**9}))

    first, second, expected, warned = (
        Watch(name, task="classification", direction="any", seed=1),
        TWO[name](),
        [],
        False,
    )
    for place, error in enumerate(SLOWLY):
        second.update(error)
        if first.observe(error):
            expected.append((place, "drift"))
            second, warned = TWO[name](), False
        elif second.drift_detected and not warned:
            expected.append((place, "warning"))
            warned = True
    assert [(place, kind) for place, kind, _ in told] == expected
    assert {"warning", "drift"} == {kind for _, kind in expected}


@pytest.mark.parametrize("name", [name for name in DETECTORS if name != "never"])
def test_every_detector_but_never_may_warn(name):
    """Each has a level of its own, or a parameter that makes a more sensitive second one."""
    errors = mistakes(0.1, 0.9, n=120 if name == "kswin" else 1500)
    kinds = [kind for _, kind, _ in said(made(name, direction="worse"), errors)]

    assert "warning" in kinds
    assert "drift" in kinds


def test_never_is_silent():
    """A dummy to compare with."""
    assert said(made("never")) == []


@pytest.mark.parametrize("name", ["ddm", "adwin"])
def test_a_warning_is_said_once_and_passes(name):
    """It says the mean error before and now; what has passed says how long it stood."""
    told = said(made({"name": name, "calm": 50}))

    for (_, kind, details), (_, following, _) in pairwise(told):
        if kind == "warning":
            assert following in ("calm", "drift")
            assert details.keys() == {"detector", "before", "after"}
        if kind == "calm":
            assert following != "calm"
            assert details["samples"] >= 50
    assert made(name)._calm == CALM


def test_only_a_rise_is_a_warning_where_only_a_rise_is_a_drift():
    """A model that has just learned something is no reason to bring up another."""
    falls = mistakes(0.8, 0.1)

    worse = {kind for _, kind, _ in said(made("adwin", direction="worse"), falls)}
    either = {kind for _, kind, _ in said(made("adwin"), falls)}

    assert worse == {"improvement"}
    assert {"warning", "drift"} <= either


def test_a_warning_may_be_another_detector_or_other_arguments_or_none():
    """As its table says."""
    own = said(made({"name": "adwin", "warning": {"delta": 0.02}}))
    second = {"name": "page-hinkley", "threshold": 5}
    other = said(made({"name": "adwin", "warning": second}))
    none = said(made({"name": "adwin", "warning": False}))

    assert own == said(made("adwin"))
    warned = {details["detector"] for _, kind, details in other if kind == "warning"}
    assert warned == {"PageHinkley"}
    assert {kind for _, kind, _ in none} == {"drift"}


def test_nothing_warns_unless_asked_to():
    """A watch without any of this is the plain one, and costs no more."""
    assert type(made("adwin", warnings=False)) is Watch
    quiet = said(made({"name": "ddm", "cooldown": 0}, warnings=False))
    assert {kind for _, kind, _ in quiet} == {"drift"}
    loud = said(made({"name": "ddm", "warning": True}, warnings=False))
    assert "warning" in {kind for _, kind, _ in loud}


def test_a_cooldown_holds_back_what_comes_too_soon():
    """For so many samples after a drift, and not one more."""
    every = [place for place, *_ in said(made("periodic", warnings=False), SLOWLY)]
    spec = {"name": "periodic", "cooldown": 299}

    assert [p for p, *_ in said(made(spec, warnings=False), SLOWLY)] == every
    spec["cooldown"] = 300
    assert [p for p, *_ in said(made(spec, warnings=False), SLOWLY)] == every[::2]


def test_no_alarm_comes_before_there_is_evidence():
    """The first comes after so many samples at the earliest."""
    first = said(made("periodic", warnings=False))[0][0]
    spec = {"name": "periodic", "min_samples": first}

    assert said(made(spec, warnings=False))[0][0] == first
    spec["min_samples"] += 1
    assert said(made(spec, warnings=False))[0][0] > first


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        ({"name": "adwin", "cooldown": -1}, "cooldown of a detector must be a whole number"),
        ({"name": "adwin", "cooldown": True}, "must be a whole number from 0, got True"),
        ({"name": "adwin", "calm": 0}, "calm of a detector must be a whole number from 1"),
        ({"name": "adwin", "min_samples": "9"}, "min_samples of a detector must be"),
        ({"name": "adwim"}, "did you mean 'adwin'"),
        ({"name": 3}, "detector 3 must be a name; known: adwin"),
        ({"name": "adwin", "warning": {"name": "x"}}, "detector 'x' is not known"),
        ({"name": "adwin", "warning": {"oops": 1}}, "'river.drift.ADWIN' cannot be made"),
        ("tests.doubles.FourthMistake", "FourthMistake has no warning level; give one with"),
    ],
)
def test_what_no_watch_can_be_made_of_is_refused(spec, sentence):
    """In one sentence that names the setting."""
    with pytest.raises(SettingError, match=sentence):
        made(spec)


@pytest.mark.parametrize(
    "spec", ["adwin", "hddm-a", {"name": "ddm", "cooldown": 40, "calm": 7}]
)
@pytest.mark.parametrize("cut", [1, 1200, 1500])
def test_a_pickled_watch_goes_on_alike(spec, cut):
    """All it has counted is in its pickle."""
    whole = said(made(spec))

    before = made(spec)
    first = said(before, SLOWLY[:cut])
    rest = said(pickle.loads(pickle.dumps(before)), SLOWLY[cut:])

    assert first + [(place + cut, *alarm) for place, *alarm in rest] == whole


@pytest.mark.parametrize("name", LAXER)
def test_the_second_of_each_pair_is_more_sensitive(name):
    """Its parameter differs, and it alarms no later than the first."""
    path = next(path for path in DETECTORS.values() if path.endswith(f".{name}"))
    errors = mistakes(0.1, 0.9, n=120 if name == "KSWIN" else 1500)
    watching = made({"class": path, "calm": 10**9}, direction="worse")
    kinds = [kind for _, kind, _ in said(watching, errors) if kind in ("warning", "drift")]

    assert watching._spec["class"] == path
    assert kinds[0] == "warning"
