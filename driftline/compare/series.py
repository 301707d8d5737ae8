"""How a figure went along a stream, window by window."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

Columns = tuple[Sequence[float], Sequence[float], Sequence[float]]
"""The errors of the scored rows of one partition: the model's, and those of both baselines."""


class Point(NamedTuple):
    """A window: the rows scored up to its end, and the figures over its rows.

    Accuracies in [0, 1], or mean absolute errors.
    """

    scored: int
    model: float
    no_change: float
    majority: float


def curve(partitions: Sequence[Columns], window: int, *, classes: bool) -> list[Point]:
    """Return the figures of one window of `window` rows after the other; none overlap.

    The n-th windows of several partitions count as one. The rest at the end is a window if
    it has half the rows of one, or is all there is.

    >>> curve([([0.0, 1.0, 1.0, 1.0], [1.0] * 4, [0.0] * 4)], 2, classes=True)
    [Point(scored=2, model=0.5, no_change=0.0, majority=1.0), \
Point(scored=4, model=0.0, no_change=0.0, majority=1.0)]
    """
    longest = max((len(errors) for errors, _, _ in partitions), default=0)
    points = []
    for start in range(0, longest, window):
        stop = min(start + window, longest)
        if stop - start < window / 2 and start:
            break
        parts = [[column[start:stop] for column in columns] for columns in partitions]
        rows = sum(len(part[0]) for part in parts)
        means = [math.fsum(x for part in parts for x in part[i]) / rows for i in range(3)]
        points.append(Point(stop, *((1 - mean if classes else mean) for mean in means)))
    return points


def window_of(records: int) -> int:
    """Return a window for so many records: a fortieth of them, from 50 to 1,000 samples.

    >>> window_of(20_000), window_of(1250), window_of(10**6)
    (500, 50, 1000)
    """
    return min(max(records // 40, 50), 1000)


def mean_curve(curves: Sequence[Sequence[Point]]) -> list[Point]:
    """Return the mean of several curves, as far as all of them go.

    >>> mean_curve([[Point(9, 0.0, 1.0, 0.5)], [Point(9, 1.0, 1.0, 0.5)]])
    [Point(scored=9, model=0.5, no_change=1.0, majority=0.5)]
    """
    # The shortest curve decides how many points there are.
    return [
        Point(at[0].scored, *(math.fsum(column) / len(at) for column in _columns(at)))
        for at in zip(*curves, strict=False)
    ]


def _columns(points: Sequence[Point]) -> list[tuple[float, ...]]:
    return [*zip(*(point[1:] for point in points), strict=True)]
