"""A new model is trained on what was kept, at a drift, by count or by event time."""

from datetime import UTC, datetime

import pytest
from river import drift, naive_bayes

from learner.policies.reservoir import Reservoir
from stream.errors import SettingError
from tests.learner.policies.streams import records, stream
from tests.learner.told import learner, rows, sample, tell

DAY = 86_400.0


def refits(turn):
    """Return offset and details of each refit."""
    return [(offset, details) for offset, kind, details in turn.events if kind == "refit"]


def test_a_refit_is_what_one_does_by_hand():
    """At a rise of the error, a new model learns the window, and then goes on in the stream."""
    pairs, window = stream("sine"), 200
    told = learner("naive-bayes", policy={"name": "refit-window", "window": window})

    turn = tell(told, *records(pairs))

    model, detector, guesses = naive_bayes.GaussianNB(), drift.ADWIN(), []
    for at, (x, y) in enumerate(pairs):
        guesses.append(model.predict_one(x))
        if guesses[-1] is not None:
            before = detector.estimation
            detector.update(int(guesses[-1] != y))
            if detector.drift_detected and detector.estimation > before:
                model = naive_bayes.GaussianNB()
                for old_x, old_y in pairs[max(0, at - window) : at]:
                    model.learn_one(old_x, old_y)
        model.learn_one(x, y)
    assert [row["y_pred"] for row in rows(turn)] == guesses
    (_, details), *_ = refits(turn)
    assert details["cause"] == "drift"
    assert details["detector"] == "ADWIN"
    assert details["before"] < details["after"]
    assert details["samples"] == window


@pytest.mark.parametrize(
    ("model", "grain"), [("naive-bayes", 1), ("naive-bayes", 7), ("sgd-regressor", 16)]
)
def test_refitted_on_everything_a_model_is_what_it_was(model, grain):
    """One that learns piece by piece has nothing to gain from learning the same again."""
    pairs = [(x, float(y)) if "sgd" in model else (x, y) for x, y in stream("phishing")]
    told = learner(model, grain=grain, policy={"name": "refit-all", "every": 300})
    once = learner(model, grain=grain, policy="none")

    turn = tell(told, *records(pairs))

    assert len(refits(turn)) == 4
    assert rows(turn) == rows(tell(once, *records(pairs)))


def test_beyond_its_budget_it_keeps_a_uniform_sample_in_order():
    """And says how many there were."""
    told = learner(policy={"name": "refit-all", "every": 100, "budget": 30})

    turn = tell(told, *(sample(i, i % 3, a=i) for i in range(500)))

    assert [d["samples"] for _, d in refits(turn)] == [30] * 5
    assert [d["seen"] for _, d in refits(turn)] == [99, 199, 299, 399, 499]
    kept = [x["a"] for x, _ in told.policy.kept()]
    assert kept == sorted(kept)
    assert len(set(kept)) == 30


def test_any_sample_is_as_likely_kept_as_any_other():
    """Over many seeds, and none twice."""
    counts = [0] * 20
    for seed in range(2000):
        kept = Reservoir(5, seed)
        kept.add([{"a": i} for i in range(20)], range(20))
        for _, y in kept.lessons:
            counts[y] += 1
    assert sum(counts) == 10_000
    assert all(420 < count < 580 for count in counts)


@pytest.mark.parametrize("grain", [1, 50])
def test_by_count_it_refits_every_so_many_samples(grain):
    """At the ends of grains, without creeping."""
    told = learner(policy={"name": "refit-window", "every": 120, "window": 60}, grain=grain)

    turn = tell(told, *(sample(i, i % 3, a=i) for i in range(600)))

    assert [offset + 1 for offset, _ in refits(turn)] == (
        [120, 240, 360, 480, 600] if grain == 1 else [150, 250, 400, 500, 600]
    )
    assert told.totals.drifts == 0 or "drift" not in {d["cause"] for _, d in refits(turn)}


