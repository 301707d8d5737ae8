"""The boards as Prometheus metrics, computed when scraped.

Counters carry `partition`, and add up over it. A ratio or a mean does not add up, so those
gauges stand for a learner's partitions together; the counts they are made of are there for
each partition and window, so that sum / sum is the pooled figure again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain

from prometheus_client import (
    CollectorRegistry,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from monitor.board import ALL, FADING, Board, Figures, Part
from monitor.metrics import METRICS, Described
from stream.records import OTHER

REASONS = 24
"""Reasons of dead letters that get a series of their own, at most; the rest are OTHER."""
_REASON = re.compile(r"[a-z][a-z0-9_]{0,39}")

Labelled = tuple[tuple[str, ...], float]
"""The values of a metric's own labels, in the order of METRICS, and the metric's value."""

_GAUGE = {"accuracy": "accuracy_ratio", "mae": "mae", "rmse": "rmse"}
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
)


class BoardCollector(Collector):
    """Gives what `boards` show at the moment of a scrape."""

    def __init__(self, boards: Callable[[], Sequence[Board]]) -> None:
        self._boards = boards

    def collect(self) -> Iterator[Metric]:
        """Yield every metric, without samples where there is nothing to tell yet."""
        families = {it.name: _family(it) for it in METRICS}
        for board in self._boards():
            figures = board.figures()
            for name, (labels, value) in chain(_counters(figures), _gauges(figures)):
                families[f"driftline_{name}"].add_metric(
                    (figures.stream, figures.learner, *labels), value
                )
        yield from families.values()

    def describe(self) -> Iterable[Metric]:
        """Return the families without samples, so that registering need not collect."""
        return [_family(it) for it in METRICS]


def registry(boards: Callable[[], Sequence[Board]]) -> CollectorRegistry:
    """Return a registry of the boards and of this process, without `_created` series."""
    made = CollectorRegistry()
    made.register(BoardCollector(boards))
    ProcessCollector(registry=made)
    PlatformCollector(registry=made)
    GCCollector(registry=made)
    return made


def page(of: CollectorRegistry, accept: str = "") -> tuple[bytes, str]:
    """Return the page that Prometheus reads and its content type, as `accept` asks."""
    encode, content_type = choose_encoder(accept)
    return encode(of), content_type


def _family(it: Described) -> CounterMetricFamily | GaugeMetricFamily:
    kind = CounterMetricFamily if it.name.endswith("_total") else GaugeMetricFamily
    return kind(it.name, it.help, labels=("stream", "learner", *it.labels))


def _counters(figures: Figures) -> Iterator[tuple[str, Labelled]]:
    """Yield the counts of each partition; those of errors once the task is known."""
    yield "refused_total", ((), figures.refused)
    for p, part in figures.parts.items():
        totals, place = part.totals, (str(p),)
        for name in _COUNTS:
            yield f"{name}_total", (place, getattr(totals, name))
        for reason, count in _bounded(totals.dead).items():
            yield "dead_total", ((*place, reason), count)
        if figures.regression is None:
            continue
        yield "baseline_error_total", ((*place, "no_change"), totals.no_change_error)
        yield "baseline_error_total", ((*place, "majority"), totals.majority_error)
        if figures.regression:
            yield "absolute_error_total", (place, totals.absolute_error)
            yield "squared_error_total", (place, totals.squared_error)
        else:
            yield "correct_total", (place, totals.correct)


def _gauges(figures: Figures) -> Iterator[tuple[str, Labelled]]:
    yield "samples_per_second", ((), figures.rate)
    for p, part in figures.parts.items():
        yield from _of_partition((str(p),), part, figures.regression)
    for window in (*figures.pooled, FADING):
        for metric, value in figures.scores(window).items():
            yield f"prequential_{_GAUGE[metric]}", ((window,), value)
    metric = "mae" if figures.regression else "accuracy"
    for window in figures.pooled:
        for baseline, value in figures.baselines(window).items():
            yield f"baseline_{_GAUGE[metric]}", ((baseline, window), value)


def _of_partition(
    place: tuple[str], part: Part, regression: bool | None
) -> Iterator[tuple[str, Labelled]]:
    yield "pending_samples", (place, part.totals.pending)
    if part.lag is not None:
        yield "lag_records", (place, part.lag)
    if part.seen_at is not None:
        yield "last_outcome_timestamp_seconds", (place, part.seen_at)
    for window, sums in part.windows.items():
        # Over all rows the counters say the same.
        if window == ALL or regression is None:
            continue
        here = (*place, window)
        yield "window_scored", (here, sums.scored)
        yield "window_not_finite", (here, sums.lost)
        if regression:
            yield "window_absolute_error", (here, sums.error)
            yield "window_squared_error", (here, sums.squared)
        else:
            yield "window_correct", (here, sums.scored - sums.error)


def _bounded(dead: Mapping[str, int]) -> dict[str, int]:
    """Return the counts by reason with no more than REASONS names, and none that is odd.

    >>> _bounded({"too_large": 2, "what is this?": 1})
    {'too_large': 2, 'other': 1}
    """
    named = [reason for reason in sorted(dead) if _REASON.fullmatch(reason)][:REASONS]
    bounded = {reason: dead[reason] for reason in named}
    if rest := sum(count for reason, count in dead.items() if reason not in bounded):
        bounded[OTHER] = bounded.get(OTHER, 0) + rest
    return bounded
