"""The slips of kafka-python that would cost outcomes, each against a real broker.

Each is met twice: with its guard nothing breaks that was promised, with the guard taken out
it does. When a release of kafka-python needs a guard no longer, the second half of its test
fails and tells. D1 to D9 are the slips' numbers in the project's design. D6 is the
protocol's own: a commit of unknown fate is never tried again by the same producer, which
`tests.system.test_faults` holds.
"""

import contextlib
import gc
import struct
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from kafka import ConsumerRebalanceListener
from kafka import errors as refusals
from kafka.coordinator.assignors.range import RangePartitionAssignor
from kafka.record.util import calc_crc32c

from stream import kafka_seat, kafka_writer
from stream.errors import Fenced, SeatLost, SettingError, StreamError
from stream.kafka_seat import KafkaSeat, stands
from stream.kafka_writer import KafkaWriter
from tests.proxy import ANSWER, COMMIT, PRODUCE, REQUEST, Fault, Proxy
from tests.stream.seating import Sit, settle, values

pytestmark = [
    pytest.mark.kafka,
    # kafka-python lets go of a socket that did not connect without closing it.
    pytest.mark.filterwarnings("ignore:unclosed <.*[sS]ocket:ResourceWarning"),
]

Patch = pytest.MonkeyPatch
END = frozenset({26})
"""The end of a transaction, by its API key."""
NOWHERE = 99
"""A partition that there is not."""
HASTY = {"delivery_timeout_ms": 3000, "request_timeout_ms": 2900}


@pytest.fixture(autouse=True)
def _collect_sockets() -> Iterator[None]:
    """Let the garbage of a test be found while its warnings are ignored."""
    yield
    gc.collect()


def sent_nowhere(topic: str, proxy: Proxy) -> contextlib.ExitStack:
    """Have the broker asked to store what is for partition 0 where it has no partition.

    It refuses with an error that may pass, so the client tries for as long as it may.
    """

    def swapped(one: int, other: int) -> Callable[[bytes], bytes]:
        # The topic's name, how many partitions follow (one more, as it is kept), the first.
        name = topic.encode() + b"\x02"
        old, new = (name + struct.pack(">i", p) for p in (one, other))
        return lambda frame: frame.replace(old, new)

    there, back = swapped(0, NOWHERE), swapped(NOWHERE, 0)
    inside = contextlib.ExitStack()
    inside.enter_context(proxy.trouble(Fault("alter", PRODUCE, (REQUEST,), change=there)))
    inside.enter_context(proxy.trouble(Fault("alter", PRODUCE, (ANSWER,), change=back)))
    return inside


@pytest.mark.parametrize("guarded", [True, False])
def test_d1_a_record_that_expires_takes_the_cursors_with_it(
    proxy: Proxy, sit: Sit, monkeypatch: Patch, guarded: bool
) -> None:
    """Left alone, kafka-python commits a transaction of which a batch was never stored."""
    seat = sit(proxy.address, "a", **HASTY)
    settle(seat)
    seat.writer.append(seat._topic, b"lost", partition=0)
    if not guarded:
        send = KafkaWriter._send
        monkeypatch.setattr(KafkaWriter, "_send", lambda *args: send(*args) and None)
    refused = pytest.raises(SeatLost, match="could not store") if guarded else None
    with sent_nowhere(seat._topic, proxy), refused or contextlib.nullcontext():
        seat.writer.commit({0: 1})

    again = sit(proxy.address, "a")
    assert values(again) == []
    assert again.committed([0]) == ({} if guarded else {0: 1}), "the record is lost"


@pytest.mark.parametrize("guarded", [True, False])
def test_d2_a_commit_without_an_answer_has_an_end(
    proxy: Proxy, sit: Sit, monkeypatch: Patch, guarded: bool
) -> None:
    """Left alone, kafka-python waits in a commit for as long as nobody answers."""
    seat = sit(proxy.address, "a")
    settle(seat)
    if not guarded:
        monkeypatch.setattr(kafka_writer, "_bounded", lambda _, deed, __: deed())
    ended = threading.Event()

    def commit() -> None:
        with contextlib.suppress(StreamError):
            seat.writer.commit({0: 1}, within=1)
        ended.set()

    waiting = threading.Thread(target=commit, daemon=True)
    with proxy.trouble(Fault("timeout", COMMIT)):
        waiting.start()
        assert ended.wait(4) == guarded
    # The connection breaks off now, and even who waits for ever hears of that.
    waiting.join(30)
    assert ended.is_set()


