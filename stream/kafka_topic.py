"""A topic of Kafka, as it is read.

A reader is a consumer without a group: the cursor is the caller's, and a consumer is moved
only when it stands elsewhere.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from kafka import KafkaConsumer
from kafka import errors as refusals
from kafka.structs import TopicPartition

from stream.errors import (
    CursorExpired,
    StreamError,
    TopicFailed,
    TopicMissing,
    TopicReplaced,
    TopicTimeout,
)
from stream.kafka_cluster import LOOK, Cluster, Waiting
from stream.kafka_codecs import SwollenError
from stream.kafka_configs import retention_of
from stream.kafka_forgotten import end_forgotten, settled
from stream.kafka_growth import describe
from stream.topic import (
    Batch,
    Cursor,
    Entries,
    Entry,
    Retention,
)

T = TypeVar("T")

_SETTLE = 1.0
"""Seconds for which `end` waits for a commit to become readable."""
_BACK = 2
"""Offsets that a look for the newest record goes back at first: it, and a marker after it."""
_NEWEST = 5.0
"""Seconds that a look for the newest record waits for it."""
_DESCRIBE = 1.0
"""Seconds in which a topic that is read should be described; it is asked for again later."""
_STUCK = 20.0
"""Seconds without a record after which it is looked what may stand in the way."""
_SCAN = 10_000
"""Records of one poll of a scan, at most."""


class KafkaTopic:
    """A topic of a `KafkaLog`, to be read by one thread; see `stream.topic.Topic`."""

    def __init__(self, cluster: Cluster, name: str, partitions: int, identity: str) -> None:
        self.name, self.partitions, self.identity = name, partitions, identity
        self.places = {p: TopicPartition(name, p) for p in range(partitions)}
        self._cluster = cluster
        self._consumer: Any = None
        self._looker: Any = None
        self._stands: dict[int, int] = {}
        self._waiting = Waiting(cluster.address)
        self._moved = time.monotonic()

    def first(self) -> dict[int, int]:
        """Return the offset of the oldest record kept in each partition."""
        return self._cluster.first(self.places.values())

    def end(self) -> dict[int, int]:
        """Return the cursor after the last committed record of each partition."""
        places = list(self.places.values())
        end, whole = self._cluster.end(places, within=_SETTLE)
        if whole or not end_forgotten(self._cluster, places):
            return end
        return self._cluster.end(places, within=_SETTLE)[0]

    def refresh(self) -> None:
        """Take note of partitions that were added since. Raises `TopicReplaced`."""
        partitions, identity = describe(self._cluster, self.name, within=_DESCRIBE)
        if identity != self.identity:
            raise TopicReplaced.named(self.name)
        self.partitions = max(partitions, self.partitions)
        self.places = {p: TopicPartition(self.name, p) for p in range(self.partitions)}

    def retention(self) -> Retention:
        """Return how long records are kept, as the brokers have it configured."""
        return retention_of(self._cluster, self.name)

    def read(self, cursor: Cursor, *, limit: int, wait: float) -> Sequence[Batch]:
        """Return at most `limit` entries from `cursor` on."""
        return [Batch(*batch) for batch in self._patiently(cursor, limit, wait, _pair)]

    def read_entries(self, cursor: Cursor, *, limit: int, wait: float) -> Sequence[Entries]:
        """Return at most `limit` entries from `cursor` on, with all there is to each."""
        return [Entries(*batch) for batch in self._patiently(cursor, limit, wait, _entry)]

    def _patiently(
        self, cursor: Cursor, limit: int, wait: float, shape: Callable[[Any], T]
    ) -> list[tuple[int, list[T], int]]:
        deadline = time.monotonic() + wait
        while cursor:
            try:
                return self._read(cursor, limit, deadline, shape)
            except refusals.OffsetOutOfRangeError:
                cursor = self._within_range(cursor)
            except refusals.RetriableError:
                time.sleep(LOOK)
                if time.monotonic() > deadline:
                    return []
            except refusals.KafkaError as error:
                self._look_for_another()
                raise self._refused(error) from error
        time.sleep(max(0.0, deadline - time.monotonic()))
        return []

    def _read(
        self, cursor: Cursor, limit: int, deadline: float, shape: Callable[[Any], T]
    ) -> list[tuple[int, list[T], int]]:
        if self._consumer is None:
            left = max(0.0, deadline - time.monotonic())
            try:
                self._consumer = self._cluster.open(KafkaConsumer, within=left)
            except TopicTimeout:
                return []
        consumer = self._consumer
        # Whatever goes wrong from here on, the next read seeks anew.
        stands, self._stands = self._stands, {}
        consumer.assign([self.places[p] for p in cursor])
        for p, offset in cursor.items():
            if stands.get(p) != offset:
                consumer.seek(self.places[p], offset)
        found: dict[int, list[T]] = {}
        while True:
            # One poll mostly gives one partition; what is at hand of others comes along.
            left = 0.0 if found else deadline - time.monotonic()
            patience = round(max(0.0, min(left, LOOK)) * 1000)
            polled = consumer.poll(patience, max_records=limit)
            for place, records in polled.items():
                found.setdefault(place.partition, []).extend(map(shape, records))
                limit -= len(records)
            if polled and limit > 0:
                continue
            # Markers alone move a position, and who reads to the end must hear of it.
            stands = {p: consumer.position(self.places[p]) for p in cursor}
            if found or stands != cursor:
                self._moved = time.monotonic()
            if found or left <= 0 or stands != cursor:
                break
            self._look_around(cursor)
        self._stands = stands
        return [(p, found.get(p, []), stands[p]) for p in cursor if stands[p] != cursor[p]]

    def scan(
        self, partition: int, start: int, stop: int, *, within: float = math.inf
    ) -> Iterator[Entry]:
        """Yield the entries of `[start, stop)`."""
        patience = None if within == math.inf else within
        ends, _ = self._cluster.end([self.places[partition]], within=_SETTLE, patience=patience)
        stop = min(stop, ends[partition])
        consumer = self._cluster.open(KafkaConsumer, within=min(within, self._cluster.patience))
        try:
            yield from self._entries(consumer, partition, start, stop, within)
        finally:
            self._cluster.drop(consumer)

    def newest(self, partition: int) -> Entry | None:
        """Return the newest committed record of a partition, or None."""
        if self._looker is None:
            self._looker = self._cluster.open(KafkaConsumer, within=self._cluster.patience)
        places = [self.places[partition]]
        end, reach = self._cluster.end(places, within=_SETTLE)[0][partition], _BACK
        while True:
            first = self._cluster.first(places)[partition]
            start = max(first, end - reach)
            if start >= end:
                return None
            # Retention may take the start away meanwhile; the first is then asked anew.
            with contextlib.suppress(CursorExpired):
                entries = self._entries(self._looker, partition, start, end, within=_NEWEST)
                if found := list(entries):
                    return found[-1]
                if start == first:
                    return None
            reach *= 8

    def _entries(
        self, consumer: Any, partition: int, start: int, stop: int, within: float = math.inf
    ) -> Iterator[Entry]:
        place, deadline = self.places[partition], time.monotonic() + within
        waiting = Waiting(self._cluster.address, self._cluster)
        try:
            consumer.assign([place])
            consumer.seek(place, start)
            while (stands := consumer.position(place)) < stop:
                polled: dict[Any, list[Any]] = {}
                with contextlib.suppress(refusals.RetriableError):
                    polled = consumer.poll(round(LOOK * 1000), max_records=_SCAN)
                for record in polled.get(place, ()):
                    if record.offset >= stop:
                        return
                    yield _entry(record)
                if consumer.position(place) != stands:
                    waiting.over()
                elif time.monotonic() > deadline:
                    raise TopicTimeout(
                        f"Kafka at {self._cluster.address} did not give the next record of "
                        f"{self.name!r} within {within:g} s; look after the cluster"
                    )
                else:
                    waiting.say()
        except refusals.OffsetOutOfRangeError:
            self._within_range({partition: start})
        except refusals.KafkaError as error:
            raise self._refused(error) from error

    def _within_range(self, cursor: Cursor) -> dict[int, int]:
        """Return the part of a cursor that may be read, or raise for one that no longer may."""
        first, end = self.first(), self.end()
        for p, offset in cursor.items():
            if offset < first[p]:
                raise CursorExpired.at(self.name, p, offset, first[p])
        if any(offset > end[p] for p, offset in cursor.items()):
            self._look_for_another()
        return {p: offset for p, offset in cursor.items() if offset <= end[p]}

    def _look_for_another(self) -> None:
        """Raise `TopicReplaced` if that is why offsets are not what they were."""
        with contextlib.suppress(TopicMissing, TopicTimeout):
            self.refresh()

    def _refused(self, error: Exception) -> StreamError:
        if isinstance(error, refusals.UnsupportedCodecError):
            return TopicFailed(
                f"records of {self.name!r} are compressed in a way that cannot be read here "
                f"({error}); install python-snappy, lz4 or zstandard beside driftline"
            )
        if isinstance(error, (refusals.CorruptRecordError, SwollenError)):
            return TopicFailed(
                f"a batch of {self.name!r} on Kafka at {self._cluster.address} cannot be read "
                f"({error}); let a replica lead that has it whole, or have Kafka delete the "
                "records up to its end, and start again"
            )
        return self._cluster.refused(f"give records of {self.name!r}", error)

    def _look_around(self, cursor: Cursor) -> None:
        if self._cluster.answers(self._consumer, [self.places[p] for p in cursor]):
            self._waiting.over()
            self._look_behind(cursor)
        else:
            self._waiting.say()

    def _look_behind(self, cursor: Cursor) -> None:
        """Have ended what is open for good and keeps everybody from reading on."""
        if time.monotonic() - self._moved > _STUCK:
            self._moved = time.monotonic()
            with contextlib.suppress(TopicTimeout):
                places = [self.places[p] for p in cursor]
                settled(self._cluster, places, within=0.0, patience=_NEWEST)


def _pair(record: Any) -> tuple[int, bytes]:
    return record.offset, record.value or b""


def _entry(record: Any) -> Entry:
    headers = {name: value or b"" for name, value in record.headers}
    return Entry(
        record.offset, record.value or b"", record.key, headers, record.timestamp / 1000
    )
