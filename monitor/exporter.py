"""The boards as Prometheus metrics, computed when scraped.

Counters carry `partition`, and add up over it. A ratio or a mean does not add up, so those
gauges stand for a learner's partitions together; the counts they are made of are there for
each partition and window, so that sum / sum is the pooled figure again.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain

from monitor.arms import arms_of
from monitor.board import Board
from monitor.details import Detail, details
from monitor.figures import ALL, FADING, Figures, Part
from monitor.metrics import LABELS, METRICS
from monitor.probabilities import bin_name
from monitor.tally import ANOMALY, REGRESSION
from stream.metrics import Computed, Registry, Told
from stream.metrics import page as page
from stream.metrics import registry as registry_of
from stream.records import OTHER

REASONS = 40
"""Reasons of dead letters, or kinds of actions, that get a series each, at most; the rest are
OTHER."""
_REASON = re.compile(r"[a-z][a-z0-9_-]{0,39}")

KINDS = (
    *("background", "drop", "faster", "guess-drift", "input-drift", "joined", "not-refitted"),
    *("pause", "promotion", "promotion-ignored", "rate-restored", "refit", "reset", "slower"),
    *("split", "swap", "switch", "warning"),
)
"""Kinds of actions that are shown from 0 on, so that the first of a kind is seen to come."""

Labelled = tuple[tuple[str, ...], float]
"""The values of a metric's own labels, in the order of METRICS, and the metric's value."""

_GAUGE = {"accuracy": "accuracy_ratio", "mae": "mae", "rmse": "rmse"}
_DETAIL = {
    "kappa": "prequential_kappa",
    "balanced_accuracy": "prequential_balanced_accuracy_ratio",
    "mcc": "prequential_mcc",
    "roc_auc": "prequential_roc_auc_ratio",
    "log_loss": "prequential_log_loss",
    "brier_score": "prequential_brier_score_ratio",
    "calibration_error": "prequential_calibration_error_ratio",
    "r2": "prequential_r2",
    "smape": "prequential_smape_ratio",
    "wape": "prequential_wape_ratio",
    "rmsle": "prequential_rmsle",
    "medae": "prequential_medae",
    "accuracy_variance": "prequential_accuracy_variance",
    "accuracy_stddev": "prequential_accuracy_stddev",
    "mae_variance": "prequential_mae_variance",
    "mae_stddev": "prequential_mae_stddev",
    "average_precision": "prequential_average_precision_ratio",
    "anomalies": "anomalies_ratio",
}
_LABELLED = {
    "kappa_m": ("prequential_baseline_kappa", "majority"),
    "kappa_t": ("prequential_baseline_kappa", "no_change"),
    "normal_score": ("anomaly_score_mean", "normal"),
    "anomaly_score": ("anomaly_score_mean", "anomaly"),
}
_RESOURCES = {
    "memory_bytes": "learner_memory_bytes",
    "model_bytes": "model_bytes",
    "model_parameters": "model_parameters",
    "checkpoint_time": "checkpoint_timestamp_seconds",
    "predict_seconds": "predict_seconds",
    "learn_seconds": "learn_seconds",
    "turn_seconds": "turn_seconds",
    "commit_seconds": "commit_seconds",
    "paused": "learner_paused",
}
_SINCE = {
    "cpu_seconds": "learner_cpu_seconds_total",
    "checkpoints_refused": "checkpoints_refused_total",
    "checkpoints_failed": "checkpoints_failed_total",
}
_COUNTS = (
    "samples",
    "labelled",
    "scored",
    "not_finite",
    "drifts",
    "improvements",
    "resets",
    "marks",
    "expired",
    "late_features",
    "repeated",
    "outgrown",
)


class BoardCollector(Computed):
    """Gives what `boards` show at the moment of a scrape."""

    def __init__(self, boards: Callable[[], Sequence[Board]]) -> None:
        super().__init__(
            (it._replace(labels=(*LABELS, *it.labels)) for it in METRICS), self._all
        )
        self._boards = boards

    def _all(self) -> Told:
        for board in self._boards():
            figures = board.figures()
            whose = figures.stream, figures.learner
            for name, (labels, value) in chain(_counters(figures), _gauges(figures)):
                yield f"driftline_{name}", (*whose, *labels), value


def registry(boards: Callable[[], Sequence[Board]]) -> Registry:
    """Return a registry of the boards and of this process, without `_created` series."""
    return registry_of(BoardCollector(boards))


def _counters(figures: Figures) -> Iterator[tuple[str, Labelled]]:
    """Yield the counts of each partition; those of errors once the task is known."""
    yield "refused_total", ((), figures.refused)
    yield "monitor_records_in_total", ((), figures.read)
    yield "monitor_records_out_total", ((), figures.counted)
    done = Counter(dict.fromkeys(KINDS, 0))
    for part in figures.parts.values():
        done.update({"reset": part.totals.resets, **part.totals.actions})
    for kind, count in _bounded(done).items():
        yield "actions_total", ((kind,), count)
    for p, part in figures.parts.items():
        totals, place = part.totals, (str(p),)
        for name in _COUNTS:
            yield f"{name}_total", (place, getattr(totals, name))
        for reason, count in _bounded(totals.dead).items():
            yield "dead_total", ((*place, reason), count)
        for said, metric in _SINCE.items():
            if (count := getattr(part.resources, said)) is not None:
                yield metric, (place, count)
        yield from _arms(place, part, figures)
        if figures.task in (None, ANOMALY):
            continue
        yield "baseline_error_total", ((*place, "no_change"), totals.no_change_error)
        yield "baseline_error_total", ((*place, "majority"), totals.majority_error)
        if figures.regression:
            yield "absolute_error_total", (place, totals.absolute_error)
            yield "squared_error_total", (place, totals.squared_error)
        else:
            yield "correct_total", (place, totals.correct)


def _arms(place: tuple[str], part: Part, figures: Figures) -> Iterator[tuple[str, Labelled]]:
    """Yield what each of several models has done in a partition."""
    for arm, totals in arms_of(part.totals).items():
        here = (*place, arm)
        yield "arm_scored_total", (here, totals.scored)
        if figures.regression:
            yield "arm_absolute_error_total", (here, totals.absolute_error)
        else:
            yield "arm_correct_total", (here, totals.correct)
        if totals.fading_weight:
            yield "arm_fading_error", (here, totals.fading_error / totals.fading_weight)
        yield "arm_serving", (here, float(totals.serving))


def _gauges(figures: Figures) -> Iterator[tuple[str, Labelled]]:
    yield "samples_per_second", ((), figures.rate)
    yield "monitor_records_in_progress", ((), figures.waiting)
    if figures.about:
        yield "model_info", (figures.about, 1.0)
    for p, part in figures.parts.items():
        yield from _of_partition((str(p),), part, figures.task)
    for window in (*figures.pooled, FADING):
        for metric, value in figures.scores(window).items():
            yield f"prequential_{_GAUGE[metric]}", ((window,), value)
    metric = "mae" if figures.regression else "accuracy"
    for window in figures.pooled:
        for baseline, value in figures.baselines(window).items():
            yield f"baseline_{_GAUGE[metric]}", ((baseline, window), value)
    for window, detail in details(figures).items():
        yield from _of_window(window, detail)


def _of_window(window: str, detail: Detail) -> Iterator[tuple[str, Labelled]]:
    for name, value in detail.plain.items():
        if name in _LABELLED:
            metric, label = _LABELLED[name]
            yield metric, ((label, window), value)
        else:
            yield _DETAIL[name], ((window,), value)
    for name, averages in detail.averages.items():
        for average, value in averages.items():
            yield f"prequential_{name}_ratio", ((average, window), value)
    for found, of_class in detail.classes.items():
        for name, value in of_class.items():
            yield f"class_{name}_ratio", ((found, window), value)
    for (label, guess), count in detail.confusion.items():
        yield "confusion_rows", ((label, guess, window), count)
    for n, inside in enumerate(detail.bins):
        yield "calibration_rows", ((bin_name(n), window), inside.rows)
        yield "calibration_correct", ((bin_name(n), window), inside.right)


def _of_partition(
    place: tuple[str], part: Part, task: str | None
) -> Iterator[tuple[str, Labelled]]:
    yield "pending_samples", (place, part.totals.pending)
    if part.lag is not None:
        yield "lag_records", (place, part.lag)
    if part.behind is not None:
        yield "lag_seconds", (place, part.behind)
    for name, metric in _RESOURCES.items():
        if (value := getattr(part.resources, name)) is not None:
            yield metric, (place, value)
    if part.seen_at is not None:
        yield "last_outcome_timestamp_seconds", (place, part.seen_at)
    for window, sums in part.windows.items():
        # Over all rows the counters say the same.
        if window == ALL or task is None:
            continue
        here = (*place, window)
        yield "window_scored", (here, sums.scored)
        yield "window_not_finite", (here, sums.lost)
        if task == REGRESSION:
            yield "window_absolute_error", (here, sums.error)
            yield "window_squared_error", (here, sums.squared)
        elif task != ANOMALY:
            yield "window_correct", (here, sums.scored - sums.error)


def _bounded(counts: Mapping[str, int]) -> dict[str, int]:
    """Return counts by name with no more than REASONS names, and none that is odd.

    >>> _bounded({"too_large": 2, "what is this?": 1})
    {'too_large': 2, 'other': 1}
    """
    named = [reason for reason in sorted(counts) if _REASON.fullmatch(reason)][:REASONS]
    bounded = {reason: counts[reason] for reason in named}
    if rest := sum(count for reason, count in counts.items() if reason not in bounded):
        bounded[OTHER] = bounded.get(OTHER, 0) + rest
    return bounded
