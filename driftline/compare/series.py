"""How a figure went along a stream, window by window."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import NamedTuple

Columns = tuple[Sequence[float], Sequence[float], Sequence[float]]
"""The errors of the labelled samples of one partition, the model's and those of both baselines.

0 or 1 for a class, absolute for a number; NaN where there was no guess to be scored.
"""


class Point(NamedTuple):
    """A window: the labelled samples up to its end, and the figures over its rows.

    Accuracies in [0, 1], or mean absolute errors; None where no guess was scored.
    """

    samples: int
    model: float | None
    no_change: float | None
    majority: float | None


def curve(partitions: Sequence[Columns], window: int, *, classes: bool) -> list[Point]:
    """Return the figures of one window of `window` samples after the other; none overlap.

    The n-th windows of several partitions count as one. The rest at the end is a window if
    it has half the samples of one, or is all there is.

    >>> curve([([0.0, 1.0, 1.0, 1.0], [1.0] * 4, [0.0] * 4)], 4, classes=True)
    [Point(samples=4, model=0.25, no_change=0.0, majority=1.0)]
    """
    longest = max((len(errors) for errors, _, _ in partitions), default=0)
    points = []
    for start in range(0, longest, window):
        stop = min(start + window, longest)
        if stop - start < window / 2 and start:
            break
        parts = [[column[start:stop] for column in each] for each in partitions]
        columns = [[*chain(*column)] for column in zip(*parts, strict=True)]
        if classes:
            columns = [[1.0 - error for error in column] for column in columns]
        points.append(Point(stop, *map(mean_of, columns)))
    return points


def mean_of(values: Iterable[float | None]) -> float | None:
    """Return the mean of the numbers among some values, None where there is none.

    >>> mean_of([0.25, None, 0.75, math.nan]), mean_of([None])
    (0.5, None)
    """
    found = [value for value in values if value is not None and not math.isnan(value)]
    return math.fsum(found) / len(found) if found else None


def window_of(records: int) -> int:
    """Return a window for so many records: a fortieth of them, from 50 to 1,000 samples.

    >>> window_of(20_000), window_of(1250), window_of(10**6)
    (500, 50, 1000)
    """
    return min(max(records // 40, 50), 1000)


def mean_curve(curves: Sequence[Sequence[Point]]) -> list[Point]:
    """Return the mean of several curves, as far as all of them go.

    >>> mean_curve([[Point(9, 0.0, 1.0, 0.5)], [Point(9, 1.0, 1.0, 0.5)]])
    [Point(samples=9, model=0.5, no_change=1.0, majority=0.5)]
    """
    # The shortest curve decides how many points there are.
    return [
        Point(at[0].samples, *(mean_of(column) for column in _columns(at)))
        for at in zip(*curves, strict=False)
    ]


def _columns(points: Sequence[Point]) -> list[tuple[float | None, ...]]:
    return [*zip(*(point[1:] for point in points), strict=True)]
