"""The curve since a learner's start: sums over buckets of rows, in bounded memory.

A row's place is how many of its partition were scored before it, which the totals of its turn
tell. So a bucket may be filled from anywhere, the newest rows first, and the curve of one who
came late is that of one who never left.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, NamedTuple

from monitor.sums import Sums, baselines, scores, total
from monitor.tally import ANOMALY, INPUT_DRIFT, REGRESSION, Added, Noted, Tally
from stream.records import Totals

POINTS = 2048
"""Buckets of a partition, at most; where there are more, two and two become one."""
FINE = 20
"""Buckets in the window of a point, as long as they need not be joined."""
EVENTS = 500
"""Events kept of a partition, the latest."""

Columns = Sequence[Sequence[float]]
Row = list[float]


class Curve(NamedTuple):
    """A curve in columns. `x` is rows scored before the point, over all partitions.

    A point stands for the last `span` rows of each partition, and lies at the end of a bucket
    of `every`, the one numbered `first` and those after it. Lines go by their names, the
    model's first, and are all there from the start; None is where rows are not known.
    """

    every: int
    span: int
    first: int
    x: list[int]
    lines: dict[str, list[float | None]]


class Buckets:
    """Sums over `every` rows each, by place; with more than `POINTS` of them, `every` doubles.

    >>> buckets = Buckets(2)
    >>> buckets.add(1, [[1, 0, 1]])
    >>> buckets.sums(0), buckets.sums(1)
    ([1, 1.0], [2, 1.0])
    """

    def __init__(self, every: int) -> None:
        self.every = every
        self._sums: dict[int, Row] = {}

    def add(self, start: int, columns: Columns) -> None:
        """Add rows by columns, the first of them at place `start`."""
        rows, at = len(columns[0]), 0
        self.reach(start + rows)
        while at < rows:
            bucket, within = divmod(start + at, self.every)
            upto = min(rows, at + self.every - within)
            self._put(bucket, [upto - at, *(total(column[at:upto]) for column in columns)])
            at = upto

    def reach(self, rows: int) -> None:
        """Make room for so many rows."""
        while rows > self.every * POINTS:
            self.widen()

    def widen(self) -> None:
        """Let each bucket hold twice as many rows."""
        narrow, self._sums = self._sums, {}
        self.every *= 2
        for bucket in sorted(narrow):
            self._put(bucket // 2, narrow[bucket])

    def sums(self, bucket: int) -> Row:
        """Return rows and sums of a bucket; an empty list where it has none."""
        return self._sums.get(bucket, [])

    def copy(self) -> Buckets:
        """Return a copy that may be widened."""
        copied = Buckets(self.every)
        copied._sums = dict(self._sums)
        return copied

    def _put(self, bucket: int, row: Row) -> None:
        before = self._sums.get(bucket)
        self._sums[bucket] = (
            row if before is None else [*map(sum, zip(before, row, strict=True))]
        )


class _Strand:
    """What is known of one partition: what has come, and what was read of the past."""

    def __init__(self, every: int, first: int) -> None:
        self.first = first
        """The first offset of the samples of which we heard as it came."""
        self.scored = 0
        self.task = ""
        self.live, self.past = Buckets(every), Buckets(every)
        self.begin: int | None = None
        """The place of the first row that came."""
        self.events: list[Noted] = []
        self.older: list[Noted] = []


class History:
    """The curve of a learner, and what happened along it.

    `window` is the length of the window of a point, in scored rows of each partition.
    """

    def __init__(self, window: int) -> None:
        self._window, self._every = window, max(1, window // FINE)
        self._strands: dict[int, _Strand] = {}

    def take(self, tally: Tally, events: Sequence[Noted]) -> None:
        """Take in the turn that a tally has just closed, with what happened in it."""
        if (totals := tally.totals) is None:
            return
        strand = self._strands.get(tally.partition)
        if strand is None or tally.anew:
            # A learner that was begun anew has a curve of its own.
            strand = self._strands[tally.partition] = _Strand(self._every, tally.first)
        strand.task, strand.scored = totals.task, totals.scored
        # Totals may tell of far more rows than have come; the curve reaches over all of them.
        strand.live.reach(totals.scored)
        if events:
            strand.events = _newest([*strand.events, *events])
        for start, columns in _placed(totals, tally.added):
            strand.begin = start if strand.begin is None else strand.begin
            strand.live.add(start, columns)

    def recall(self, tally: Tally, events: Sequence[Noted]) -> None:
        """Take in a turn of the past, in order; what came since is passed over."""
        strand, totals = self._strands.get(tally.partition), tally.totals
        if strand is None or totals is None:
            return
        if tally.anew:
            # What was recalled is of another learner, which this one replaced.
            strand.past, strand.older = Buckets(self._every), []
        if strand.task != totals.task:
            return
        if older := [event for event in events if event.offset < strand.first]:
            strand.older = _newest([*strand.older, *older])
        stop = strand.scored if strand.begin is None else strand.begin
        for start, columns in _placed(totals, tally.added):
            if (rows := min(len(columns[0]), stop - start)) > 0:
                strand.past.add(start, [column[:rows] for column in columns])

    def events(self) -> list[tuple[int, Noted]]:
        """Return the latest events, each with its place along the curve, in that order."""
        kept = chain.from_iterable((*it.older, *it.events) for it in self._strands.values())
        newest = _newest(sorted(kept, key=lambda it: (it.scored, it.partition, it.offset)))
        return [(self._place(event.scored), event) for event in newest]

    def curve(self, last: int | None = None) -> Curve:
        """Return the curve, or its `last` points; empty before there is any."""
        strands = [it for it in self._strands.values() if it.scored]
        if not strands:
            return Curve(self._every, self._window, 0, [], {})
        buckets = _evened(strands)
        every = buckets[0][0].every
        reach = math.ceil(self._window / every)
        stop = max(it.scored for it in strands) // every
        start = 0 if last is None else max(0, stop - last)
        sums = [_pooled(strands, buckets, at) for at in range(max(0, start - reach + 1), stop)]
        points = [
            _line(sums[max(0, at - reach + 1) : at + 1], strands[0].task)
            for at in range(len(sums) - (stop - start), len(sums))
        ]
        return Curve(
            every,
            reach * every,
            start,
            [self._place(every * (at + 1)) for at in range(start, stop)],
            {name: [point.get(name) for point in points] for name in _names(strands[0].task)},
        )

    def _place(self, scored: int) -> int:
        """Return how many rows lie before the row `scored` of each partition."""
        return sum(min(it.scored, scored) for it in self._strands.values())


def _newest(events: Sequence[Noted]) -> list[Noted]:
    """Return the latest events: inputs, which may move all the time, push out no others."""
    ranks = {True: 0, False: 0}
    kept = []
    for event in reversed(events):
        of_input = event.kind == INPUT_DRIFT
        ranks[of_input] += 1
        if ranks[of_input] <= EVENTS:
            kept.append(event)
    return kept[::-1]


def _placed(totals: Totals, added: Sequence[Added]) -> Iterator[tuple[int, Columns]]:
    """Yield the columns to be summed of each message of a turn, and its first row's place."""
    start = totals.scored - sum(len(each.errors) for each in added)
    for each in added:
        if start >= 0:
            yield start, _columns(each, totals.task)
        start += len(each.errors)


