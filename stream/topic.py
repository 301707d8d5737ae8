"""What we ask of a log: topics to read, writers to append with, cursors to remember.

Three logs keep these promises: memory, SQLite and Apache Kafka. One contract test holds
them to it.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import NamedTuple, Protocol

from stream.errors import CursorExpired, SettingError

Cursor = Mapping[int, int]
"""The offset of the next record to read, for each partition."""

NAME = re.compile(r"[a-z0-9-]{1,40}")
"""What a stream and a learner may be called."""

TOPIC = re.compile(r"[A-Za-z0-9._-]{1,249}")
"""What a topic may be called, by Kafka's rules."""

_TAIL, _SLICE = 1000, 64_000
"""Records looked at first, and at once at most, from the end backwards."""


class Entry(NamedTuple):
    """A record with all that the log knows of it. `timestamp` is in seconds of the epoch."""

    offset: int
    value: bytes
    key: bytes | None
    headers: dict[str, bytes]
    timestamp: float


class Batch(NamedTuple):
    """What one read gave of one partition: `(offset, value)` pairs in order of offset.

    `next` is the cursor after them. It can lie beyond the last offset + 1, and beyond the
    start of a batch without entries: Kafka's transaction markers take up offsets too.
    """

    partition: int
    entries: list[tuple[int, bytes]]
    next: int


class Entries(NamedTuple):
    """A batch of whole entries."""

    partition: int
    entries: list[Entry]
    next: int


@dataclass(frozen=True, slots=True)
class Retention:
    """How long a topic keeps its records; None keeps them for ever.

    `seconds` is their age, `size` the bytes of values kept in each partition.
    """

    seconds: float | None = None
    size: int | None = None


class Topic(Protocol):
    """A topic, for reading. It remembers no reader: a reader brings its own cursor."""

    name: str
    partitions: int
    identity: str
    """Differs between two topics of one name, as when one was deleted and made again."""

    def first(self) -> dict[int, int]:
        """Return the offset of the oldest record kept in each partition."""

    def end(self) -> dict[int, int]:
        """Return the cursor after the last committed record of each partition."""

    def refresh(self) -> None:
        """Take note of partitions that were added since; none ever goes.

        Raises `TopicReplaced` where another topic has taken the name, `TopicMissing` where
        none has it any more.
        """

    def retention(self) -> Retention:
        """Return how long records are kept, as the log itself has it now."""

    def read(self, cursor: Cursor, *, limit: int, wait: float) -> Sequence[Batch]:
        """Return at most `limit` entries of the partitions in `cursor`, from there on.

        Waits up to `wait` seconds for the first entry; returns nothing if none comes. No
        partition waits for ever behind a busier one. Raises `CursorExpired` when a cursor
        points before the oldest record kept.
        """

    def read_entries(self, cursor: Cursor, *, limit: int, wait: float) -> Sequence[Entries]:
        """Do as `read` does, with all that the log knows of each record."""

    def scan(
        self, partition: int, start: int, stop: int, *, within: float = inf
    ) -> Iterator[Entry]:
        """Yield the entries of `[start, stop)`, beside and without disturbing `read`.

        Ends at the end of the partition when `stop` lies beyond it. Raises `CursorExpired`
        when `start` lies before the oldest record kept, `TopicTimeout` after `within` seconds.
        """

    def newest(self, partition: int) -> Entry | None:
        """Return the newest committed record of a partition, or None where none is kept.

        Neither disturbs `read` nor reads more than a few records: fit to be asked once a
        second.
        """


class Writer(Protocol):
    """An appender. What it appends is readable after `commit`, all of it or none."""

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
        """Add a record to the next commit.

        Goes to `partition`, else to the partition of `key`. `row` is the writer's own
        place in whatever it copies; it must not fall within a partition.
        """

    def commit(self, cursors: Cursor | None = None, *, within: float = 30.0) -> None:
        """Make all that was appended durable and readable.

        `cursors` are the reader's positions that these records follow from: an
        `exactly_once` seat's writer stores both in one transaction, any other may leave
        them to `Log.show`. Raises `Fenced` when a newer writer of this name exists,
        `TopicTimeout` after `within` seconds; the writer is then of no further use.
        """

    def rows(self, topic: str) -> dict[int, int]:
        """Return the last committed `row` of this writer's name in each partition."""

    def close(self) -> None:
        """Let go of the log; what was not committed is dropped."""


class Crew(NamedTuple):
    """One of several processes that hold a group together, each a fixed part of it.

    The `worker`-th of `workers`, counted from 0, has each `workers`-th partition. `claim`
    is what `Log.claim` gave for all of them.
    """

    worker: int
    workers: int
    claim: int


class Share(NamedTuple):
    """The partitions that are a member's own, until its group shares them out again.

    `round` is another number after each time that it did.
    """

    round: int
    partitions: frozenset[int]


class Seat(Protocol):
    """A member's place in a group that shares out the partitions of a topic."""

    exactly_once: bool
    """Whether `writer.commit` stores records and cursors in one transaction."""

    @property
    def writer(self) -> Writer:
        """Return the writer of this member, which fences any other that has its name."""

    def share(self, *, wait: float = 0.0) -> Share | None:
        """Return what is this member's own, as the group has it now.

        Waits up to `wait` seconds while the group is busy sharing out, and returns None if
        it still is. Not to be called while a commit is under way; whatever is committed
        next counts as said by the owner of what was returned here last.
        """

    def committed(self, partitions: Iterable[int]) -> dict[int, int]:
        """Return the cursors that the group last committed, once no commit is pending."""

    def close(self) -> None:
        """Leave the group, and let go of the writer."""


