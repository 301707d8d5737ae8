"""What figures and events are called, wherever a person reads them.

`python -m tools.names` tells the live page's scripts.
"""

from __future__ import annotations

FIGURES = {
    "accuracy": "Accuracy",
    "mae": "Mean absolute error",
    "rmse": "Root mean squared error",
    "majority": "Commonest class",
    "no_change": "Last label again",
    "anomaly_score": "Anomalies score",
    "normal_score": "Others score",
    "kappa": "Cohen's κ",
    "kappa_m": "κ against the commonest class",
    "kappa_t": "κ against the last label",
    "balanced_accuracy": "Balanced accuracy",
    "mcc": "Matthews correlation",
    "roc_auc": "ROC AUC",
    "log_loss": "Log loss",
    "brier_score": "Brier score",
    "calibration_error": "Calibration error",
    "r2": "R²",
    "smape": "SMAPE",
    "wape": "WAPE",
    "rmsle": "RMSLE",
    "medae": "Median absolute error",
    "average_precision": "Average precision",
    "anomalies": "Share of anomalies",
    "accuracy_variance": "Variance of accuracy",
    "accuracy_stddev": "Deviation of accuracy",
    "mae_variance": "Variance of the error",
    "mae_stddev": "Deviation of the error",
}
"""The names of figures and baselines, in the order in which they are shown."""
OF_NUMBERS = {"majority": "Mean so far"}
"""Where labels are numbers, the names that are others."""
EVENTS = {
    "true": "True drift",
    "heard": "Alarm",
    "done": "Action",
    "drift": "Drift detected",
    "improvement": "Better",
    "warning": "Warning",
    "calm": "Calm",
}
"""The names of events by their kind, and by their group where the kind has none."""


def named(name: str, task: str | None) -> str:
    """Return what a figure or baseline of a task is called.

    >>> named("majority", "regression"), named("no_change", None), named("not_known", None)
    ('Mean so far', 'Last label again', 'not_known')
    """
    others = OF_NUMBERS if task == "regression" else {}
    return others.get(name) or FIGURES.get(name, name)


def event_named(kind: str, group: str) -> str:
    """Return what an event of a kind is called, or else one of its group.

    >>> event_named("drift", "heard"), event_named("reset", "done")
    ('Drift detected', 'Action')
    """
    return EVENTS.get(kind) or EVENTS[group]
