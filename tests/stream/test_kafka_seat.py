"""What a seat has only on Kafka: others beside it, and a client whose slips it must not share.

Each guard is tried twice: the test with it says what must not happen, the one without says
that it would. When a guard is no longer needed, the second kind fails and tells.
"""

import contextlib
import gc
import os
import signal
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from stream import kafka_seat, kafka_writer
from stream.errors import SeatLost, SettingError, StreamError
from stream.kafka import KafkaLog
from stream.kafka_seat import KafkaSeat, stands
from stream.topic import Topic, group_of, samples_of
from tools.kafka import Broker

pytestmark = [
    pytest.mark.kafka,
    # kafka-python lets go of a socket that did not connect without closing it.
    pytest.mark.filterwarnings("ignore:unclosed <.*[sS]ocket:ResourceWarning"),
]

Sit = Callable[..., KafkaSeat]


@pytest.fixture(autouse=True)
def _collect_sockets() -> Iterator[None]:
    """Let the garbage of a test be found while its warnings are ignored."""
    yield
    gc.collect()


@pytest.fixture
def sit() -> Iterator[Sit]:
    """Give a way to take seats, each in a log of its own, that are left at the end."""
    stream = f"t-{uuid.uuid4().hex[:12]}"
    with contextlib.ExitStack() as opened:

        def sit(address: str, member: str | None = None, **settings: object) -> KafkaSeat:
            log = opened.enter_context(
                contextlib.closing(KafkaLog([address], stream, settings))
            )
            topic = log.create(samples_of(stream), partitions=4)
            seat = log.join(group_of(stream, "main"), topic, member=member)
            assert isinstance(seat, KafkaSeat)
            opened.callback(seat.close)
            return seat

        yield sit


def values(seat: KafkaSeat) -> list[bytes]:
    """Return what stands in the first partition of the samples, for all to read."""
    topic: Topic = seat.writer._topic(seat._topic)
    return [entry.value for entry in topic.scan(0, 0, topic.end()[0])]


def settle(*seats: KafkaSeat) -> list[frozenset[int]]:
    """Return the shares of some members once they have all partitions between them.

    Each asks in a thread of its own: a group comes to rest only if all of them do.
    """
    deadline = time.monotonic() + 30
    with ThreadPoolExecutor(len(seats)) as threads:
        while time.monotonic() < deadline:
            shares = threads.map(lambda seat: seat.share(wait=1), seats)
            found = [share.partitions for share in shares if share is not None]
            if sum(map(len, found)) == 4 and len(found) == len(seats) and all(found):
                return found
            time.sleep(0.05)
    raise AssertionError("the group did not come to rest")


def test_members_share_all_partitions_and_no_two_have_the_same(kafka: str, sit: Sit) -> None:
    """Who leaves gives back what was its own at once."""
    one, two = sit(kafka), sit(kafka)
    first, second = settle(one, two)
    assert first | second == {0, 1, 2, 3}
    assert len(first) == len(second) == 2
    begun = time.monotonic()
    one.close()
    assert settle(two) == [{0, 1, 2, 3}]
    assert time.monotonic() - begun < 8


def test_what_was_shared_out_before_is_committed_no_more(kafka: str, sit: Sit) -> None:
    """A member that was away while others shared anew has its commit refused, whole."""
    one = sit(kafka)
    settle(one)
    one.writer.commit({0: 1})
    before = one.writer.metadata
    two = sit(kafka)
    settle(one, two)
    assert before.generation_id < one.writer.metadata.generation_id
    one.writer.metadata = before
    one.writer.append(one._topic, b"zombie", partition=0)
    with pytest.raises(SeatLost, match="gone on without"):
        one.writer.commit({0: 2})
    assert two.committed([0]) == {0: 1}
    assert values(two) == []


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


def test_a_member_that_was_thrown_out_commits_nothing(kafka: str, sit: Sit) -> None:
    """Its last share is too old for the broker, and what it is by now is not used."""
    lazy, quick = overrun(kafka, sit)
    with pytest.raises(SeatLost):
        lazy.writer.commit({0: 50})
    assert quick.committed([0]) == {0: 100}
    lazy.writer.metadata = lazy._consumer.group_metadata()
    with pytest.raises(SeatLost):
        lazy.writer.commit({0: 50})


def test_without_its_guard_it_would(
    kafka: str, sit: Sit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kafka takes generation -1 of nobody for a commit from outside of the group."""
    lazy, quick = overrun(kafka, sit)
    monkeypatch.setattr(kafka_seat, "stands", lambda _: True)
    lazy.writer.metadata = lazy._consumer.group_metadata()
    lazy.writer.commit({0: 50})
    assert quick.committed([0]) == {0: 50}


def expire(seat: KafkaSeat, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a record of a seat expire before anybody is found to send it to."""
    accumulator = seat.writer._producer._sender._accumulator
    accumulator.config["delivery_timeout_ms"] = 300
    nobody = set(), 0.05, set()
    monkeypatch.setattr(accumulator, "ready", lambda *_, **__: nobody)
    seat.writer.append(seat._topic, b"lost", partition=0)


def test_a_record_that_could_not_be_sent_takes_the_cursors_with_it(
    kafka: str, sit: Sit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each one is looked after before the commit."""
    seat = sit(kafka)
    settle(seat)
    expire(seat, monkeypatch)
    with pytest.raises(SeatLost):
        seat.writer.commit({0: 1})
    assert seat.committed([0]) == {}
    assert values(seat) == []


def test_without_its_guard_the_record_is_lost(
    kafka: str, sit: Sit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """kafka-python commits a transaction of which a batch has expired."""
    seat = sit(kafka)
    settle(seat)
    expire(seat, monkeypatch)
    send = kafka_writer.KafkaWriter._send

    def unchecked(self: Any, *args: Any) -> None:
        send(self, *args)

    monkeypatch.setattr(kafka_writer.KafkaWriter, "_send", unchecked)
    seat.writer.commit({0: 1})
    assert seat.committed([0]) == {0: 1}
    assert values(seat) == []


def test_a_commit_without_an_answer_has_an_end(
    start_broker: Callable[..., Broker], sit: Sit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a broker that is frozen the deadline holds; without the guard nothing ends it."""
    broker = start_broker()
    seat, other = sit(broker.address), sit(broker.address, "b")
    settle(seat, other)
    assert broker.process is not None
    os.kill(broker.process.pid, signal.SIGSTOP)
    try:
        begun = time.monotonic()
        with pytest.raises(SeatLost, match="gave no answer within 2 s"):
            seat.writer.commit({0: 1}, within=2)
        assert time.monotonic() - begun < 10
        monkeypatch.setattr(kafka_writer, "_bounded", lambda _, deed: deed())

        def commit() -> None:
            with contextlib.suppress(StreamError):
                other.writer.commit({1: 1}, within=2)

        waiting = threading.Thread(target=commit, daemon=True)
        waiting.start()
        waiting.join(4)
        assert waiting.is_alive()
    finally:
        os.kill(broker.process.pid, signal.SIGCONT)
    waiting.join(30)


def test_a_broker_that_cannot_fence_is_refused(kafka: str, sit: Sit) -> None:
    """Before 2.7 a fenced producer could come back to life; the sentence says what to do."""
    seat = sit(kafka)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(seat._cluster, "version", lambda: "2.6")
        with pytest.raises(SettingError, match=r"2\.6, and exactly-once needs 2\.7.*at-least"):
            KafkaSeat(seat._cluster, seat.writer._topic, "g", seat._topic, None)