@pytest.mark.parametrize("grain", [1, 5])
def test_by_the_month_it_refits_when_a_month_of_utc_begins(grain):
    """At the first grain that ends in it, on samples from before; questions tell time too."""
    start = datetime(2023, 12, 25, tzinfo=UTC).timestamp()
    days = [sample(i, i % 3, ts=start + i * DAY, a=i) for i in range(100)]
    told = learner(policy={"name": "refit-window", "period": "month"}, grain=grain)

    turn = tell(told, *days)

    first = [7, 38, 67, 98]  # of January, February, a March after 29 days, April
    assert [o for o, _ in refits(turn)] == [o - o % grain + grain - 1 for o in first]
    assert {d["cause"] for _, d in refits(turn)} == {"period"}
    assert [d["samples"] for _, d in refits(turn)] == [o - o % grain for o in first]


def test_by_seconds_it_refits_when_a_period_since_the_epoch_begins():
    """A question may begin one; a date that nobody confirms does not."""
    told = learner(policy={"name": "refit-window", "period": 100})
    times = [10, 90, 99, None, 100, 150, 9e9, 160, 199, 201, 202]
    told_of = [sample(i, i % 3, ts=ts, a=i) for i, ts in enumerate(times)]
    told_of[9] = sample(9, None, ts=201, a=9)

    turn = tell(told, *told_of)

    assert [offset for offset, _ in refits(turn)] == [4, 10]


def test_more_passes_learn_the_same_samples_more_often():
    """In their order."""
    told = learner(policy={"name": "refit-window", "every": 4, "passes": 3})
    tell(told, *(sample(i, i % 3, a=i) for i in range(4)))

    again = learner(policy="none")
    lessons = [sample(i, i % 3, a=i) for i in range(3)]
    tell(again, *lessons, *lessons, *lessons, sample(3, 0, a=3))
    assert told.policy.model.inner.estimator.taught == again.policy.model.estimator.taught


def test_where_no_new_model_can_be_trained_the_old_one_stays():
    """And the event says why."""
    told = learner(policy={"name": "refit-window", "every": 1})

    turn = tell(told, sample(0, 0, a=0))
    kept = told.policy.model
    told.policy._window.add([{"poison": 1}], [0])
    failed = tell(told, sample(1, 0, a=1))

    assert [kind for _, kind, _ in turn.events] == ["not-refitted"]
    assert [kind for _, kind, _ in failed.events] == ["not-refitted"]
    assert "cannot be learned" in failed.events[0][2]["error"]
    assert told.policy.model is kept


def test_a_detector_of_anomalies_is_refitted_by_count():
    """It has no errors that could rise, and questions are lessons to it."""
    told = learner("half-space-trees", policy={"name": "refit-window", "every": 100})

    turn = tell(told, *(sample(i, a=i % 7) for i in range(350)))

    assert [offset for offset, _ in refits(turn)] == [99, 199, 299]


@pytest.mark.parametrize(
    ("model", "policy", "sentence"),
    [
        ("logistic", {"window": 0}, "window of policy 'refit-window' must be a whole number"),
        ("logistic", {"window": "9"}, "must be a whole number from 1 to 1000000, got '9'"),
        ("logistic", {"every": 0.5}, "every of policy 'refit-window' must be a whole number"),
        ("logistic", {"period": "year"}, "must be 'month' or seconds above 0, got 'year'"),
        ("logistic", {"period": -1}, "must be 'month' or seconds above 0, got -1"),
        ("logistic", {"period": True}, "must be 'month' or seconds above 0, got True"),
        ("logistic", {"on_drift": False}, "never acts; give every or period"),
        ("logistic", {"passes": 101}, "passes of policy 'refit-window' must be"),
        ("half-space-trees", {}, "the score of an anomaly has none; give every or period"),
    ],
)
def test_what_cannot_be_meant_is_refused(model, policy, sentence):
    """Before a record is read."""
    with pytest.raises(SettingError, match=sentence):
        learner(model, policy={"name": "refit-window"} | policy)
