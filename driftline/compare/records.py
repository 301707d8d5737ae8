"""The records that a comparison is over: a range of a topic, or a data set made into one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from stream.connect import connect
from stream.errors import SettingError
from stream.records import Label
from stream.span import Span, span
from stream.told import declared
from stream.topic import Batch, Log, samples_of

if TYPE_CHECKING:
    from producer.replay import Progress, Replay

PIECE = 2000
"""Records learned between two looks around; where they are cut shows nowhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """A range of a topic, by its address: each process opens it for itself, to read.

    `topic` is None for the samples of the stream. `kafka` are settings of kafka-python.
    """

    address: str
    span: Span
    topic: str | None = None
    kafka: Mapping[str, object] | None = None

    def __len__(self) -> int:
        """Return how many offsets the range has."""
        return sum(stop - self.span.start[p] for p, stop in self.span.stop.items())

    def open(self) -> Log:
        """Return the log, opened in a way that changes nothing."""
        return connect(self.address, kafka=self.kafka, create=False, look=True)

    def declared(self, log: Log, partition: int) -> list[Label]:
        """Return the classes that were declared before a partition's range."""
        topic = log.topic(self.topic or samples_of(log.stream))
        return declared(topic, partition, self.span.start[partition])

    def batches(self, log: Log, partition: int) -> Iterator[Batch]:
        """Yield the records of one partition's range, some at a time.

        Raises `CursorExpired` where retention has taken the first of them meanwhile.
        """
        topic = log.topic(self.topic or samples_of(log.stream))
        start, stop = self.span.start[partition], self.span.stop[partition]
        entries = topic.scan(partition, start, stop)
        while piece := [(entry.offset, entry.value) for entry in islice(entries, PIECE)]:
            yield Batch(partition, piece, piece[-1][0] + 1)


def of_stream(
    address: str,
    *,
    begin: str | None = None,
    end: str | None = None,
    limit: int | None = None,
    topic: str | None = None,
    kafka: Mapping[str, object] | None = None,
) -> Records:
    """Return the range of a stream's samples, or of another `topic` on its log.

    It has at most `limit` offsets of each partition. Raises `SettingError`, `TopicMissing`
    and `CursorExpired`.
    """
    with closing(connect(address, kafka=kafka, create=False, look=True)) as log:
        found = span(log.topic(topic or samples_of(log.stream)), begin, end)
    if limit is not None:
        found = Span(
            found.start, {p: min(at, found.start[p] + limit) for p, at in found.stop.items()}
        )
    return Records(address=address, span=found, topic=topic, kafka=kafka)


def of_source(
    replay: Replay,
    path: Path,
    *,
    stopping: Callable[[], bool] = lambda: False,
    progress: Callable[[Progress], None] = lambda _: None,
    say: Callable[[str], None] = lambda _: None,
) -> Records:
    """Write a data set, as 'driftline produce' does, into an embedded log at `path`.

    Raises `SettingError`, also for a source that has no end.
    """
    from producer.replay import produce
    from stream.sqlite import SqliteLog

    if replay.limit is None and (is_endless(replay.source) or not replay.loop):
        raise SettingError(f"{replay.source!r} has no end; give --limit")

    # The file is gone at the end, so that a power cut may take it.
    with closing(SqliteLog(path, sync="NORMAL")) as log:
        produce(log, replay, stopping=stopping, progress=progress, say=say)
    return of_stream(f"sqlite:{path}")


def varies(replay: Replay) -> bool:
    """Return whether another seed makes it another data set."""
    return replay.shuffle or is_generator(replay.source)


def is_endless(source: str) -> bool:
    """Return whether a source brings samples for ever."""
    from producer.sources.table import open_source

    return is_generator(source) and open_source(source).rows_known is None


def is_generator(source: str) -> bool:
    """Return whether a source draws its samples, by a seed.

    >>> is_generator("synth:Sine(seed=4)"), is_generator("river:Phishing")
    (True, False)
    """
    from producer.sources.table import SCHEMES

    kind, colon, _ = source.partition(":")
    return bool(colon) and kind in SCHEMES and SCHEMES[kind].drifting