class CommitsInside(ConsumerRebalanceListener):
    """Does what kafka-python's own words advise: commit when partitions go."""

    def __init__(self, consumer: Any) -> None:
        self._commit = consumer.commit

    def on_partitions_revoked(self, revoked: Any) -> None:
        self._commit()

    def on_partitions_assigned(self, assigned: Any) -> None:
        pass


@pytest.mark.parametrize("guarded", [True, False])
def test_d3_a_seat_settles_because_it_listens_to_nothing(
    kafka: str, sit: Sit, monkeypatch: Patch, guarded: bool
) -> None:
    """With a listener that commits, `poll` fails for ever: it may not wait where it runs."""
    if not guarded:
        monkeypatch.setattr(kafka_seat, "CooperativeStickyAssignor", RangePartitionAssignor)
    seat = sit(kafka)
    if guarded:
        assert settle(seat) == [{0, 1, 2, 3}]
        return
    consumer = seat._consumer
    consumer.unsubscribe()
    consumer.subscribe([seat._topic], listener=CommitsInside(consumer))
    for _ in range(10):
        with pytest.raises(StreamError, match="refused to let a member"):
            seat.share(wait=5)


def out_of_sequence(frame: bytes) -> bytes:
    """Return a Produce request whose batch is numbered far ahead, and sealed anew."""
    changed = bytearray(frame)
    for at in range(len(frame) - 61):
        end = at + 12 + struct.unpack_from(">i", frame, at + 8)[0]
        (seal,) = struct.unpack_from(">I", frame, at + 17)
        if frame[at + 16] == 2 and end <= len(frame) and seal == _seal(frame[at + 21 : end]):
            struct.pack_into(">i", changed, at + 53, 1000)
            struct.pack_into(">I", changed, at + 17, _seal(changed[at + 21 : end]))
            return bytes(changed)
    raise AssertionError("no batch in a Produce request")


def _seal(content: bytes | bytearray) -> int:
    found: int = calc_crc32c(bytes(content))
    return found


def hurried(fault: Fault) -> Callable[[Any, list[Any], float], None]:
    """Return what sends, and begins the commit while the records are under way."""

    def send(self: Any, records: list[Any], within: float) -> None:
        self._producer.begin_transaction()
        for record in records:
            self._producer.send(*record)
        deadline = time.monotonic() + within
        while not fault.struck:
            assert time.monotonic() < deadline
            time.sleep(0.01)

    return send


@pytest.mark.parametrize("guarded", [True, False])
def test_d4_a_record_out_of_sequence_fails_the_commit(
    proxy: Proxy, sit: Sit, monkeypatch: Patch, guarded: bool
) -> None:
    """Left alone, kafka-python reports a commit good of which it never told the broker."""
    seat = sit(proxy.address, "a")
    settle(seat)
    seat.writer.append(seat._topic, b"first", partition=0)
    seat.writer.commit({0: 1})
    seat.writer.append(seat._topic, b"second", partition=0)
    wrong = Fault("alter", PRODUCE, (REQUEST,), change=out_of_sequence)
    if not guarded:
        monkeypatch.setattr(KafkaWriter, "_send", hurried(wrong))
    refused = pytest.raises(SeatLost) if guarded else contextlib.nullcontext()
    late = Fault("latency", PRODUCE, (ANSWER,), seconds=1.5)
    with proxy.trouble(wrong), proxy.trouble(late), refused:
        seat.writer.commit({0: 2})

    again = sit(proxy.address, "a")
    assert values(again) == [b"first"]
    assert again.committed([0]) == {0: 1}


