"""Topics read along together: all their partitions as one sequence, by the time of records.

Of the oldest records of all partitions the oldest of all comes first; of two as old, the one
of the topic named first. So the order of each partition is kept, and two topics that are read
long after they were written come as they were written. It is decided only while nothing is
missing: a partition of which nothing is at hand had nothing more when it was looked at, and
it was looked at after all that is at hand of later topics had been read.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from heapq import heapify, heappop, heapreplace

from stream.errors import CursorExpired, TopicFailed, TopicMissing, TopicTimeout
from stream.topic import Cursor, Entry, Topic

_AT_ONCE = 2000
"""Records of one read, at most."""
_MANY = 10_000
"""Records at hand beyond which only partitions are read of which none is."""
_LOOK, _IDLE = 0.1, 0.04
"""Seconds waited for a record that is there, and for one that may come."""


class Inlet:
    """One topic that is read along.

    `taken` is the offset after the last record that was given away, by partition: the cursor
    to go on from. `end` is what was there at the last look. Records from `stop` on are taken
    not to be there. What retention has removed unread is passed over and told to `say`.
    """

    def __init__(
        self,
        topic: Topic,
        cursor: Cursor,
        *,
        stop: Cursor | None = None,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        first = topic.first()
        self.topic, self._stop, self._say = topic, stop, say
        self.taken = {p: cursor.get(p, first[p]) for p in range(topic.partitions)}
        self.end: Cursor = dict(self.taken)
        self._read = dict(self.taken)
        self._waiting: dict[int, deque[Entry]] = {p: deque() for p in self.taken}
        self._pass_over()

    @property
    def idle(self) -> bool:
        """Whether nothing is at hand."""
        return not any(self._waiting.values())

    @property
    def done(self) -> bool:
        """Whether all records before `stop` were given away."""
        return self._stop is not None and all(
            self.taken[p] >= stop for p, stop in self._stop.items()
        )

    @property
    def behind(self) -> bool:
        """Whether there is a partition of which nothing is at hand, and more was there."""
        return any(map(self.missing, self._waiting))

    def missing(self, partition: int) -> bool:
        """Return whether nothing is at hand of a partition, and more was there."""
        return not self._waiting[partition] and self._read[partition] < self.end[partition]

    def look(self) -> None:
        """See what is there."""
        end = self.topic.end()
        self.end = {p: self._before(p, end[p]) for p in self.taken}

    def grow(self) -> None:
        """Take note of partitions that were added since: they are read from their beginning.

        Raises `TopicReplaced` where another topic has taken the name.
        """
        if self._stop is not None:
            return
        with contextlib.suppress(TopicFailed, TopicMissing, TopicTimeout):
            # Who reads waits for the log, and says so.
            self.topic.refresh()
        if self.topic.partitions == len(self.taken):
            return
        self._say(
            f"{self.topic.name} has grown from {len(self.taken)} to {self.topic.partitions} "
            "partitions; the new ones are read too"
        )
        for p, first in self.topic.first().items():
            self.taken.setdefault(p, first)
            self._read.setdefault(p, first)
            self._waiting.setdefault(p, deque())
        self.end = {p: self.end.get(p, at) for p, at in self.taken.items()}

    def fetch(self, wait: float) -> None:
        """Read on, waiting up to so many seconds for a first record."""
        full = sum(map(len, self._waiting.values())) > _MANY
        wanted = {
            p: at
            for p, at in self._read.items()
            if at < self._before(p, at + 1) and not (full and self._waiting[p])
        }
        try:
            batches = self.topic.read_entries(wanted, limit=_AT_ONCE, wait=wait)
        except CursorExpired:
            self._pass_over()
            return
        for p, entries, following in batches:
            waiting = self._waiting[p]
            # What came since is left to whoever goes on from here.
            self._read[p] = stop = self._before(p, following)
            waiting.extend(entry for entry in entries if entry.offset < stop)
            if not waiting:
                self.taken[p] = stop

    def oldest(self, partition: int) -> float | None:
        """Return the time of the oldest record at hand of a partition, if there is one."""
        waiting = self._waiting[partition]
        return waiting[0].timestamp if waiting else None

    def take(self, partition: int) -> Entry:
        """Give away the oldest record of a partition."""
        waiting = self._waiting[partition]
        entry = waiting.popleft()
        # Behind the last record may lie what takes up offsets and is none.
        self.taken[partition] = entry.offset + 1 if waiting else self._read[partition]
        return entry

    def _before(self, partition: int, at: int) -> int:
        return at if self._stop is None else min(at, self._stop[partition])

    def _pass_over(self) -> None:
        first = self.topic.first()
        for p, at in self._read.items():
            if at < first[p]:
                self._say(
                    f"{self.topic.name}[{p}]@{at} to {first[p] - 1} are no longer kept "
                    "and are left out; lengthen the retention of that topic"
                )
                self._read[p] = first[p]
                if not self._waiting[p]:
                    self.taken[p] = first[p]


def fill(inlets: Sequence[Inlet], stopping: Callable[[], bool]) -> bool:
    """Read until something is at hand of every partition that has more.

    Returns False when there was nothing new, after waiting a little for it. When asked to stop
    meanwhile, something may be missing.
    """
    for inlet in inlets:
        inlet.fetch(0)
    for inlet in inlets:
        if all(each.idle for each in inlets):
            inlet.fetch(_IDLE / len(inlets))
    if all(inlet.idle for inlet in inlets):
        return False
    # Backwards: what a later topic speaks of was in an earlier one before.
    for inlet in reversed(inlets):
        inlet.look()
        while inlet.behind and not stopping():
            inlet.fetch(_LOOK)
    return True


def merged(inlets: Sequence[Inlet]) -> Iterator[tuple[int, int, Entry]]:
    """Yield inlet, partition and entry, by time, until it takes more reading to decide."""
    heap = [
        (time, n, p)
        for n, inlet in enumerate(inlets)
        for p in inlet.taken
        if (time := inlet.oldest(p)) is not None
    ]
    heapify(heap)
    while heap:
        _, n, p = heap[0]
        yield n, p, inlets[n].take(p)
        if (time := inlets[n].oldest(p)) is not None:
            heapreplace(heap, (time, n, p))
        elif inlets[n].missing(p):
            return
        else:
            heappop(heap)
