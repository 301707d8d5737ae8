"""Detectors of anomalies: each sample is scored, learned at once, and its label comes late."""

import json

import pytest
from river import anomaly, datasets, evaluate, metrics, preprocessing

from learner.config import Config
from learner.learner import Learner
from stream.errors import SettingError
from stream.records import NOT_FINITE, Record, encode
from stream.topic import Batch

PAIRS = [(dict(x), int(y)) for x, y in datasets.Phishing()]
MODELS = {
    "half-space-trees": lambda: preprocessing.MinMaxScaler() | anomaly.HalfSpaceTrees(seed=1),
    "one-class-svm": lambda: preprocessing.StandardScaler() | anomaly.OneClassSVM(),
    "loda": lambda: preprocessing.StandardScaler() | anomaly.LODA(seed=1),
}


def rows_of(records, *, cut=97, **config):
    """Return the rows a learner makes of records, and the learner."""
    learner = Learner(Config(seed=1, **config), 0, 0)
    entries = [(i, encode(record)) for i, record in enumerate(records)]
    rows = []
    for start in range(0, len(entries), cut):
        part = entries[start : start + cut]
        rows += learner.learn(Batch(0, part, part[-1][0] + 1)).rows
    return rows, learner


def scores(rows):
    """Return the score of each sample, by its id."""
    return {row[2]: row[5] for row in rows}


LABELLED = [Record(id=i, x=x, y=y) for i, (x, y) in enumerate(PAIRS)]


@pytest.mark.parametrize("name", MODELS)
def test_scores_are_those_of_rivers_own_evaluation(name):
    """Sample by sample, to the last digit."""
    steps = evaluate.iter_progressive_val_score(
        PAIRS, MODELS[name](), metrics.ROCAUC(), step=1, yield_predictions=True
    )

    rows, learner = rows_of(LABELLED, model=name)

    assert [row[5] for row in rows] == [step["Prediction"] for step in steps]
    assert [row[4] for row in rows] == [y for _, y in PAIRS]
    totals = learner.totals
    assert (totals.task, totals.scored, totals.labelled) == ("anomaly", 1250, 1250)
    assert totals.no_change_error == totals.majority_error == 0


def late(delay):
    """Yield questions, and the label of each so many samples later."""
    for i, (x, _) in enumerate(PAIRS):
        yield Record(id=i, x=x)
        if i >= delay:
            yield Record(id=i - delay, y=PAIRS[i - delay][1])


@pytest.mark.parametrize("grain", [1, 50])
def test_a_label_that_comes_late_or_never_changes_no_score(grain):
    """What is learned is the sample, and that is learned when it comes."""
    whole, _ = rows_of(LABELLED, model="half-space-trees", grain=grain)

    delayed, learner = rows_of(late(30), model="half-space-trees", grain=grain)

    assert scores(delayed) == {i: s for i, s in scores(whole).items() if i < len(PAIRS) - 30}
    assert learner.totals.pending == 30


def test_where_the_stream_is_cut_shows_nowhere():
    """Not in the scores, and not in the sums."""
    once, learner = rows_of(late(7), model="loda")
    often, other = rows_of(late(7), model="loda", cut=1)

    assert once == often
    assert learner.totals == other.totals


def test_a_question_is_answered_with_its_score():
    """On the topic of predictions, as any question is."""
    learner = Learner(Config(model="half-space-trees"), 0, 0)
    turn = learner.learn(Batch(0, [(0, encode(Record(id="a", x={"b": 1.0})))], 1))

    assert json.loads(encode(turn.predictions[0])) == {
        "id": "a",
        "y_pred": 0.0,
        "at": "samples[0]@0",
    }


@pytest.mark.parametrize("label", [2, "yes", 0.5])
def test_only_yes_and_no_are_labels(label):
    """A sample that has another is a dead letter, and is not learned."""
    rows, learner = rows_of([Record(id=0, x={"a": 1.0}, y=label)], model="half-space-trees")

    assert rows == []
    assert sum(learner.totals.dead.values()) == 1


def test_a_score_that_is_not_finite_is_flagged():
    """And counted, so that nobody ranks by it."""
    rows, learner = rows_of(
        [Record(id=0, x={"a": 1.0}, y=0)], model="tests.doubles.Dizzy", policy="none"
    )

    assert rows[0][9] == NOT_FINITE
    assert learner.totals.not_finite == 1


def test_a_detector_of_drift_has_nothing_to_watch():
    """Who asks for one is told so; the default watches nothing."""
    assert Learner(Config(model="loda"), 0, 0).watch is None
    with pytest.raises(SettingError, match="detector 'kswin' watches errors"):
        Learner(Config(model="loda", detector="kswin"), 0, 0)


@pytest.mark.parametrize("model", ["GaussianScorer", "StandardAbsoluteDeviation"])
def test_a_detector_that_scores_labels_is_refused(model):
    """It would need the label before the score."""
    with pytest.raises(SettingError, match="nor a detector of anomalies"):
        Learner(Config(model=f"river.anomaly.{model}"), 0, 0)
