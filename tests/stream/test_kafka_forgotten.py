"""Transactions that Kafka has forgotten to end: ended, and only they.

The broker here does not verify what it stores, so that a client can write records of which
no coordinator knows: that is how a partition looks whose mark was left out.
"""

import contextlib
import gc
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from kafka import KafkaProducer
from kafka import errors as refusals
from kafka.producer import transaction_manager
from kafka.structs import OffsetAndMetadata, TopicPartition

from stream import kafka, kafka_forgotten, kafka_writer
from stream.errors import TopicFailed
from stream.kafka import KafkaLog
from stream.kafka_forgotten import end_forgotten, forgotten
from tests.stream.seating import Sit, settle
from tools.kafka import Broker

pytestmark = [
    pytest.mark.kafka,
    pytest.mark.filterwarnings("ignore:unclosed <.*[sS]ocket:ResourceWarning"),
]

Patch = pytest.MonkeyPatch


@pytest.fixture(autouse=True)
def _collect_sockets() -> Iterator[None]:
    """Let the garbage of a test be found while its warnings are ignored."""
    yield
    gc.collect()


@pytest.fixture(scope="module")
def trusting(start_broker: Callable[..., Broker]) -> str:
    """Give the address of a broker that believes its clients."""
    return start_broker(transaction__partition__verification__enable="false").address


@pytest.fixture
def log(trusting: str) -> Iterator[KafkaLog]:
    """Give an empty log on that broker."""
    with contextlib.closing(KafkaLog([trusting], f"t-{uuid.uuid4().hex[:12]}")) as log:
        yield log


@pytest.fixture
def begin(trusting: str) -> Iterator[Callable[..., Any]]:
    """Give a way to open a transaction, known to its coordinator or forgotten by it."""
    with contextlib.ExitStack() as opened:

        def begin(name: str, topic: str, value: bytes, *, known: bool) -> Any:
            producer = KafkaProducer(bootstrap_servers=trusting, transactional_id=name)
            opened.callback(_leave, producer)
            producer.init_transactions()
            producer.begin_transaction()
            if not known:
                manager = producer._transaction_manager
                manager._partitions_in_transaction.add(TopicPartition(topic, 0))
            producer.send(topic, value, partition=0).get(10)
            return producer

        yield begin


def _leave(producer: Any) -> None:
    """End a producer as a crash would: its transaction stays as it is."""
    producer._sender.force_close()
    with contextlib.suppress(refusals.KafkaError):
        producer.close(timeout=1)


def written(log: KafkaLog, name: str, value: bytes, topic: str) -> None:
    """Write a record by a writer of that name."""
    writer = log.writer(name)
    writer.append(topic, value, partition=0)
    writer.commit()
    writer.close()


def values(log: KafkaLog, topic: str) -> list[bytes]:
    """Return all that a reader gets to see."""
    return [entry.value for entry in log.topic(topic).scan(0, 0, 2**40)]


@pytest.mark.parametrize("guarded", [True, False])
def test_what_was_never_committed_is_not_committed_with_the_next(
    log: KafkaLog, begin: Any, monkeypatch: Patch, guarded: bool
) -> None:
    """Left alone, a writer's next commit makes seen what its last life had left open."""
    topic = log.create(f"{log.stream}.a", partitions=1).name
    if not guarded:
        monkeypatch.setattr(kafka_writer, "settled", lambda *_, **__: True)
    begin(f"{log.stream}.w", topic, b"never", known=False)
    written(log, f"{log.stream}.w", b"said", topic)
    assert values(log, topic) == ([b"said"] if guarded else [b"never", b"said"])


