"""How much comes in a second."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable


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
