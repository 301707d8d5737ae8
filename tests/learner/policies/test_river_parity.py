"""Reset and warm-swap beside River's own wrapper, guess by guess."""

import pytest
from river import drift, evaluate, linear_model, metrics, naive_bayes, preprocessing, tree

from tests.learner.policies.streams import STREAMS, records, stream
from tests.learner.told import learner, rows, tell

MODELS = {
    "naive-bayes": naive_bayes.GaussianNB,
    "hoeffding-tree": tree.HoeffdingTreeClassifier,
    "logistic": lambda: preprocessing.StandardScaler() | linear_model.LogisticRegression(),
}
DETECTORS = {
    "adwin": drift.ADWIN,
    "page-hinkley": drift.PageHinkley,
    "ddm": drift.binary.DDM,
    "eddm": drift.binary.EDDM,
    "fhddm": drift.binary.FHDDM,
    "hddm-a": drift.binary.HDDMA,
    "hddm-w": drift.binary.HDDMW,
}
LEVELS = ("ddm", "hddm-a", "hddm-w")
"""Those that warn. River's wrapper overlooks a drift of EDDM that comes in a warning."""
BINARY = {"phishing", "agrawal", "sine"}


def theirs(name, model, detector, *, background):
    """Return what River's wrapper guesses along a stream, and its accuracy."""
    wrapped = drift.DriftRetrainingClassifier(
        MODELS[model](), DETECTORS[detector](), train_in_background=background
    )
    accuracy = metrics.Accuracy()
    steps = evaluate.iter_progressive_val_score(
        stream(name), wrapped, accuracy, step=1, yield_predictions=True
    )
    return [step["Prediction"] for step in steps], accuracy.get()


def ours(name, model, detector, policy):
    """Return the learner that has taken a stream, and what it said of it."""
    told = learner(model, policy=policy, detector=detector, direction="any")
    return told, tell(told, *records(stream(name)))


def pairs():
    """Return every stream with the models that can take it."""
    for name in STREAMS:
        for model in MODELS:
            if model != "logistic" or name in BINARY:
                yield name, model


def numbers_only(name, model):
    """Whether a model is asked to do arithmetic with the texts of a stream."""
    return name == "agrawal" and model != "hoeffding-tree"


each_pair = pytest.mark.parametrize(
    ("name", "model"), [pair for pair in pairs() if not numbers_only(*pair)]
)


@pytest.mark.parametrize(
    ("name", "model", "detector"),
    [
        *((*pair, d) for pair in pairs() for d in ("adwin", "ddm") if not numbers_only(*pair)),
        *(("sine", "naive-bayes", detector) for detector in DETECTORS),
        *(("agrawal", "hoeffding-tree", detector) for detector in DETECTORS),
    ],
)
def test_a_reset_is_river_s_retraining(name, model, detector):
    """The model is replaced before it learns the sample at which the alarm came."""
    told, turn = ours(name, model, detector, "reset")
    guesses, accuracy = theirs(name, model, detector, background=False)

    assert [row["y_pred"] for row in rows(turn)] == guesses
    assert told.totals.correct / told.totals.scored == accuracy
    assert told.totals.resets == told.totals.drifts


@each_pair
@pytest.mark.parametrize("detector", LEVELS)
def test_a_warm_swap_is_river_s_retraining_in_the_background(name, model, detector):
    """It learns while the warning lasts, and at a drift it takes the old model's place."""
    policy = {"name": "warm-swap", "drop": False}
    told, turn = ours(name, model, {"name": detector, "calm": 1}, policy)
    guesses, accuracy = theirs(name, model, detector, background=True)

    assert [row["y_pred"] for row in rows(turn)] == guesses
    assert told.totals.correct / told.totals.scored == accuracy
    assert told.totals.actions.get("swap", 0) == told.totals.drifts


def test_the_streams_hold_drifts_and_warnings_that_pass():
    """So that the comparisons above compare something."""
    drifts = {d for d in DETECTORS if ours("sine", "naive-bayes", d, "reset")[0].totals.resets}
    policy = {"name": "warm-swap", "drop": False}
    told = [
        ours(n, "hoeffding-tree", {"name": d, "calm": 1}, policy)[0].totals.actions
        for n in ("segments", "sine")
        for d in ("ddm", "hddm-w")
    ]

    assert drifts >= DETECTORS.keys() - {"fhddm"}  # which hears improvements here, like River's
    assert sum(each.get("pause", 0) for each in told) >= 3
    assert sum(each.get("swap", 0) for each in told) >= 3
