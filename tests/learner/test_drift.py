"""Detectors see the errors that were made, and the watch says which way they moved."""

import pickle
import random

import pytest
from river import drift

from learner.detectors import DETECTORS
from learner.drift import Watch
from stream.errors import SettingError

BINARY = ["ddm", "eddm", "fhddm", "hddm-a", "hddm-w"]
KINDS = {
    "adwin": drift.ADWIN,
    "kswin": lambda: drift.KSWIN(seed=1),
    "page-hinkley": drift.PageHinkley,
    "ddm": drift.binary.DDM,
    "eddm": drift.binary.EDDM,
    "fhddm": drift.binary.FHDDM,
    "hddm-a": drift.binary.HDDMA,
    "hddm-w": drift.binary.HDDMW,
    "periodic": lambda: drift.DummyDriftDetector(seed=1),
}


def watch(spec="adwin", *, task="classification", direction="worse"):
    """Return a watch with the seed of all tests."""
    return Watch(spec, task=task, direction=direction, seed=1)


def mistakes(*shares, n=500, seed=4):
    """Return errors whose share changes after each n."""
    chance = random.Random(seed)
    return [float(chance.random() < share) for share in shares for _ in range(n)]


def alarms(watching, errors):
    """Return the place and the alarm of each that the watch gave."""
    said = enumerate(map(watching.observe, errors))
    return [(place, alarm) for place, alarm in said if alarm is not None]


@pytest.mark.parametrize("direction", ["worse", "any"])
@pytest.mark.parametrize("name", KINDS)
def test_every_detector_alarms_where_river_s_does(name, direction):
    """At the same errors; FHDDM, which hears falls alone, is told what was right instead."""
    errors = mistakes(0.1, 0.5, 0.05)

    places = [place for place, _ in alarms(watch(name, direction=direction), errors)]

    detector, expected = KINDS[name](), []
    for place, error in enumerate(errors):
        told = not error if (name, direction) == ("fhddm", "worse") else bool(error)
        detector.update(told if name in BINARY else error)
        if detector.drift_detected:
            expected.append(place)
    assert places == expected
    assert places


@pytest.mark.parametrize(
    "name", ["adwin", "kswin", "page-hinkley", "ddm", "fhddm", "hddm-a", "hddm-w"]
)
def test_a_rise_of_the_error_is_a_drift(name):
    """The alarm says which detector heard it, and the mean error before and after."""
    said = alarms(watch(name), mistakes(0.1, 0.7))

    kind, details = next(alarm for place, alarm in said if place >= 500)
    assert kind == "drift"
    assert details["detector"] == type(KINDS[name]()).__name__
    assert details["before"] < details["after"]


@pytest.mark.parametrize("name", ["adwin", "kswin"])
def test_a_fall_of_the_error_is_an_improvement(name):
    """A model that has just learned something is no reason to start over."""
    kinds = {
        alarm[0] for place, alarm in alarms(watch(name), mistakes(0.7, 0.1)) if place > 500
    }

    assert "improvement" in kinds
    assert alarms(watch("adwin"), mistakes(0.7, 0.1))[0][1][0] == "improvement"


def test_in_any_direction_a_fall_is_a_drift_as_well():
    """For those who want what River's own wrapper does."""
    said = alarms(watch(direction="any"), mistakes(0.7, 0.1))

    assert {alarm[0] for _, alarm in said} == {"drift"}


@pytest.mark.parametrize("name", BINARY)
def test_a_regression_refuses_what_takes_only_right_or_wrong(name):
    """The sentence names those that fit."""
    with pytest.raises(SettingError, match="adwin, kswin or page-hinkley"):
        watch(name, task="regression")


@pytest.mark.parametrize("name", sorted(KINDS.keys() - set(BINARY)))
def test_a_regression_is_watched_by_its_absolute_errors(name):
    """They may have any size."""
    chance = random.Random(2)
    errors = [abs(chance.gauss(0, scale)) for scale in (1, 30) for _ in range(1000)]

    assert alarms(watch(name, task="regression"), errors)


@pytest.mark.parametrize("name", DETECTORS)
@pytest.mark.parametrize("cut", [1, 480, 520])
def test_a_pickled_watch_alarms_alike(name, cut):
    """Everything it has counted is in its pickle."""
    errors = mistakes(0.2, 0.6, 0.1)
    whole = alarms(watch(name), errors)

    before = watch(name)
    first = alarms(before, errors[:cut])
    rest = alarms(pickle.loads(pickle.dumps(before)), errors[cut:])

    assert first + [(place + cut, alarm) for place, alarm in rest] == whole


def test_a_detector_may_be_given_with_its_settings():
    """A dotted path, or a table with arguments."""
    errors = mistakes(0.1, 0.5)
    table = {"class": "river.drift.ADWIN", "delta": 1e-9}

    assert alarms(watch("river.drift.ADWIN"), errors) == alarms(watch(), errors)
    assert alarms(watch(table), errors)[0][0] > alarms(watch(), errors)[0][0]


def test_a_detector_may_be_given_by_its_name_with_arguments():
    """As a policy is; `class` takes a name as well."""
    errors = mistakes(0.1, 0.5)
    path = alarms(watch({"class": "river.drift.ADWIN", "delta": 1e-9}), errors)

    assert alarms(watch({"name": "adwin", "delta": 1e-9}), errors) == path
    assert alarms(watch({"class": "adwin", "delta": 1e-9}), errors) == path


def test_never_alarms_never():
    """And every name is in the table above, or is this."""
    assert alarms(watch("never"), mistakes(0.1, 0.5, 0.05)) == []
    assert DETECTORS.keys() == {*KINDS, "never"}


def test_every_detector_of_river_s_has_a_name():
    """Whatever its two rooms hold, but for the wrapper that is no detector."""
    rooms = (drift, drift.binary)
    theirs = {
        f"{room.__name__}.{name}"
        for room in rooms
        for name, found in vars(room).items()
        if isinstance(found, type) and name != "DriftRetrainingClassifier"
    }

    assert theirs == set(DETECTORS.values())


def test_an_unknown_detector_is_refused_with_the_nearest_name():
    """As is what is no detector at all."""
    with pytest.raises(SettingError, match="did you mean 'page-hinkley'"):
        watch("page-hinkly")
    with pytest.raises(SettingError, match="known: adwin, kswin"):
        watch("xyz")
    with pytest.raises(SettingError, match="StandardScaler is no drift detector"):
        watch("river.preprocessing.StandardScaler")
