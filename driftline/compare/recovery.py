"""What a known drift cost, how long it was felt, and how soon it was noticed."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

Event = tuple[int, str, dict[str, Any]]
_BACK = 0.95
"""Of what was reached before, so much is recovered."""
_DELAY = 500
"""Samples after a drift in which an alarm is for it, at least."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """What came after one drift; all places and times are in labelled samples.

    The drift begins half its `width` before its mark, which stands behind `at` samples, and
    ends half its width after it. Those are the samples that came before the mark, whenever
    their labels did: a sample is scored when its label comes, so that where these are held
    back the first of the new concept is scored long after the mark has come by. Where labels
    come out of order, concepts are mixed around that place. `before` is the accuracy, or mean
    absolute error, over the last window before it began, None where the drift before was not
    over by then, or the next comes too soon.

    `lost` is the most that a mean over half a window fell short of `before` until a window
    after the drift's end: the maximum performance loss. `recovery` is the number of samples
    from the drift's beginning until such a mean was back at 95 % of `before`, 0 where it never
    fell below in that time, None where it was not back before the next drift or the end.
    Source: Shaker and Hüllermeier, "Recovery analysis for adaptive learning from
    non-stationary data streams", Neurocomputing 150, 2015, where two pure streams take the
    place of our `before`. `extra` is how much error there was until the next drift beyond
    what `before` would have brought: for classes a number of wrong guesses.

    `delay` is the number of samples from the drift's beginning to the first alarm, None where
    none came within the acceptable delay after its end, two windows or 500 samples, whichever
    is more: Pesaranghader and Viktor, "Fast Hoeffding drift detection method for evolving data
    streams", ECML PKDD 2016.
    `alarms` are all within that time; any other alarm is false.
    """

    at: int
    kind: str
    width: int
    before: float | None
    lost: float | None
    recovery: int | None
    extra: float | None
    delay: int | None
    alarms: int


def after_drifts(
    places: Sequence[int],
    of: Sequence[int],
    errors: Sequence[float],
    events: Sequence[Event],
    *,
    window: int,
    classes: bool,
) -> list[Drift]:
    """Return what came after each marked drift of one partition.

    `places` are the offsets that brought the labels, in their order, and `of` those of the
    samples, which are the same where no label is late. `errors` are the errors of the guesses:
    0 or 1 for `classes`, else absolute, and NaN where there was none to be scored.
    """
    told = [
        (offset, details)
        for offset, kind, details in events
        if kind == "mark" and details.get("mark") == "drift"
    ]
    if not told:
        return []  # which is most streams, and sums take memory
    came = sorted(of)
    marks = [_mark(came, offset, details) for offset, details in told]
    # An alarm is heard when a label comes, a mark is met by the samples themselves.
    alarms = [bisect_right(places, offset) for offset, kind, _ in events if kind == "drift"]
    sums = _Sums(errors)
    found, over = [], 0
    ends = [mark[0] - mark[1] // 2 for mark in marks[1:]] + [len(errors)]
    for (at, width, kind), until in zip(marks, ends, strict=False):
        begin, end = max(at - width // 2, over), at + width // 2
        cost = _cost(sums, begin, end, until, window, max(over, begin - window), classes)
        last = min(end + max(2 * window, _DELAY), max(until, begin))
        heard = [alarm for alarm in alarms if begin < alarm <= last]
        found.append(
            Drift(
                at=at,
                kind=kind,
                width=width,
                delay=heard[0] - begin if heard else None,
                alarms=len(heard),
                **cost,
            )
        )
        over = min(end, until)
    return found


def false_alarms(drifts: int, after: Iterable[Drift]) -> int:
    """Return how many of all alarms came when no drift accounts for them."""
    return drifts - sum(each.alarms for each in after)


def _mark(came: Sequence[int], offset: int, details: dict[str, Any]) -> tuple[int, int, str]:
    width = details.get("width")
    # Whoever can write to the topic can write anything into a mark.
    width = width if isinstance(width, int) and 0 < width < 2**40 else 1
    return bisect_left(came, offset), width, str(details.get("kind", ""))


class _Sums:
    """Sums and means over any part of a column, right to the last digit; NaN is no value.

    In floating point a difference of sums is as exact as the larger of them, so that one huge
    error would wipe out all that comes after it. A float is a whole number of halves, quarters
    or other powers of two, so sums are whole numbers of the smallest of these that any error
    has, of which `parts` make one.
    """

    def __init__(self, errors: Sequence[float]) -> None:
        self.parts = max((_ratio(error)[1] for error in errors), default=1)
        ratios = map(_ratio, errors)
        self.sums = [0, *accumulate(n * (self.parts // of) for n, of in ratios)]
        self.counts = [0, *accumulate(not math.isnan(error) for error in errors)]

    def total(self, start: int, stop: int) -> tuple[float, int]:
        """Return the sum of a part, and how many values it has."""
        return self._sum(start, stop) / self.parts, self._count(start, stop)

    def mean(self, start: int, stop: int) -> float | None:
        """Return the mean of a part, None where it has no value."""
        count = self._count(start, stop)
        return self._sum(start, stop) / (self.parts * count) if count else None

    def _sum(self, start: int, stop: int) -> int:
        return self.sums[stop] - self.sums[start]

    def _count(self, start: int, stop: int) -> int:
        return self.counts[stop] - self.counts[start]


def _ratio(error: float) -> tuple[int, int]:
    return (0, 1) if math.isnan(error) else error.as_integer_ratio()


def _cost(
    sums: _Sums,
    begin: int,
    end: int,
    until: int,
    window: int,
    since: int,
    classes: bool,
) -> dict[str, Any]:
    """Return before, lost, recovery and extra of one drift."""
    level = sums.mean(since, begin) if since < begin < until else None
    short = max(1, window // 2)
    if level is None or until - begin < short:
        return {"before": None, "lost": None, "recovery": None, "extra": None}
    means = [sums.mean(k - short, k) for k in range(begin + short, until + 1)]
    near = means[: max(1, end - begin + window)]
    bound = 1 - _BACK * (1 - level) if classes else level / _BACK
    error, count = sums.total(begin, until)
    return {
        "before": 1 - level if classes else level,
        "lost": max([0.0, *(mean - level for mean in near if mean is not None)]),
        "recovery": _recovery(means, near, bound, short),
        "extra": error - level * count,
    }


def _recovery(
    means: Sequence[float | None], near: Sequence[float | None], bound: float, short: int
) -> int | None:
    """Return after how many samples a mean is back within `bound`.

    A model that gives no guess for so long has fallen, and is not back.
    """
    fell = next((k for k, mean in enumerate(near) if mean is None or mean > bound), None)
    if fell is None:
        return 0
    later = range(fell, len(means))
    back = next((k for k in later if (m := means[k]) is not None and m <= bound), None)
    return None if back is None else back + short
