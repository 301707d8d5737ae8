"""Sums of errors: over the last rows of a partition, and over the last seconds.

Every accuracy and mean error here is prequential: each guess was made before its label was
known (Dawid, "Statistical theory: the prequential approach", J. R. Statist. Soc. A 147,
1984). Over a sliding window, and with a fading factor, as in Gama, Sebastião and Rodrigues,
"On evaluating stream learning algorithms", Machine Learning 90, 2013.
"""

from __future__ import annotations

import math
from array import array
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple


class Sums(NamedTuple):
    """Sums over scored rows, from which every mean follows, and which add up.

    `error`, `no_change` and `majority` sum 0 or 1 for a class, absolute errors for a
    number; `squared` sums the squares of the first. `lost` of the scored rows had a guess
    that was not finite: wrong for a class; for a number there is no error, and the mean is
    over the others.
    """

    scored: int = 0
    lost: int = 0
    error: float = 0.0
    squared: float = 0.0
    no_change: float = 0.0
    majority: float = 0.0


class Window:
    """The last `longest` scored rows of one partition, in columns.

    Adding is a copy of memory, without a sum; a sum is taken over the window itself when it
    is asked for, so that no rounding is ever carried along.

    >>> window = Window(3)
    >>> window.extend([1, 0, 0, 1], no_change=[0, 0, 1, 1], majority=[1, 1, 1, 1])
    >>> window.last(2)
    Sums(scored=2, lost=0, error=1.0, squared=1.0, no_change=2.0, majority=2.0)
    >>> window.last(5).scored
    3
    """

    def __init__(self, longest: int) -> None:
        self.longest = longest
        self._errors = array("d")
        self._no_change = array("d")
        self._majority = array("d")
        self._lost = bytearray()

    def __len__(self) -> int:
        return min(len(self._lost), self.longest)

    def extend(
        self,
        errors: Sequence[float],
        *,
        no_change: Sequence[float],
        majority: Sequence[float],
        lost: Sequence[int] | None = None,
    ) -> None:
        """Add rows, oldest first; `lost` has 1 where a guess was not finite."""
        self._errors.extend(errors)
        self._no_change.extend(no_change)
        self._majority.extend(majority)
        self._lost.extend(bytes(len(errors)) if lost is None else lost)
        # Twice the length at least between two removals: each row is moved once at most.
        if (surplus := len(self._lost) - self.longest) > self.longest:
            for column in (self._errors, self._no_change, self._majority, self._lost):
                del column[:surplus]

    def last(self, n: int) -> Sums:
        """Return the sums over the last `n` rows, exact to the last digit.

        Over fewer rows while there are no more, never over more than `longest`.
        """
        kept = len(self._lost)
        start = kept - min(n, self.longest, kept)
        errors = self._errors[start:]
        return Sums(
            scored=kept - start,
            lost=self._lost.count(1, start),
            error=total(errors),
            squared=total([error * error for error in errors]),
            no_change=total(self._no_change[start:]),
            majority=total(self._majority[start:]),
        )


def total(values: Iterable[float]) -> float:
    """Return the sum, rounded once; infinity when it is beyond what a float holds.

    >>> total([0.1] * 10), total([1e308, 1e308])
    (1.0, inf)
    """
    try:
        return math.fsum(values)
    except OverflowError:
        return math.inf


def merged(parts: Iterable[Sums]) -> Sums:
    """Return the sums over all parts together.

    >>> merged([Sums(scored=2, error=1.0), Sums(scored=3, error=2.0)])[:3]
    (5, 0, 3.0)
    """
    columns = list(zip(*parts, strict=True)) or [()] * 6
    scored, lost, *errors = columns
    return Sums(sum(scored), sum(lost), *map(total, errors))


def scores(sums: Sums, *, regression: bool) -> dict[str, float]:
    """Return the accuracy in [0, 1], or mae and rmse in the label's unit; nothing of no rows.

    >>> scores(Sums(scored=4, error=1.0), regression=False)
    {'accuracy': 0.75}
    >>> scores(Sums(scored=3, lost=1, error=7.0, squared=25.0), regression=True)
    {'mae': 3.5, 'rmse': 3.5355339059327378}
    """
    if regression:
        if not (rows := sums.scored - sums.lost):
            return {}
        return {"mae": sums.error / rows, "rmse": math.sqrt(sums.squared / rows)}
    if not sums.scored:
        return {}
    return {"accuracy": (sums.scored - sums.error) / sums.scored}


def baselines(sums: Sums, *, regression: bool) -> dict[str, float]:
    """Return what the two baselines reach over the same rows: accuracy, or mae.

    >>> baselines(Sums(scored=4, no_change=2.0, majority=3.0), regression=False)
    {'no_change': 0.5, 'majority': 0.25}
    """
    if not sums.scored:
        return {}
    errors = {"no_change": sums.no_change, "majority": sums.majority}
    if regression:
        return {name: error / sums.scored for name, error in errors.items()}
    return {name: (sums.scored - error) / sums.scored for name, error in errors.items()}


class Rate:
    """What came in a second, on average over the last `seconds`.

    >>> now = [0.0]
    >>> rate = Rate(lambda: now[0], seconds=10.0)
    >>> now[0] = 5.0; rate.add(100); rate.read()
    20.0
    >>> now[0] = 14.0; rate.read()
    10.0
    >>> now[0] = 15.0; rate.read()
    0.0
    """

    def __init__(self, clock: Callable[[], float], *, seconds: float = 10.0) -> None:
        self._clock, self._seconds = clock, seconds
        self._began = clock()
        self._came: deque[tuple[float, int]] = deque()

    def add(self, count: int) -> None:
        """Count what has come now."""
        now = self._clock()
        # A hundredth of the span is fine enough, and bounds what is kept.
        if self._came and now - self._came[-1][0] < self._seconds / 100:
            now, before = self._came.pop()
            count += before
        self._came.append((now, count))

    def read(self) -> float:
        """Return the average a second; the first second counts whole."""
        now = self._clock()
        came = sum(count for at, count in self._came.copy() if now - at < self._seconds)
        while self._came and now - self._came[0][0] >= self._seconds:
            self._came.popleft()
        return came / min(self._seconds, max(1.0, now - self._began))
