"""Labels that come by a way of their own, and where to put them: behind their samples."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

from stream.errors import RecordError
from stream.records import UNSET, Record, decode
from stream.topic import Cursor, Topic, backwards

KNOWN = 100_000
"""Ids of samples remembered, as many as a learner keeps questions by default."""
HELD = 10_000
"""Labels held back at once, at most."""


class Held(NamedTuple):
    """A label that is held back: where it stands, and what must be passed to let it go."""

    partition: int
    offset: int
    label: Record
    barrier: Cursor


class Answers:
    """Which samples are there, and which labels wait for theirs.

    A label whose sample was not among the last `KNOWN` is held back: until its sample
    comes, or until all samples have been passed that were there when the label was read. Then
    it goes as it is, as it does when it is the oldest of more than `HELD`. So nothing is lost,
    and a label that was written after its sample comes after it here too.
    """

    def __init__(self, known: Iterable[str] = ()) -> None:
        self._known = dict.fromkeys(known)
        self._held: dict[tuple[int, int], Held] = {}
        self._by_id: dict[str, list[tuple[int, int]]] = {}

    def sample(self, id: str) -> Iterator[Record]:
        """Learn of a sample that was just written; yield the labels that waited for it."""
        self._known.pop(id, None)
        self._known[id] = None
        if len(self._known) > KNOWN:
            del self._known[next(iter(self._known))]
        for place in self._by_id.pop(id, ()):
            yield self._held.pop(place).label

    def label(self, held: Held) -> Iterator[Record]:
        """Take a label that was just read; yield those that go, without their samples too."""
        id = str(held.label.id)
        if id in self._known:
            yield held.label
            return
        place = held.partition, held.offset
        self._held[place] = held
        self._by_id.setdefault(id, []).append(place)

    def due(self, passed: Cursor) -> Iterator[Record]:
        """Yield the labels that go without their samples, now that these were passed."""
        while self._held:
            place, first = next(iter(self._held.items()))
            beyond = all(passed[p] >= at for p, at in first.barrier.items())
            if not beyond and len(self._held) <= HELD:
                return
            id = str(first.label.id)
            self._by_id[id].remove(place)
            if not self._by_id[id]:
                del self._by_id[id]
            yield self._held.pop(place).label

    @property
    def count(self) -> int:
        """How many labels are held back."""
        return len(self._held)

    @property
    def held(self) -> list[tuple[int, int]]:
        """Partition and offset of the labels that are held back, in order of reading."""
        return list(self._held)


def known_in(topic: Topic) -> Iterator[str]:
    """Yield the ids of the last samples of a topic of ours, up to `KNOWN`, the newest last."""
    for p in range(topic.partitions):
        ids = []
        for entry in islice(backwards(topic, p), KNOWN // topic.partitions):
            with contextlib.suppress(RecordError):
                record = decode(entry.value)
                if record.x is not UNSET:
                    ids.append(str(record.id))
        yield from reversed(ids)