@pytest.mark.parametrize("guarded", [True, False])
def test_d5_a_broker_that_cannot_fence_is_refused(
    kafka: str, sit: Sit, monkeypatch: Patch, guarded: bool
) -> None:
    """Spoken to as if it were 2.6, a broker lets who was fenced come back to life.

    A broker as old as that is not at hand; the answer it would give is, to a client that
    speaks its version of the protocol.
    """
    if guarded:
        with pytest.raises(SettingError, match=r"2\.6, and exactly-once needs 2\.7.*at-least"):
            sit(kafka, "a", api_version="2.6")
        return
    monkeypatch.setattr(kafka_seat, "_check_version", lambda _: None)
    first = sit(kafka, "a", api_version="2.6")
    zombie, topic = first.writer._producer, first._topic
    zombie.begin_transaction()
    zombie.send(topic, b"called off", partition=0).get(10)
    second = sit(kafka, "a", api_version="2.6")
    # The first is fenced, and finds that out by the next that it sends.
    with pytest.raises(refusals.InvalidProducerEpochError):
        zombie.send(topic, b"refused", partition=0).get(10)
    for _ in range(200):
        with contextlib.suppress(refusals.KafkaError):  # until it has asked for a new epoch
            zombie.begin_transaction()
            break
        time.sleep(0.05)
    zombie.send(topic, b"zombie", partition=0)
    zombie.commit_transaction()
    assert values(second) == [b"zombie"]


def overrun(kafka: str, sit: Sit) -> tuple[KafkaSeat, KafkaSeat]:
    """Return a member that was thrown out for its silence, and the one that took over."""
    lazy = sit(kafka, max_poll_interval_ms=1500, heartbeat_interval_ms=200)
    settle(lazy)
    for _ in range(200):
        time.sleep(0.05)
        if not stands(lazy._consumer.group_metadata()):
            break
    quick = sit(kafka)
    settle(quick)
    quick.writer.commit({0: 100})
    return lazy, quick


def test_d7_a_member_that_was_thrown_out_commits_nothing(
    kafka: str, sit: Sit, monkeypatch: Patch
) -> None:
    """Kafka would take the generation -1 of nobody for a commit from outside of the group."""
    lazy, quick = overrun(kafka, sit)
    lazy.writer.metadata, known = lazy._consumer.group_metadata(), lazy.writer.metadata
    with pytest.raises(SeatLost):
        lazy.writer.commit({0: 50})
    with monkeypatch.context() as patch:
        patch.setattr(kafka_seat, "stands", lambda _: True)
        lazy.writer.commit({0: 50})
    assert quick.committed([0]) == {0: 50}, "the older has put the cursor back"

    lazy.writer.metadata = known
    with pytest.raises(SeatLost):
        lazy.writer.commit({0: 60})
    assert quick.committed([0]) == {0: 50}


def unsure(answer: bytes) -> bytes:
    """Return the answer of a broker that knows no more than that something went wrong."""
    fenced, unknown = (struct.pack(">h", code) for code in (90, -1))
    assert answer.count(fenced) == 1
    return answer.replace(fenced, unknown)


@pytest.mark.parametrize("guarded", [True, False])
def test_who_is_overtaken_within_a_commit_leaves_the_name_to_the_other(
    kafka: str, proxy: Proxy, sit: Sit, monkeypatch: Patch, guarded: bool
) -> None:
    """Some of the time Kafka answers with error -1, as if nothing were known, and not 90."""
    seat = sit(proxy.address, "a")
    settle(seat)
    seat.writer.append(seat._topic, b"late", partition=0)
    others = []

    def overtaken(frame: bytes) -> bytes:
        others.append(sit(kafka, "a"))
        return frame

    if not guarded:
        monkeypatch.setattr(KafkaWriter, "_overtaken", lambda _: False)
    before = Fault("alter", END, (REQUEST,), times=1, change=overtaken)
    after = Fault("alter", END, (ANSWER,), times=1, change=unsure)
    refused = pytest.raises(Fenced if guarded else SeatLost)
    with proxy.trouble(before), proxy.trouble(after), refused:
        seat.writer.commit({0: 1})
    assert values(others[0]) == []
