"""Where a policy keeps samples that were learned, so that some of them can be forgotten."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from stream.records import Features, Label

Lesson = tuple[Features, Label]
"""A sample as it came, and its label as the model learned it."""


class Store(Protocol):
    """Keeps lessons, each under an id where it was told one."""

    ids: Sequence[str]
    """Ids of the lessons that come next, in their order."""

    def drop(self, id_: str) -> int:
        """Let go of every lesson of an id; return how many there were."""


class Newest:
    """Keeps the newest `size` lessons.

    >>> kept = Newest(2)
    >>> kept.ids = ["a", "b", "c"]
    >>> kept.add([{"n": 1}, {"n": 2}, {"n": 3}], [True, False, True])
    >>> kept.drop("b"), kept.lessons
    (1, [({'n': 3}, True)])
    """

    def __init__(self, size: int) -> None:
        self.ids: Sequence[str] = ()
        self._kept: deque[tuple[Any, ...]] = deque(maxlen=size)

    @property
    def size(self) -> int:
        """How many it keeps at most."""
        return self._kept.maxlen or 0

    def add(self, xs: Sequence[Features], ys: Sequence[Label]) -> None:
        """Take lessons in their order, each in the place of the oldest."""
        self._kept.extend(lessons_of(xs, ys, self.ids))

    def drop(self, id_: str) -> int:
        """Let go of every lesson of an id; return how many there were."""
        before = len(self._kept)
        self._kept = deque((k for k in self._kept if k[2:] != (id_,)), self._kept.maxlen)
        return before - len(self._kept)

    @property
    def lessons(self) -> list[Lesson]:
        """All that is kept, oldest first."""
        return [(kept[0], kept[1]) for kept in self._kept]


def lessons_of(
    xs: Sequence[Features], ys: Sequence[Label], ids: Sequence[str]
) -> Iterator[tuple[Any, ...]]:
    """Yield lessons, with their ids if as many are known."""
    if len(ids) == len(xs):
        return zip(xs, ys, ids, strict=True)
    return zip(xs, ys, strict=True)
