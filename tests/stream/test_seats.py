"""The contract of a seat in a group, held by every log."""

import contextlib
from collections.abc import Iterator

import pytest

from stream.errors import Fenced
from stream.topic import Log, Seat, Share, Topic, group_of, samples_of

PARTITIONS = 3
WAIT = 20.0


@pytest.fixture
def topic(log: Log) -> Topic:
    """Give a topic of three partitions."""
    return log.create(samples_of(log.stream), partitions=PARTITIONS)


@pytest.fixture
def seats() -> Iterator[contextlib.ExitStack]:
    """Let go of all seats at the end."""
    with contextlib.ExitStack() as seats:
        yield seats


def sit(log: Log, topic: Topic, seats: contextlib.ExitStack, member: str = "a") -> Seat:
    """Return a seat that has its share."""
    seat = log.join(group_of(log.stream, "main"), topic, member=member)
    seats.callback(seat.close)
    share(seat)
    return seat


def share(seat: Seat) -> Share:
    """Return what a seat has, once that is settled and not nothing."""
    for _ in range(100):
        found = seat.share(wait=WAIT)
        if found is not None and found.partitions:
            return found
    raise AssertionError("no share")


def test_who_is_alone_has_all_partitions(
    log: Log, topic: Topic, seats: contextlib.ExitStack
) -> None:
    """And keeps them, in the same round, as long as nobody comes."""
    seat = sit(log, topic, seats)
    first = share(seat)
    assert first.partitions == {0, 1, 2}
    assert [seat.share(wait=WAIT) for _ in range(5)] == [first] * 5
    assert seat.exactly_once


def test_records_and_cursors_are_committed_together(
    log: Log, topic: Topic, seats: contextlib.ExitStack
) -> None:
    """The next one in the seat finds both; before the first commit there is neither."""
    seat = sit(log, topic, seats)
    assert seat.committed(range(PARTITIONS)) == {}
    seat.writer.append(topic.name, b"x", partition=1)
    seat.writer.commit({0: 5, 1: 7})
    assert seat.committed([1]) == {1: 7}
    seat.close()
    after = sit(log, topic, seats)
    assert after.committed(range(PARTITIONS)) == {0: 5, 1: 7}
    assert [entry.value for entry in topic.scan(1, 0, topic.end()[1])] == [b"x"]


def test_cursors_move_without_records(
    log: Log, topic: Topic, seats: contextlib.ExitStack
) -> None:
    """A partition with nothing to say of is left behind as well."""
    seat = sit(log, topic, seats)
    for cursor in (3, 4):
        seat.writer.commit({2: cursor})
        assert seat.committed([2]) == {2: cursor}


def test_who_comes_by_the_same_name_fences_who_was_there(
    log: Log, topic: Topic, seats: contextlib.ExitStack
) -> None:
    """The older one stores neither record nor cursor any more."""
    older = sit(log, topic, seats)
    older.writer.commit({0: 1})
    newer = sit(log, topic, seats)
    older.writer.append(topic.name, b"zombie", partition=0)
    with pytest.raises(Fenced, match="end one of the two"):
        older.writer.commit({0: 2})
    assert newer.committed([0]) == {0: 1}
    newer.writer.append(topic.name, b"x", partition=0)
    newer.writer.commit({0: 3})
    assert newer.committed([0]) == {0: 3}
    assert [entry.value for entry in topic.scan(0, 0, topic.end()[0])] == [b"x"]
