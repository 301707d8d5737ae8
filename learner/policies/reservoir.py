"""A sample of all that came by, each of it as likely kept as any other."""

from __future__ import annotations

import random
from collections.abc import Sequence

from stream.records import Features, Label

Lesson = tuple[Features, Label]
"""A sample as it came, and its label as the model learned it."""


class Reservoir:
    """Keeps at most `size` of the lessons added, a uniform sample of them, by a seed.

    Source: algorithm R of Vitter, "Random Sampling with a Reservoir", ACM Transactions on
    Mathematical Software 11 (1985), which gives it to Alan Waterman.

    >>> kept = Reservoir(2, seed=1)
    >>> kept.add([{"a": n} for n in range(9)], range(9))
    >>> kept.seen, len(kept.lessons)
    (9, 2)
    """

    def __init__(self, size: int, seed: int) -> None:
        self.seen = 0
        self._size = size
        self._lots = random.Random(seed)
        self._kept: list[tuple[int, Features, Label]] = []

    def add(self, xs: Sequence[Features], ys: Sequence[Label]) -> None:
        """Take lessons in their order; each may push out an older one."""
        for x, y in zip(xs, ys, strict=True):
            if len(self._kept) < self._size:
                self._kept.append((self.seen, x, y))
            elif (place := self._lots.randrange(self.seen + 1)) < self._size:
                self._kept[place] = self.seen, x, y
            self.seen += 1

    @property
    def lessons(self) -> list[Lesson]:
        """All that is kept, in the order in which it came."""
        return [(x, y) for _, x, y in sorted(self._kept, key=lambda kept: kept[0])]

    def draw(self, number: int) -> list[Lesson]:
        """Return so many of those kept, by lot and none twice; all if there are no more."""
        drawn = self._lots.sample(self._kept, min(number, len(self._kept)))
        return [(x, y) for _, x, y in drawn]

    def shuffle(self, lessons: list[Lesson]) -> None:
        """Put lessons in an order drawn by the same lots."""
        self._lots.shuffle(lessons)
