"""The names of all metrics, and what each one says."""

from __future__ import annotations

from typing import NamedTuple

_PARTITION = ("partition",)
_WINDOW = ("window",)
_EITHER = ("partition", "window")
_BASELINE = ("baseline", "window")


class Described(NamedTuple):
    """A metric's name, help, and labels beyond `stream` and `learner`."""

    name: str
    help: str
    labels: tuple[str, ...]


METRICS = tuple(
    Described(f"driftline_{name}", text, labels)
    for name, text, labels in (
        ("samples_total", "Samples shown to the model.", _PARTITION),
        ("labelled_total", "Samples whose label has come.", _PARTITION),
        ("scored_total", "Labelled samples that had a guess to score.", _PARTITION),
        ("correct_total", "Scored guesses that equalled the label.", _PARTITION),
        ("not_finite_total", "Scored guesses that were not finite.", _PARTITION),
        ("absolute_error_total", "Sum of absolute errors of scored guesses.", _PARTITION),
        ("squared_error_total", "Sum of squared errors of scored guesses.", _PARTITION),
        (
            "baseline_error_total",
            "Sum of a baseline's errors over the scored: 0 or 1 for a class, else absolute.",
            ("partition", "baseline"),
        ),
        ("drifts_total", "Drifts for the worse that the detector saw.", _PARTITION),
        ("improvements_total", "Changes for the better that the detector saw.", _PARTITION),
        ("resets_total", "Models replaced by a fresh one.", _PARTITION),
        ("marks_total", "True drifts that the source has marked.", _PARTITION),
        ("dead_total", "Records refused and filed as dead letters.", ("partition", "reason")),
        ("expired_total", "Samples given up whose label never came.", _PARTITION),
        (
            "late_features_total",
            "Values ignored, as their feature or category came too late for the model.",
            _PARTITION,
        ),
        ("repeated_total", "Labels that brought their features once more.", _PARTITION),
        ("refused_total", "Messages this monitor could not read as outcomes.", ()),
        (
            "prequential_accuracy_ratio",
            "Share of right guesses among the last scored, all, or fading; 0 to 1.",
            _WINDOW,
        ),
        ("prequential_mae", "Mean absolute error, in the label's unit.", _WINDOW),
        ("prequential_rmse", "Root of the mean squared error, in the label's unit.", _WINDOW),
        (
            "baseline_accuracy_ratio",
            "Share of right guesses of a baseline over the same rows; 0 to 1.",
            _BASELINE,
        ),
        ("baseline_mae", "Mean absolute error of a baseline over the same rows.", _BASELINE),
        ("window_scored", "Scored rows in a window.", _EITHER),
        ("window_correct", "Right guesses in a window.", _EITHER),
        ("window_absolute_error", "Sum of absolute errors in a window.", _EITHER),
        ("window_squared_error", "Sum of squared errors in a window.", _EITHER),
        ("window_not_finite", "Guesses in a window that were not finite.", _EITHER),
        ("pending_samples", "Samples that wait for their label.", _PARTITION),
        ("lag_records", "Records of the samples that no outcome accounts for yet.", _PARTITION),
        ("samples_per_second", "Samples learned a second, over the last 10 s.", ()),
        ("last_outcome_timestamp_seconds", "When the newest outcomes came.", _PARTITION),
    )
)
"""Every metric, in the order of the page; all carry `stream` and `learner` as well."""
