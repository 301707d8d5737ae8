"""A log in memory: for tests, for trying things out, for one process."""

from __future__ import annotations

import math
import operator
import threading
import time
import uuid
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from stream.errors import CursorExpired, Fenced, TopicMissing
from stream.seats import Alone
from stream.topic import Batch, Crew, Cursor, Entries, Entry, Retention, Topic, partition_of


@dataclass
class MemoryTopic:
    """A topic held in lists, one a partition; see `stream.topic.Topic`."""

    name: str
    partitions: int
    changed: threading.Condition
    keeps: Retention = field(default_factory=Retention)
    identity: str = field(default_factory=lambda: uuid.uuid4().hex)

    def __post_init__(self) -> None:
        """Start every partition empty."""
        self.kept: list[list[Entry]] = [[] for _ in range(self.partitions)]
        self.next = [0] * self.partitions
        self._turn = 0

    def refresh(self) -> None:
        """Do nothing: there is one object for a topic, and it knows."""

    def widen(self, partitions: int) -> None:
        """Begin further partitions, up to so many."""
        with self.changed:
            more = max(0, partitions - self.partitions)
            self.kept += [[] for _ in range(more)]
            self.next += [0] * more
            self.partitions += more

    def first(self) -> dict[int, int]:
        """Return the offset of the oldest record kept in each partition."""
        with self.changed:
            return {
                p: kept[0].offset if kept else self.next[p] for p, kept in enumerate(self.kept)
            }

    def end(self) -> dict[int, int]:
        """Return the cursor after the last record of each partition."""
        with self.changed:
            return dict(enumerate(self.next))

    def retention(self) -> Retention:
        """Return how long records are kept."""
        return self.keeps

    def read(self, cursor: Cursor, *, limit: int, wait: float) -> Sequence[Batch]:
        """Return at most `limit` entries from `cursor` on."""
        return [
            Batch(p, [(entry.offset, entry.value) for entry in entries], next_)
            for p, entries, next_ in self.read_entries(cursor, limit=limit, wait=wait)
        ]

    def read_entries(self, cursor: Cursor, *, limit: int, wait: float) -> Sequence[Entries]:
        """Return at most `limit` entries from `cursor` on, with all there is to each."""
        with self.changed:
            self.changed.wait_for(lambda: self._behind(cursor), timeout=wait)
            # Those behind share the limit and take turns at its odd rest: none starves.
            behind = self._behind(cursor)
            self._turn += 1
            batches = []
            for left in range(len(behind), 0, -1):
                p = behind[(self._turn + left) % len(behind)]
                if share := -(-limit // left):
                    entries = self._slice(p, cursor[p], self.next[p])[:share]
                    batches.append(Entries(p, entries, entries[-1].offset + 1))
                    limit -= len(entries)
            return batches

    def scan(
        self, partition: int, start: int, stop: int, *, within: float = math.inf
    ) -> Iterator[Entry]:
        """Yield the entries of `[start, stop)`."""
        with self.changed:
            found = self._slice(partition, start, stop)
        yield from found

    def newest(self, partition: int) -> Entry | None:
        """Return the newest record of a partition, or None."""
        with self.changed:
            kept = self.kept[partition]
            return kept[-1] if kept else None

    def drop(self, partition: int, before: int) -> None:
        """Forget the records of a partition before an offset, as retention would."""
        with self.changed:
            kept = self.kept[partition]
            del kept[: bisect_left(kept, before, key=lambda entry: entry.offset)]

    def _behind(self, cursor: Cursor) -> list[int]:
        return [p for p in cursor if cursor[p] < self.next[p]]

    def _slice(self, partition: int, start: int, stop: int) -> list[Entry]:
        if start < (oldest := self.first()[partition]):
            raise CursorExpired.at(self.name, partition, start, oldest)
        kept = self.kept[partition]
        offset = operator.attrgetter("offset")
        return kept[bisect_left(kept, start, key=offset) : bisect_left(kept, stop, key=offset)]


class MemoryLog:
    """A log in this process's memory; see `stream.topic.Log`."""

    exactly_once = True

    def __init__(self, stream: str = "memory") -> None:
        self.stream = stream
        self._topics: dict[str, MemoryTopic] = {}
        self._changed = threading.Condition()
        self._cursors: dict[str, dict[int, int]] = defaultdict(dict)
        self._rows: dict[tuple[str, str], dict[int, int]] = defaultdict(dict)
        self._epochs: dict[str, int] = defaultdict(int)

    def create(
        self, name: str, *, partitions: int, retention: Retention | None = None
    ) -> MemoryTopic:
        """Return the topic of that name, making it when it is missing."""
        with self._changed:
            if name not in self._topics:
                self._topics[name] = MemoryTopic(
                    name, partitions, self._changed, retention or Retention()
                )
            return self._topics[name]

    def topic(self, name: str) -> MemoryTopic:
        """Return an existing topic, or raise `TopicMissing`."""
        try:
            return self._topics[name]
        except KeyError:
            raise TopicMissing.named(name, "this log") from None

    def widen(self, name: str, partitions: int) -> None:
        """Give an existing topic as many partitions, unless it has more."""
        self.topic(name).widen(partitions)

    def claim(self, group: str) -> int:
        """Take a group from whoever has it."""
        with self._changed:
            self._epochs[group] += 1
            return self._epochs[group]

    def writer(
        self, name: str, *, atomic: bool = True, claim: int | None = None
    ) -> MemoryWriter:
        """Return a writer of that name, fencing any other but those of its claim."""
        return MemoryWriter(self, name, self.claim(name) if claim is None else claim)

    def join(
        self,
        group: str,
        topic: Topic,
        *,
        member: str | None = None,
        exactly_once: bool = True,
        crew: Crew | None = None,
    ) -> Alone:
        """Return a seat with all partitions or its crew's share, fencing whoever had them."""
        return Alone(self, group, topic, exactly_once=self.exactly_once, crew=crew)

    def committed(self, group: str) -> dict[int, int]:
        """Return the cursors that `group` last committed."""
        return dict(self._cursors[group])

    def groups(self) -> list[str]:
        """Return the names of whatever has committed cursors."""
        return sorted(group for group, cursors in self._cursors.items() if cursors)

    def show(self, group: str, cursors: Cursor) -> None:
        """Do nothing: committed cursors are there to see already."""

    def heed(self, stopping: Callable[[], bool]) -> Callable[[], None]:
        """Do nothing: nobody is waited for here without end."""
        return lambda: None

    def hold(self, group: str, cursors: Cursor) -> None:
        """Do nothing: only `MemoryTopic.drop` removes anything here."""

    def close(self) -> None:
        """Do nothing: the records go with the object."""


class MemoryWriter:
    """An appender to a `MemoryLog`; see `stream.topic.Writer`."""

    def __init__(self, log: MemoryLog, name: str, epoch: int) -> None:
        self._log, self._name, self._epoch = log, name, epoch
        self._waiting: list[tuple[MemoryTopic, int, Entry, int | None]] = []

    def append(
        self,
        topic: str,
        value: bytes,
        *,
        partition: int | None = None,
        key: bytes | None = None,
        headers: Mapping[str, bytes] | None = None,
        row: int | None = None,
        timestamp: float | None = None,
    ) -> None:
        """Add a record to the next commit."""
        into = self._log.topic(topic)
        if partition is None:
            partition = partition_of(key or b"", into.partitions)
        at = time.time() if timestamp is None else timestamp
        entry = Entry(-1, value, key, dict(headers or {}), at)
        self._waiting.append((into, partition, entry, row))

    def commit(self, cursors: Cursor | None = None, *, within: float = 30.0) -> None:
        """Make all that was appended readable, with the cursors, in one step."""
        log = self._log
        with log._changed:
            if log._epochs[self._name] != self._epoch:
                raise Fenced.by_name(self._name)
            for topic, p, entry, row in self._waiting:
                topic.kept[p].append(entry._replace(offset=topic.next[p]))
                topic.next[p] += 1
                if row is not None:
                    log._rows[self._name, topic.name][p] = row
            log._cursors[self._name].update(cursors or {})
            self._waiting.clear()
            log._changed.notify_all()

    def rows(self, topic: str) -> dict[int, int]:
        """Return the last committed `row` in each partition."""
        return dict(self._log._rows[self._name, topic])

    def close(self) -> None:
        """Drop what was not committed."""
        self._waiting.clear()
