"""The writing side of Apache Kafka.

A writer keeps its records until `commit` and sends them in one transaction, so that none is
open between two commits. kafka-python waits for ever in a transaction, and commits one
whose records it could not send: here a commit has a deadline, and no record goes unchecked.
"""

from __future__ import annotations

import contextlib
import functools
import queue
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from kafka import KafkaProducer
from kafka import errors as refusals
from kafka.structs import TopicPartition

from stream.errors import Fenced, StreamError, TopicFailed, TopicTimeout
from stream.kafka_cluster import ANSWER, Cluster, Waiting
from stream.kafka_forgotten import look_back, see_through, settled
from stream.kafka_growth import meet
from stream.kafka_open import is_open
from stream.topic import Cursor, Topic, backwards, partition_of

_TRANSACTION = {"transaction_timeout_ms": 10_000, "retry_backoff_ms": 5}
"""With kafka-python's own 100 ms between two tries, every other commit takes twice that."""

_PART = 1.0
"""Seconds of a commit after which it is worth a word that it takes so long."""
LOOK_FOR = 5.0
"""Seconds for which the brokers are asked who is who, before that is left open."""

Moves = tuple[Mapping[Any, Any], Any]
"""The offsets that a commit moves by topic and partition, and who in their group moves them."""


class KafkaWriter:
    """An appender to a `KafkaLog`; see `stream.topic.Writer`.

    After a failed commit it is of no further use.
    """

    def __init__(
        self, cluster: Cluster, topic: Callable[[str], Topic], name: str, *, atomic: bool
    ) -> None:
        self._cluster, self._topic, self._name, self._atomic = cluster, topic, name, atomic
        self._partitions: dict[str, int] = {}
        self._looked: set[str] = set()
        self._ends: dict[Any, int] = {}
        self._waiting: list[tuple[Any, ...]] = []
        self._failed: StreamError | None = None
        self._epoch: tuple[int, int] | None = None
        if not atomic:
            self._producer = cluster.open(KafkaProducer)
        else:
            self._producer = cluster.open(KafkaProducer, _TRANSACTION, transactional_id=name)
            if before := self._described():
                look_back(cluster, before)
            started = self._producer.init_transactions
            cluster.ask(started, f"let {name!r} write", within=float("inf"))
            if found := self._described():
                self._epoch = found.producer_id, found.producer_epoch
        self._largest: int = self._producer.config["max_request_size"]
        self._timeout = self._producer.config["transaction_timeout_ms"] / 1000

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
        """Add a record to the next commit; its `row` becomes a header.

        Raises `TopicFailed` for a record that is too large, and leaves it out.
        """
        if topic not in self._partitions:
            self._partitions[topic] = self._topic(topic).partitions
        if partition is None:
            partition = partition_of(key or b"", self._partitions[topic])
        pairs = list(headers.items()) if headers else []
        if row is not None:
            pairs += [("source", self._name.encode()), ("row", b"%d" % row)]
        if len(value) > self._largest:
            raise TopicFailed(
                f"a record of {len(value)} bytes is too large for {topic!r}, {self._largest} "
                "are allowed; raise max_request_size, and max.message.bytes of the topic"
            )
        at = round((time.time() if timestamp is None else timestamp) * 1000)
        self._waiting.append((topic, value, key, pairs, partition, at))

    def commit(self, cursors: Cursor | None = None, *, within: float = 30.0) -> None:
        """Send all that was appended, in one transaction if the writer is atomic.

        A writer of its own has no group: cursors are left to `KafkaLog.show`.
        """
        self._commit(None, within)

    def _commit(self, moves: Moves | None, within: float) -> None:
        """Send all that was appended, and move a group's offsets in the same transaction."""
        if self._failed is not None:
            raise self._failed
        if not self._waiting and moves is None:
            return
        records, self._waiting = self._waiting, []
        try:
            say = Waiting(self._cluster.address).say
            _bounded(within, lambda: self._store(records, moves, within), say)
        except queue.Empty:
            silent = self._unknown(f"gave no answer within {within:g} s")
            self._failed = self._replaced() or silent
        except StreamError as error:
            self._failed = error
        if self._failed is not None:
            self._cluster.drop(self._producer)
            raise self._failed

    def _store(
        self, records: list[tuple[Any, ...]], moves: Moves | None, within: float
    ) -> None:
        begun = time.monotonic()

        def fenced(error: Exception) -> StreamError | None:
            found = self._fenced(error)
            # The broker fences as well whose transaction it has called off for its age.
            aged = time.monotonic() - begun >= self._timeout
            if found is None and not aged and self._overtaken():
                return self._fenced(refusals.ProducerFencedError())
            if isinstance(found, Fenced) and aged:
                off = self._unknown(f"called a transaction off ({error})")
                return self._replaced() or off
            return found

        try:
            refusal = self._send(records, within)
            if refusal is None and moves is not None:
                refusal = self._move(moves)
            if self._atomic:
                end = "commit" if refusal is None else "abort"
                getattr(self._producer, f"{end}_transaction")()
        except refusals.KafkaError as error:
            raise fenced(error) or self._unknown(f"broke off ({error})") from error
        if refusal is None:
            return
        if refusal.retriable:
            raise self._unknown(f"could not store ({refusal})") from refusal
        what = f"store what {self._name!r} wrote"
        raise fenced(refusal) or self._cluster.refused(what, refusal) from refusal

    def _send(self, records: list[tuple[Any, ...]], within: float) -> Any:
        """Return what kept the first of the records from being stored; None if all are."""
        producer = self._producer
        for topic, partition in {(record[0], record[4]) for record in records}:
            meet(self._cluster, producer, topic, partition, within=within)
        if self._atomic:
            self._look_behind({record[0] for record in records}, within)
            producer.begin_transaction()
        futures = [producer.send(*record) for record in records]
        producer.flush(within)
        refusal = next((sent.exception for sent in futures if not sent.succeeded()), None)
        if self._atomic and refusal is None:
            last = {(r[0], r[4]): sent for r, sent in zip(records, futures, strict=True)}
            self._ends = {
                TopicPartition(*place): sent.value.offset + 1 for place, sent in last.items()
            }
        return refusal

    def _look_behind(self, topics: set[str], within: float) -> None:
        """See that no transaction of this name is left open where the next one may write.

        It would share the fate of that one. Raises `TopicFailed` where it stays open.
        """
        if self._epoch is None:
            return  # brokers that do not tell
        see_through(self._cluster, self._ends, self._epoch, within=within)
        for topic in topics - self._looked:
            places = _places(topic, self._partitions[topic])
            whole = settled(self._cluster, places, within=0.0)
            if not whole and is_open(self._cluster, places, self._epoch[0]):
                raise TopicFailed(
                    f"a transaction of {self._name!r} in {topic!r} has no end, and the next "
                    "would be taken for a part of it; see what was said above"
                )
            self._looked.add(topic)

    def _move(self, moves: Moves) -> Any:
        """Return what kept the offsets from being moved; None if nothing did."""
        try:
            self._producer.send_offsets_to_transaction(*moves)
        except (refusals.CommitFailedError, refusals.FencedInstanceIdError) as error:
            return error
        return None

    def _fenced(self, error: Exception) -> StreamError | None:
        kinds = refusals.ProducerFencedError, refusals.InvalidProducerEpochError
        # Once fenced, the client says so in the text of another error.
        if isinstance(error, kinds) or "ProducerFenced" in str(error):
            return Fenced.by_name(self._name)
        return None

    def _overtaken(self) -> bool:
        """Return whether another writer has begun under the name since, where that is known.

        To a commit that meets its beginning a broker may answer that it does not know.
        """
        if self._epoch is None:
            return False
        with contextlib.suppress(StreamError):
            latest = self._described(within=LOOK_FOR)
            return bool(latest) and (latest.producer_id, latest.producer_epoch) != self._epoch
        return False

    def _described(self, within: float | None = None) -> Any:
        """Return what the coordinator knows of the name; brokers before 3.0 tell None."""
        ask = functools.partial(self._cluster.admin.describe_transactions, [self._name])
        with contextlib.suppress(TopicFailed):
            what = f"describe the writer {self._name!r}"
            return self._cluster.ask(ask, what, within=within)[self._name]
        return None

    def _replaced(self) -> Fenced | None:
        """Return an error if another is known to have the name by now."""
        return None

    def _unknown(self, what: str) -> StreamError:
        return TopicTimeout(
            f"Kafka at {self._cluster.address} {what}; whether the records of {self._name!r} "
            "are stored is unknown: start again, which finds out"
        )

    def rows(self, topic: str) -> dict[int, int]:
        """Return the last committed `row` in each partition, read from its end backwards."""
        into = self._topic(topic)
        if not settled(self._cluster, _places(topic, into.partitions), within=ANSWER):
            raise TopicTimeout(
                f"a transaction in {topic!r} has been open for {ANSWER:g} s; end the writer it "
                "belongs to and start again"
            )
        found = {p: self._last_row(into, p) for p in range(into.partitions)}
        return {p: row for p, row in found.items() if row is not None}

    def _last_row(self, topic: Topic, partition: int) -> int | None:
        source = self._name.encode()
        for entry in backwards(topic, partition):
            if entry.headers.get("source") == source and "row" in entry.headers:
                return int(entry.headers["row"])
        return None

    def close(self) -> None:
        """Let go of the producer; what was not committed is dropped."""
        self._waiting.clear()
        self._cluster.drop(self._producer)


def _places(topic: str, partitions: int) -> list[Any]:
    return [TopicPartition(topic, p) for p in range(partitions)]


def _bounded(within: float, deed: Callable[[], None], say: Callable[[], None]) -> None:
    """Do what may block for ever, on a thread of its own; raise `queue.Empty` if it does.

    `say` is called now and then meanwhile.
    """
    done: queue.SimpleQueue[BaseException | None] = queue.SimpleQueue()

    def do() -> None:
        try:
            deed()
        except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
            done.put(error)
        else:
            done.put(None)

    threading.Thread(target=do, name="kafka commit", daemon=True).start()
    deadline = time.monotonic() + within
    while (left := deadline - time.monotonic()) > _PART:
        with contextlib.suppress(queue.Empty):
            error = done.get(timeout=_PART)
            break
        say()
    else:
        error = done.get(timeout=max(0.0, left))
    if error is not None:
        raise error
