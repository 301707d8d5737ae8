"""How a report writes figures, and what it calls them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from driftline.report.reading import Reading

_NAMES = {
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
    "mcc": "Matthews correlation",
    "roc_auc": "ROC AUC",
    "r2": "R²",
    "smape": "SMAPE",
    "wape": "WAPE",
    "rmsle": "RMSLE",
    "medae": "Median absolute error",
}


def named(name: str, task: str | None) -> str:
    """Return what a figure is called.

    >>> named("majority", "regression"), named("no_change", None), named("log_loss", None)
    ('Mean so far', 'Last label again', 'Log loss')
    """
    if name == "majority" and task == "regression":
        return "Mean so far"
    return _NAMES.get(name, name.replace("_", " ").capitalize())


def number(value: float | None) -> str:
    """Return a figure with four digits, or a dash for none.

    >>> number(0.81649), number(12), number(None)
    ('0.8165', '12', '–')
    """
    if value is None:
        return "–"
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"


def curve_says(reading: Reading) -> str:
    """Return what a point of the curve stands for."""
    span, every = reading.curve["span"], reading.curve["every"]
    partitions = len(reading.picture["parts"])
    of = f" of each of {partitions} partitions" if partitions > 1 else ""
    return f"Over the last {span:,} scored guesses{of}, a point every {every:,}"
