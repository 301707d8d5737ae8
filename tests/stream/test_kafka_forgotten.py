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

from stream import kafka_forgotten, kafka_open, kafka_topic, kafka_writer
from stream.errors import TopicFailed
from stream.kafka import KafkaLog
from stream.kafka_forgotten import end_forgotten, see_through
from stream.kafka_open import forgotten
from stream.kafka_writer import KafkaWriter
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
    """Give a way to leave a record in a transaction that is open for good.

    Its coordinator knows the writer's last transaction as committed or called off.
    """
    with contextlib.ExitStack() as opened:

        def begin(name: str, topic: str, value: bytes, *, committed: bool) -> Any:
            producer = KafkaProducer(bootstrap_servers=trusting, transactional_id=name)
            opened.callback(_leave, producer)
            producer.init_transactions()
            producer.begin_transaction()
            producer.send(topic, b"elsewhere", partition=1).get(10)
            (producer.commit_transaction if committed else producer.abort_transaction)()
            producer.begin_transaction()
            manager = producer._transaction_manager
            manager._partitions_in_transaction.add(TopicPartition(topic, 0))
            producer.send(topic, value, partition=0).get(10)
            return producer

        yield begin


@pytest.fixture
def topic(log: KafkaLog) -> str:
    """Give a topic of two partitions."""
    return log.create(f"{log.stream}.a", partitions=2).name


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


FATES = pytest.mark.parametrize("committed", [True, False])


@pytest.mark.parametrize("guarded", [True, False])
def test_what_was_never_committed_is_not_committed_with_the_next(
    log: KafkaLog, topic: str, begin: Any, monkeypatch: Patch, guarded: bool
) -> None:
    """Left alone, a writer's next commit makes seen what its last life had called off."""
    if not guarded:
        _blind(monkeypatch)
    begin(f"{log.stream}.w", topic, b"never", committed=False)
    written(log, f"{log.stream}.w", b"said", topic)
    assert values(log, topic) == ([b"said"] if guarded else [b"never", b"said"])


@pytest.mark.parametrize("guarded", [True, False])
def test_what_was_committed_is_not_lost_with_the_next(
    log: KafkaLog, topic: str, begin: Any, monkeypatch: Patch, guarded: bool
) -> None:
    """Left alone, what a writer's last life had committed goes when the next is called off."""
    if not guarded:
        _blind(monkeypatch)
    begin(f"{log.stream}.w", topic, b"before", committed=True)
    with contextlib.closing(log.writer(f"{log.stream}.w")) as writer:
        writer.append(topic, b"no", partition=0)
        monkeypatch.setattr(KafkaWriter, "_store", _call_off)
        writer.commit()
    assert values(log, topic) == ([b"before"] if guarded else [])


@FATES
def test_a_name_that_is_taken_twice_without_a_word_loses_nothing(
    log: KafkaLog, topic: str, begin: Any, committed: bool
) -> None:
    """A coordinator forgets at the first time how the last transaction ended."""
    begin(f"{log.stream}.w", topic, b"before", committed=committed)
    log.writer(f"{log.stream}.w").close()
    written(log, f"{log.stream}.w", b"said", topic)
    assert values(log, topic) == [b"before"] * committed + [b"said"]


def test_what_nobody_knows_is_left_to_a_person(
    log: KafkaLog, topic: str, begin: Any, monkeypatch: Patch, caplog: pytest.LogCaptureFixture
) -> None:
    """A writer whose last life nobody can tell of does not go on as if nothing had been."""
    begin(f"{log.stream}.w", topic, b"before", committed=True)
    with monkeypatch.context() as patch:
        patch.setattr(kafka_writer, "look_back", lambda *_: None)
        log.writer(f"{log.stream}.w").close()
    for _ in range(2):
        with pytest.raises(TopicFailed, match="has no end"):
            written(log, f"{log.stream}.w", b"said", topic)
    assert caplog.text.count("committed it is not known") == 1


def _blind(monkeypatch: Patch) -> None:
    """Have writers look neither back nor behind them."""
    monkeypatch.setattr(kafka_writer, "look_back", lambda *_: None)
    monkeypatch.setattr(KafkaWriter, "_look_behind", lambda *_: None)


def _call_off(writer: Any, records: Any, _: object, within: float) -> None:
    """Send, and abort instead of committing."""
    writer._send(records, within)
    writer._producer.abort_transaction()


def test_a_commit_is_seen_through_before_the_next_begins(
    log: KafkaLog, topic: str, begin: Any
) -> None:
    """A mark that is missing is written; a writer knows where its own have to stand."""
    producer = begin(f"{log.stream}.w", topic, b"said", committed=True)
    writer = producer._transaction_manager.producer_id_and_epoch
    place = TopicPartition(topic, 0)
    assert log.cluster.readable([place]) == {0: 0}
    see_through(log.cluster, {place: 1}, (writer.producer_id, writer.epoch), within=5)
    assert log.cluster.readable([place]) == {0: 2}

    writer = log.writer(f"{log.stream}.other")
    writer.append(topic, b"a", partition=0)
    writer.append(topic, b"b", partition=0)
    writer.commit()
    assert writer._ends == {place: 4}
    writer.close()