def _columns(added: Added, task: str) -> Columns:
    lost: Sequence[float] = added.lost or bytes(len(added.errors))
    if task != ANOMALY:
        return lost, added.errors, added.no_change, added.majority
    found = [bool(y) and not gone for y, gone in zip(added.y, lost, strict=True)]
    guesses = [guess or 0.0 for guess in added.y_pred]
    of_anomalies = [guess * it for guess, it in zip(guesses, found, strict=True)]
    of_others = [guess * (not y) for guess, y in zip(guesses, added.y, strict=True)]
    return lost, found, of_anomalies, of_others


def _evened(strands: Sequence[_Strand]) -> list[tuple[Buckets, Buckets]]:
    """Return the buckets of all partitions, made equally wide."""
    pairs = [(it.live.copy(), it.past.copy()) for it in strands]
    widest = max(each.every for pair in pairs for each in pair)
    for pair in pairs:
        for each in pair:
            while each.every < widest:
                each.widen()
    return pairs


def _pooled(
    strands: Sequence[_Strand], buckets: Sequence[tuple[Buckets, Buckets]], at: int
) -> Row | None:
    """Return the sums of a bucket over all partitions; None where a row of it is not known."""
    rows: list[Row] = []
    expected = 0
    for strand, (live, past) in zip(strands, buckets, strict=True):
        expected += min(max(0, strand.scored - at * live.every), live.every)
        rows += [found for each in (live, past) if (found := each.sums(at))]
    if not rows or sum(row[0] for row in rows) != expected:
        return None
    return [*map(total, zip(*rows, strict=True))]


def _names(task: str) -> tuple[str, ...]:
    """Return what the lines of a task are called, the model's first."""
    if task == ANOMALY:
        return "anomaly_score", "normal_score"
    return "mae" if task == REGRESSION else "accuracy", "no_change", "majority"


def _line(rows: Sequence[Row | None], task: str) -> dict[str, float | None]:
    """Return what the lines show of buckets taken together."""
    known = [row for row in rows if row is not None]
    if not known or len(known) < len(rows):
        return {}
    many, lost, *errors = map(total, zip(*known, strict=True))
    if task == ANOMALY:
        found, of_anomalies, of_others = errors
        others = many - lost - found
        return {
            "anomaly_score": _short(of_anomalies / found) if found else None,
            "normal_score": _short(of_others / others) if others > 0 else None,
        }
    sums = Sums(int(many), int(lost), errors[0], 0.0, *errors[1:])
    regression = task == REGRESSION
    means: dict[str, Any] = scores(sums, regression=regression)
    name, *_ = _names(task)
    lines: dict[str, Any] = {name: means.get(name)} | baselines(sums, regression=regression)
    return {name: value if value is None else _short(value) for name, value in lines.items()}


def _short(value: float) -> float:
    """Return a number as a picture needs it: sums made in another order show no difference."""
    return float(f"{value:.6g}")