def test_a_dead_writer_of_another_name_keeps_nobody_waiting(
    log: KafkaLog, begin: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Who writes to a topic ends what others have left open there for good, and says so."""
    topic = log.create(f"{log.stream}.a", partitions=1).name
    begin(f"{log.stream}.dead", topic, b"never", known=False)
    written(log, f"{log.stream}.w", b"said", topic)
    assert values(log, topic) == [b"said"]
    assert (
        f"forgot to end a transaction in {topic!r}, partition 0, from offset 0" in caplog.text
    )


def test_a_reader_gets_past_it_where_nobody_writes(
    log: KafkaLog, begin: Any, monkeypatch: Patch
) -> None:
    """A reader that has seen nothing for a while looks what stands in its way."""
    topic = log.create(f"{log.stream}.a", partitions=1).name
    begin(f"{log.stream}.dead", topic, b"never", known=False)
    monkeypatch.setattr(kafka_writer, "settled", lambda *_, **__: True)
    written(log, f"{log.stream}.w", b"said", topic)
    monkeypatch.setattr(kafka, "_STUCK", 2.0)
    reader = log.topic(topic)
    assert reader.read({0: 0}, limit=10, wait=0.5) == []
    looks = (reader.read({0: 0}, limit=10, wait=0.5) for _ in range(40))
    (batch,) = next(found for found in looks if found and found[0].entries)
    assert [value for _, value in batch.entries] == [b"said"]


def test_a_transaction_under_way_is_left_alone(log: KafkaLog, begin: Any) -> None:
    """Of one that its coordinator knows, and of an aborted one, nothing is forgotten."""
    topic = log.create(f"{log.stream}.a", partitions=1).name
    places = [TopicPartition(topic, 0)]
    alive = begin(f"{log.stream}.w", topic, b"slow", known=True)
    assert end_forgotten(log.cluster, places) == 0
    written(log, f"{log.stream}.other", b"quick", topic)
    alive.commit_transaction()
    assert values(log, topic) == [b"slow", b"quick"]
    alive.begin_transaction()
    alive.send(topic, b"no", partition=0).get(10)
    alive.abort_transaction()
    assert forgotten(log.cluster, places) == []


def test_one_that_ends_while_we_ask_is_not_taken_for_forgotten(
    log: KafkaLog, begin: Any, monkeypatch: Patch
) -> None:
    """What is open is looked at once more after its coordinator was asked."""
    topic = log.create(f"{log.stream}.a", partitions=1).name
    alive = begin(f"{log.stream}.w", topic, b"slow", known=True)
    known = kafka_forgotten._known

    def late(*asked: Any) -> Any:
        alive.commit_transaction()
        return known(*asked)

    monkeypatch.setattr(kafka_forgotten, "_known", late)
    assert forgotten(log.cluster, [TopicPartition(topic, 0)]) == []


def test_cursors_that_are_pending_for_good_come_free(
    trusting: str, sit: Sit, monkeypatch: Patch
) -> None:
    """A group whose cursors a dead member has left pending goes on from those before."""
    seat = sit(trusting, "a")
    settle(seat)
    seat.writer.commit({0: 1})
    assert seat.committed([0]) == {0: 1}

    def unannounced(manager: Any, metadata: Any, offsets: Any) -> Any:
        manager._pending_txn_offset_commits.update(offsets)
        return transaction_manager.TxnOffsetCommitHandler(manager, metadata, offsets, None)

    monkeypatch.setattr(transaction_manager, "AddOffsetsToTxnHandler", unannounced)
    producer = seat.writer._producer
    producer.begin_transaction()
    moved = {TopicPartition(seat._topic, 0): OffsetAndMetadata(3)}
    producer.send_offsets_to_transaction(moved, seat.writer.metadata)
    assert seat.committed([0]) == {0: 1}


def test_where_it_may_not_be_ended_it_is_said_how(
    log: KafkaLog, begin: Any, monkeypatch: Patch
) -> None:
    """The sentence names the tool and the place for whoever may."""
    topic = log.create(f"{log.stream}.a", partitions=1).name
    begin(f"{log.stream}.dead", topic, b"never", known=False)

    def refuse(_: object) -> None:
        raise refusals.ClusterAuthorizationFailedError

    monkeypatch.setattr(log.cluster.admin, "abort_transaction", refuse)
    with pytest.raises(TopicFailed, match=f"--topic {topic} --partition 0 --start-offset 0"):
        written(log, f"{log.stream}.w", b"said", topic)