class Log(Protocol):
    """A place that holds the topics of one stream."""

    stream: str
    exactly_once: bool
    """Whether seats store records and cursors in one transaction, unless asked not to."""

    def create(
        self, name: str, *, partitions: int, retention: Retention | None = None
    ) -> Topic:
        """Return the topic of that name, making it when it is missing.

        A topic that exists keeps its partitions and retention.
        """

    def topic(self, name: str) -> Topic:
        """Return an existing topic, or raise `TopicMissing`."""

    def widen(self, name: str, partitions: int) -> None:
        """Give an existing topic as many partitions, unless it has more; those are empty.

        Keys then go to other partitions than before.
        """

    def claim(self, group: str) -> int | None:
        """Take a group from whoever has it, for several processes that will hold it together.

        Whoever claims or joins it later fences all of them. Returns None where a group
        shares out its partitions by itself.
        """

    def writer(self, name: str, *, atomic: bool = True, claim: int | None = None) -> Writer:
        """Return a writer of that name, fencing any other that still has it.

        With a `claim` it fences nobody, and is fenced with all that have the same.

        Without `atomic` a log may do without the fence and store part of a commit that
        fails, where the two cost extra: for one who says everything again after a failure.
        """

    def join(
        self,
        group: str,
        topic: Topic,
        *,
        member: str | None = None,
        exactly_once: bool = True,
        crew: Crew | None = None,
    ) -> Seat:
        """Return a seat in a group of readers of a topic.

        On Kafka members of one group share the partitions; a `member` that comes again
        takes its old place, and whoever has it is `Fenced`. On the other logs, and without
        `exactly_once`, a seat has all partitions, or those of its place in a `crew`, and a
        newer one of the group fences it where a log knows writers apart.
        """

    def committed(self, group: str) -> dict[int, int]:
        """Return the cursors that `group` last committed or showed; empty before the first."""

    def groups(self) -> list[str]:
        """Return the names, sorted, of whatever has committed or shown cursors here."""

    def show(self, group: str, cursors: Cursor) -> None:
        """Let the log's own tools see how far `group` has come."""

    def heed(self, stopping: Callable[[], bool]) -> Callable[[], None]:
        """Wait for a log that is away no longer than until `stopping`; return what undoes it.

        Whatever waits then raises `TopicTimeout`. Of several each is heeded.
        """

    def hold(self, group: str, cursors: Cursor) -> None:
        """Keep retention from removing what a restart of `group` would read again.

        Kafka has no such means; there retention must be long enough.
        """

    def close(self) -> None:
        """Let go of the log."""


def check_name(name: str, what: str) -> str:
    """Return `name`, or raise `SettingError` when a `what` may not be called so."""
    if not NAME.fullmatch(name):
        raise SettingError(
            f"{what} {name!r} must be 1 to 40 of a-z, 0-9 and '-'; choose another"
        )
    return name


def samples_of(stream: str) -> str:
    """Return the name of a stream's topic of samples."""
    return f"{stream}.samples"


def group_of(stream: str, learner: str) -> str:
    """Return the name under which a learner's cursors are kept."""
    return f"driftline.{stream}.{learner}"


def topic_of(stream: str, learner: str, kind: str) -> str:
    """Return the name of a learner's topic; `kind` is outcomes, predictions or dead.

    >>> topic_of("orders", "main", "outcomes")
    'orders.main.outcomes'
    """
    return f"{stream}.{learner}.{kind}"


def backwards(topic: Topic, partition: int) -> Iterator[Entry]:
    """Yield the entries of a partition from its end on backwards, as far as they are kept."""
    stop, step = topic.end()[partition], _TAIL
    while stop > (first := topic.first()[partition]):
        start, found = max(first, stop - step), None
        # What retention takes meanwhile is asked for again, from what is then first.
        with contextlib.suppress(CursorExpired):
            found = list(topic.scan(partition, start, stop))
        if found is not None:
            yield from reversed(found)
            stop, step = start, min(4 * step, _SLICE)


def partition_of(key: bytes, partitions: int) -> int:
    """Return the partition of a key: Kafka's default, murmur2 as in its Java client.

    Source: Austin Appleby, MurmurHash2, with the seed and sign mask of
    `org.apache.kafka.common.utils.Utils`.

    >>> [partition_of(str(n).encode(), 4) for n in range(6)]
    [0, 3, 0, 3, 1, 2]
    """
    if partitions == 1:
        return 0
    m, length = 0x5BD1E995, len(key)
    h = 0x9747B28C ^ length
    for i in range(0, length & ~3, 4):
        k = int.from_bytes(key[i : i + 4], "little") * m & 0xFFFFFFFF
        h = (h * m & 0xFFFFFFFF) ^ ((k ^ k >> 24) * m & 0xFFFFFFFF)
    if tail := key[length & ~3 :]:
        h = (h ^ int.from_bytes(tail, "little")) * m & 0xFFFFFFFF
    h = (h ^ h >> 13) * m & 0xFFFFFFFF
    return ((h ^ h >> 15) & 0x7FFFFFFF) % partitions


@contextlib.contextmanager
def heeding(log: Log, stopping: Callable[[], bool]) -> Iterator[None]:
    """Let a log heed `stopping`, and no longer than this lasts; see `Log.heed`."""
    heed_no_longer = log.heed(stopping)
    try:
        yield
    finally:
        heed_no_longer()
