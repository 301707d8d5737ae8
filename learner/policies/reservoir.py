"""A sample of all that came by, each of it as likely kept as any other."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from learner.policies.stores import Lesson, lessons_of
from stream.records import Features, Label


class Reservoir:
    """Keeps at most `size` of the lessons added, a uniform sample of them, by a seed.

    Source: algorithm R of Vitter, "Random Sampling with a Reservoir", ACM Transactions on
    Mathematical Software 11 (1985), which gives it to Alan Waterman.

    >>> kept = Reservoir(2, seed=1)
    >>> kept.add([{"a": n} for n in range(9)], range(9))
    >>> kept.seen, len(kept.lessons)
    (9, 2)
    """

    ids: Sequence[str] = ()
    """Ids of the lessons that come next, in their order."""

    def __init__(self, size: int, seed: int) -> None:
        self.seen = 0
        self._size = size
        self._lots = random.Random(seed)
        # Which lesson it was, features and label, and its id if it has one.
        self._kept: list[tuple[Any, ...]] = []

    def add(self, xs: Sequence[Features], ys: Sequence[Label]) -> None:
        """Take lessons in their order; each may push out an older one."""
        for lesson in lessons_of(xs, ys, self.ids):
            if len(self._kept) < self._size:
                self._kept.append((self.seen, *lesson))
            elif (place := self._lots.randrange(self.seen + 1)) < self._size:
                self._kept[place] = self.seen, *lesson
            self.seen += 1

    def drop(self, id_: str) -> int:
        """Let go of lessons of an id, return how many; the next that come take their places."""
        before = len(self._kept)
        self._kept = [kept for kept in self._kept if kept[3:] != (id_,)]
        return before - len(self._kept)

    @property
    def lessons(self) -> list[Lesson]:
        """All that is kept, in the order in which it came."""
        return [(kept[1], kept[2]) for kept in sorted(self._kept, key=lambda kept: kept[0])]

    def draw(self, number: int) -> list[Lesson]:
        """Return so many of those kept, by lot and none twice; all if there are no more."""
        drawn = self._lots.sample(self._kept, min(number, len(self._kept)))
        return [(kept[1], kept[2]) for kept in drawn]

    def shuffle(self, lessons: list[Lesson]) -> None:
        """Put lessons in an order drawn by the same lots."""
        self._lots.shuffle(lessons)