def test_a_commit_behind_a_slow_one_of_another_is_not_waited_for(
    log: KafkaLog, topic: str, trusting: str
) -> None:
    """What cannot be read yet for somebody else's sake is marked all the same."""
    slow = KafkaProducer(bootstrap_servers=trusting, transactional_id=f"{log.stream}.slow")
    slow.init_transactions()
    slow.begin_transaction()
    slow.send(topic, b"slow", partition=0).get(10)
    with contextlib.closing(log.writer(f"{log.stream}.w")) as writer:
        for value in (b"a", b"b"):
            writer.append(topic, value, partition=0)
            writer.commit()
        assert log.cluster.readable([TopicPartition(topic, 0)]) == {0: 0}
    slow.commit_transaction()
    slow.close()
    assert values(log, topic) == [b"slow", b"a", b"b"]


@FATES
def test_a_dead_writer_of_ours_keeps_nobody_waiting(
    log: KafkaLog, topic: str, begin: Any, caplog: pytest.LogCaptureFixture, committed: bool
) -> None:
    """Who writes to a topic ends what others have left open there, in their sense."""
    begin(f"{log.stream}.dead", topic, b"before", committed=committed)
    written(log, f"{log.stream}.w", b"said", topic)
    assert values(log, topic) == [b"before"] * committed + [b"said"]
    how = "commit" if committed else "call off"
    assert f"forgot to {how} a transaction in {topic!r}, partition 0, from" in caplog.text


def test_what_somebody_else_left_is_for_them_to_end(
    log: KafkaLog, topic: str, begin: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Of a writer that is not ours nobody knows what it makes of it."""
    begin("theirs", topic, b"before", committed=True)
    written(log, f"{log.stream}.w", b"said", topic)
    assert log.topic(topic).end()[0] == 0
    assert f"--topic {topic} --partition 0 --start-offset 0" in caplog.text


def test_a_reader_gets_past_it_where_nobody_writes(
    log: KafkaLog, topic: str, begin: Any, monkeypatch: Patch
) -> None:
    """A reader that has seen nothing for a while looks what stands in its way."""
    begin(f"{log.stream}.dead", topic, b"said", committed=True)
    monkeypatch.setattr(kafka_topic, "_STUCK", 2.0)
    reader = log.topic(topic)
    assert reader.read({0: 0}, limit=10, wait=0.5) == []
    looks = (reader.read({0: 0}, limit=10, wait=0.5) for _ in range(40))
    (batch,) = next(found for found in looks if found)
    assert [value for _, value in batch.entries] == [b"said"]


def test_an_end_that_is_asked_for_is_a_true_one(log: KafkaLog, topic: str, begin: Any) -> None:
    """Whoever begins where the records end does not begin before one that was committed."""
    begin(f"{log.stream}.dead", topic, b"said", committed=True)
    assert log.topic(topic).end()[0] == 2


def test_a_transaction_under_way_is_left_alone(
    log: KafkaLog, topic: str, trusting: str
) -> None:
    """Of one that its coordinator knows nothing is forgotten, nor of one called off."""
    alive = KafkaProducer(bootstrap_servers=trusting, transactional_id=f"{log.stream}.w")
    alive.init_transactions()
    places = [TopicPartition(topic, 0)]
    for end in (alive.commit_transaction, alive.abort_transaction):
        alive.begin_transaction()
        alive.send(topic, b"slow", partition=0).get(10)
        assert end_forgotten(log.cluster, places) == 0
        end()
    assert forgotten(log.cluster, places) == []
    assert values(log, topic) == [b"slow"]
    alive.close()


def test_one_that_ends_while_we_ask_is_not_taken_for_forgotten(
    log: KafkaLog, topic: str, trusting: str, monkeypatch: Patch
) -> None:
    """What is open is looked at once more after its coordinator was asked."""
    alive = KafkaProducer(bootstrap_servers=trusting, transactional_id=f"{log.stream}.w")
    alive.init_transactions()
    alive.begin_transaction()
    alive.send(topic, b"slow", partition=0).get(10)
    known = kafka_open._known

    def late(*asked: Any) -> Any:
        alive.abort_transaction()
        return known(*asked)

    monkeypatch.setattr(kafka_open, "_known", late)
    assert forgotten(log.cluster, [TopicPartition(topic, 0)]) == []
    alive.close()


@pytest.mark.parametrize("renewed", [True, False])
def test_cursors_that_are_pending_for_good_come_free(
    trusting: str, sit: Sit, monkeypatch: Patch, renewed: bool
) -> None:
    """Members, and who comes by the name of a dead one, go on from what that one committed."""
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
    if renewed:
        seat = sit(trusting, "a")
        settle(seat)
    assert seat.committed([0]) == {0: 3}


def test_where_it_may_not_be_ended_it_is_said_how(
    log: KafkaLog, topic: str, begin: Any, monkeypatch: Patch, caplog: pytest.LogCaptureFixture
) -> None:
    """The sentence names the tool and the place for whoever may; the writer does not go on."""
    begin(f"{log.stream}.w", topic, b"never", committed=False)

    def refuse(*_: object) -> None:
        raise refusals.ClusterAuthorizationFailedError

    monkeypatch.setattr(kafka_forgotten, "_mark", refuse)
    with pytest.raises(TopicFailed, match="has no end, and the next would be taken for a part"):
        written(log, f"{log.stream}.w", b"said", topic)
    assert f"abort --topic {topic} --partition 0 --start-offset 0" in caplog.text
