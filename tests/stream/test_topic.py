"""The contract of `stream.topic`, held by every log."""

import contextlib
import itertools
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka.partitioner.default import murmur2
from kafka.structs import TopicPartition

from stream.errors import CursorExpired, Fenced, TopicMissing
from stream.kafka import KafkaLog
from stream.memory import MemoryLog
from stream.sqlite import SqliteLog
from stream.sqlite_topic import table
from stream.topic import (
    Batch,
    Entry,
    Log,
    Retention,
    Topic,
    Writer,
    backwards,
    group_of,
    partition_of,
    samples_of,
    topic_of,
)

WAIT = 10.0
"""Seconds for which a read waits that is sure to get something."""


def make(log: Log, partitions: int = 1, retention: Retention | None = None) -> Topic:
    """Return a new topic of samples."""
    return log.create(samples_of(log.stream), partitions=partitions, retention=retention)


def write(writer: Writer, topic: Topic, *values: bytes, partition: int = 0) -> None:
    """Commit values to one partition."""
    for value in values:
        writer.append(topic.name, value, partition=partition)
    writer.commit()


def read_on(topic: Topic, cursor: dict[int, int], limit: int = 100) -> list[Batch]:
    """Read from a cursor to the end as it stands now, moving the cursor along."""
    end, batches = topic.end(), []
    while any(cursor[p] < end[p] for p in cursor):
        for batch in topic.read(cursor, limit=limit, wait=WAIT):
            batches.append(batch)
            cursor[batch.partition] = batch.next
    return batches


def values_of(topic: Topic, partition: int = 0) -> list[bytes]:
    """Return all values of a partition, as a reader gets them."""
    batches = read_on(topic, {partition: topic.first()[partition]})
    return [value for batch in batches for _, value in batch.entries]


@pytest.fixture
def again(log: Log) -> Iterator[Callable[[], Log]]:
    """Give other ways into the same log, as other processes would open it."""
    with contextlib.ExitStack() as opened:

        def open_again() -> Log:
            if isinstance(log, SqliteLog):
                return opened.enter_context(contextlib.closing(SqliteLog(log.path)))
            if isinstance(log, KafkaLog):
                brokers = log.cluster.address.split(",")
                return opened.enter_context(contextlib.closing(KafkaLog(brokers, log.stream)))
            return log

        yield open_again


def test_what_is_committed_is_read_as_it_was_appended(log: Log) -> None:
    """Value, key, headers and time of a record come back, to the millisecond."""
    topic, writer = make(log), log.writer("a")
    headers = {"host": b"\x00\xff", "empty": b""}
    writer.append(topic.name, b"one", key=b"k", headers=headers, timestamp=1700000000.125)
    before = time.time()
    writer.append(topic.name, b"")
    writer.commit()
    one, two = topic.scan(0, 0, topic.end()[0])
    assert one == Entry(one.offset, b"one", b"k", headers, 1700000000.125)
    assert (two.value, two.key, two.headers) == (b"", None, {})
    assert before - 0.001 <= two.timestamp <= time.time() + 0.001
    assert values_of(topic) == [b"one", b""]


def test_entries_are_read_on_as_they_are_scanned(log: Log) -> None:
    """Who reads whole entries gets them all, in the batches and order of who reads values."""
    topic, writer = make(log, 3), log.writer("a")
    for n in range(50):
        writer.append(topic.name, b"%d" % n, key=b"k%d" % n, headers={"n": b"%d" % n})
        if n % 20 == 0:
            writer.commit()
    writer.commit()
    for limit in (7, 1000):
        cursor, end = topic.first(), topic.end()
        found: dict[int, list[Entry]] = {p: [] for p in cursor}
        while any(cursor[p] < end[p] for p in cursor):
            batches = topic.read_entries(cursor, limit=limit, wait=WAIT)
            assert sum(len(batch.entries) for batch in batches) <= limit
            for p, entries, next_ in batches:
                found[p] += entries
                cursor[p] = next_
        assert found == {p: list(topic.scan(p, 0, end[p])) for p in found}
    assert topic.read_entries(topic.end(), limit=10, wait=0.05) == []


@pytest.mark.parametrize("step", [1, 7, 1000])
def test_a_topic_is_read_backwards(
    log: Log, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From its end to the oldest record kept, in steps of any size."""
    monkeypatch.setattr("stream.topic._TAIL", step)
    monkeypatch.setattr("stream.topic._SLICE", 4 * step)
    topic, writer = make(log), log.writer("a")
    for n in range(30):
        write(writer, topic, b"%d" % n)
    assert [int(entry.value) for entry in backwards(topic, 0)] == [*range(29, -1, -1)]


def test_nothing_is_readable_before_the_commit(log: Log) -> None:
    """Records that were only appended are neither read nor counted in the end."""
    topic, writer = make(log, 2), log.writer("a")
    writer.append(topic.name, b"x", partition=1)
    assert topic.end() == {0: 0, 1: 0}
    assert topic.read({0: 0, 1: 0}, limit=10, wait=0.2) == []
    assert list(topic.scan(1, 0, 10)) == []


def test_a_writer_that_is_closed_drops_what_it_did_not_commit(log: Log) -> None:
    """What a dead writer had only appended never becomes readable."""
    topic, dead = make(log), log.writer("a")
    dead.append(topic.name, b"never")
    dead.close()
    write(log.writer("a"), topic, b"first")
    assert values_of(topic) == [b"first"]


def test_one_commit_reaches_several_partitions_and_topics(log: Log) -> None:
    """A commit makes all its records readable, wherever they go."""
    samples, writer = make(log, 3), log.writer("a")
    other = log.create(topic_of(log.stream, "main", "outcomes"), partitions=1)
    for p in range(3):
        writer.append(samples.name, b"%d" % p, partition=p)
    writer.append(other.name, b"o", partition=0)
    writer.commit()
    assert [values_of(samples, p) for p in range(3)] == [[b"0"], [b"1"], [b"2"]]
    assert values_of(other) == [b"o"]


def test_offsets_grow_along_a_partition_and_a_cursor_goes_on_from_any(log: Log) -> None:
    """Read from the offset of any record, that record is the first to come."""
    topic, writer = make(log), log.writer("a")
    for n in range(5):
        write(writer, topic, b"%d" % (2 * n), b"%d" % (2 * n + 1))
    entries = list(topic.scan(0, 0, topic.end()[0]))
    assert [entry.value for entry in entries] == [b"%d" % n for n in range(10)]
    assert all(a.offset < b.offset for a, b in itertools.pairwise(entries))
    for n in (7, 2, 9, 0):
        batches = read_on(topic, {0: entries[n].offset}, limit=3)
        pairs = [pair for batch in batches for pair in batch.entries]
        assert pairs == [(entry.offset, entry.value) for entry in entries[n:]]


@pytest.mark.parametrize("limit", [1, 7, 1000])
def test_reading_to_the_end_comes_to_an_end(log: Log, limit: int) -> None:
    """The cursor gets to the end exactly, past all that only marks a transaction."""
    topic, writer = make(log, 3), log.writer("a")
    for n in range(6):
        write(writer, topic, b"%d" % n, b"x", partition=n % 2)
    cursor = topic.first()
    batches = read_on(topic, cursor, limit)
    assert cursor == topic.end()
    assert sum(len(batch.entries) for batch in batches) == 12


def test_a_read_gives_no_more_than_its_limit(log: Log) -> None:
    """The limit counts the entries of all partitions together."""
    topic, writer = make(log, 3), log.writer("a")
    for p in range(3):
        write(writer, topic, *[b"x"] * 20, partition=p)
    cursor, seen = topic.first(), 0
    while seen < 60:
        batches = topic.read(cursor, limit=7, wait=WAIT)
        assert sum(len(batch.entries) for batch in batches) <= 7
        for batch in batches:
            seen += len(batch.entries)
            cursor[batch.partition] = batch.next


def test_no_partition_waits_for_ever_behind_a_busier_one(log: Log) -> None:
    """A record of a quiet partition is read although another never runs dry."""
    topic, writer = make(log, 2), log.writer("a")
    write(writer, topic, b"quiet", partition=1)
    write(writer, topic, *[b"busy"] * 20, partition=0)
    cursor = {0: 0, 1: 0}
    for _ in range(200):
        write(writer, topic, b"busy", partition=0)
        for batch in topic.read(cursor, limit=1, wait=WAIT):
            cursor[batch.partition] = batch.next
        if cursor[1]:
            return
    pytest.fail("the quiet partition was never read")


def test_a_waiting_read_returns_as_soon_as_something_comes(log: Log) -> None:
    """A reader at the end gets a record long before its wait is over."""
    topic, writer = make(log), log.writer("a")
    found: list[Batch] = []
    start = topic.end()

    def wait() -> None:
        found.extend(topic.read(start, limit=10, wait=60))

    thread = threading.Thread(target=wait)
    thread.start()
    write(writer, topic, b"here")
    thread.join(30)
    assert not thread.is_alive()
    assert found[0].entries[0][1] == b"here"


def test_a_read_at_the_end_gives_nothing_once_its_wait_is_over(log: Log) -> None:
    """At the end, and in an empty topic, a read waits and comes back with nothing."""
    topic, writer = make(log), log.writer("a")
    assert topic.read(topic.end(), limit=10, wait=0.0) == []
    write(writer, topic, b"x")
    begun = time.monotonic()
    assert topic.read(topic.end(), limit=10, wait=0.3) == []
    assert 0.2 < time.monotonic() - begun < 5


def test_a_cursor_beyond_the_end_reads_nothing(log: Log) -> None:
    """A partition whose cursor lies beyond the end does not keep others from being read."""
    topic, writer = make(log, 2), log.writer("a")
    write(writer, topic, b"x", partition=1)
    assert topic.read({0: 1000}, limit=10, wait=0.1) == []
    (batch,) = topic.read({0: 1000, 1: 0}, limit=10, wait=WAIT)
    assert (batch.partition, batch.entries) == (1, [(0, b"x")])


def test_a_reader_brings_its_own_cursor(log: Log) -> None:
    """One topic object serves cursors of any partitions in any order."""
    topic, writer = make(log, 2), log.writer("a")
    write(writer, topic, b"a", b"b", partition=0)
    write(writer, topic, b"c", partition=1)
    for cursor, value in [({0: 1}, b"b"), ({1: 0}, b"c"), ({0: 0}, b"a"), ({0: 1}, b"b")]:
        (batch,) = topic.read(cursor, limit=1, wait=WAIT)
        assert batch.entries[0][1] == value


def test_a_scan_stays_within_its_bounds_and_beside_reads(log: Log) -> None:
    """A scan half done neither disturbs a read nor is disturbed by one."""
    topic, writer = make(log), log.writer("a")
    write(writer, topic, *[b"%d" % n for n in range(10)])
    cursor = {0: 0}
    (batch,) = topic.read(cursor, limit=4, wait=WAIT)
    scan = topic.scan(0, 2, 5)
    assert next(scan).value == b"2"
    (batch,) = topic.read({0: batch.next}, limit=100, wait=WAIT)
    assert [value for _, value in batch.entries] == [b"%d" % n for n in range(4, 10)]
    assert [entry.value for entry in scan] == [b"3", b"4"]
    assert [entry.value for entry in topic.scan(0, 8, 1000)] == [b"8", b"9"]
    assert list(topic.scan(0, 5, 5)) == []


def test_the_newest_record_is_the_last_of_a_scan(log: Log) -> None:
    """It comes with its headers, past a transaction's marker, and without moving a read."""
    topic, writer = make(log, 2), log.writer("a")
    assert topic.newest(0) is None
    for n in range(3):
        writer.append(topic.name, b"%d" % n, partition=0, headers={"n": b"%d" % n})
        writer.commit()
        newest = topic.newest(0)
        assert newest is not None
        assert newest == list(topic.scan(0, 0, topic.end()[0]))[-1]
        assert newest.headers == {"n": b"%d" % n}
    (batch,) = topic.read({0: 0}, limit=1, wait=WAIT)
    writer.append(topic.name, b"not yet", partition=0)
    newest = topic.newest(0)
    assert newest is not None
    assert newest.value == b"2"
    assert topic.newest(1) is None
    (batch,) = topic.read({0: batch.next}, limit=100, wait=WAIT)
    assert [value for _, value in batch.entries] == [b"1", b"2"]


def test_the_newest_record_lies_before_what_was_never_committed(
    log: Log, again: Callable[[], Log]
) -> None:
    """However many records a dead writer left, the newest is the last one committed."""
    topic, writer = make(log), log.writer("a")
    write(writer, topic, b"here")
    for n in range(40):
        writer.append(topic.name, b"%d" % n)
    writer.close()
    again().writer("a").close()
    newest = topic.newest(0)
    assert newest is not None
    assert newest.value == b"here"


def test_of_what_retention_has_taken_nothing_is_newest(log: Log) -> None:
    """A partition whose records are all gone has no newest one."""
    topic, writer = make(log), log.writer("a")
    write(writer, topic, b"x", b"y")
    if isinstance(log, MemoryLog):
        log.topic(topic.name).drop(0, 2)
    elif isinstance(log, KafkaLog):
        log.cluster.admin.delete_records({TopicPartition(topic.name, 0): topic.end()[0]})
    elif isinstance(log, SqliteLog):
        with log.transaction() as db:
            db.execute(f"DELETE FROM {table(1, 0)}")
            db.execute("UPDATE ends SET first = next")
    assert topic.newest(0) is None


def test_a_cursor_before_the_oldest_record_has_expired(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Read and scan refuse a cursor whose record retention has removed, and name the oldest."""
    monkeypatch.setattr("stream.sqlite_writer._SWEEP", 0.0)
    topic, writer = make(log, 2, Retention(size=30)), log.writer("a")
    write(writer, topic, *[b"0123456789"] * 10, partition=1)
    if isinstance(log, MemoryLog):
        log.topic(topic.name).drop(1, 7)
    if isinstance(log, KafkaLog):
        log.cluster.admin.delete_records({TopicPartition(topic.name, 1): 7})
    assert topic.first() == {0: 0, 1: 7}
    with pytest.raises(CursorExpired, match="the oldest record is 7"):
        topic.read({0: 0, 1: 6}, limit=10, wait=1)
    with pytest.raises(CursorExpired, match=r"\[1\]@0 "):
        list(topic.scan(1, 0, 10))
    (batch,) = topic.read({0: 0, 1: 7}, limit=10, wait=WAIT)
    assert [offset for offset, _ in batch.entries] == [7, 8, 9]


def test_rows_are_found_again_by_the_next_writer_of_that_name(log: Log) -> None:
    """The last committed row of each partition outlives the writer, and is nobody else's."""
    topic, writer = make(log, 3), log.writer("file")
    assert writer.rows(topic.name) == {}
    for row in range(10):
        writer.append(topic.name, b"x", partition=row % 2, row=row)
    writer.commit()
    writer.append(topic.name, b"without a row", partition=0)
    writer.append(topic.name, b"of another", partition=0, row=99)
    other = log.writer("other")
    other.append(topic.name, b"x", partition=0, row=5000)
    other.append(topic.name, b"x", partition=2, row=5001)
    other.commit()
    assert log.writer("file").rows(topic.name) == {0: 8, 1: 9}
    assert other.rows(topic.name) == {0: 5000, 2: 5001}


def test_a_second_writer_of_a_name_fences_the_first(log: Log, again: Callable[[], Log]) -> None:
    """The older writer's commit is refused and leaves nothing in any partition."""
    topic, older = make(log, 2), log.writer("a")
    write(older, topic, b"before")
    newer = again().writer("a")
    for p in (0, 1):
        older.append(topic.name, b"zombie", partition=p)
    with pytest.raises(Fenced, match="another process now writes as 'a'"):
        older.commit()
    write(newer, topic, b"after")
    assert [values_of(topic, p) for p in (0, 1)] == [[b"before", b"after"], []]
    older.close()


def test_writers_of_other_names_are_left_alone(log: Log) -> None:
    """Two writers of different names write side by side."""
    topic, one, two = make(log), log.writer("one"), log.writer("two")
    write(one, topic, b"1")
    write(two, topic, b"2")
    write(one, topic, b"3")
    assert values_of(topic) == [b"1", b"2", b"3"]


def test_a_writer_that_is_not_atomic_writes_the_same(log: Log) -> None:
    """Without a transaction, too, what is committed is readable and rows are kept."""
    topic, writer = make(log), log.writer("a", atomic=False)
    writer.append(topic.name, b"x", row=3)
    assert topic.end() == {0: 0}
    writer.commit()
    assert values_of(topic) == [b"x"]
    assert log.writer("a", atomic=False).rows(topic.name) == {0: 3}


def test_cursors_are_kept_under_the_name_of_a_group(log: Log, again: Callable[[], Log]) -> None:
    """What a group last committed is there for the next process; others have none."""
    topic, group = make(log, 2), group_of(log.stream, "main")
    assert log.committed(group) == {}
    writer = log.writer(group)
    for cursors in ({0: 3, 1: 1}, {0: 4}):
        write(writer, topic, b"x", b"y", b"z", b"z")
        writer.commit(cursors)
        log.show(group, cursors)
        log.hold(group, cursors)
    other = again()
    assert other.committed(group) == {0: 4, 1: 1}
    assert other.committed(group_of(log.stream, "other")) == {}


def test_groups_are_those_that_have_left_cursors(log: Log) -> None:
    """None before the first; of a name once asked for, and nothing more, there is none."""
    make(log)
    group = group_of(log.stream, "main")
    assert log.committed(group) == {}
    assert group not in log.groups()
    writer = log.writer(group, atomic=log.exactly_once)
    writer.commit({0: 5})
    log.show(group, {0: 5})
    assert group in log.groups()
    assert log.groups() == sorted(log.groups())


def test_retention_is_what_the_topic_was_made_with(log: Log, again: Callable[[], Log]) -> None:
    """To whoever asks; None is for ever."""
    topic = make(log, retention=Retention(seconds=86_400.0, size=1_000_000))
    assert topic.retention() == Retention(seconds=86_400.0, size=1_000_000)
    assert again().topic(topic.name).retention() == topic.retention()
    name = topic_of(log.stream, "main", "dead")
    assert log.create(name, partitions=1).retention() == Retention()


def test_a_topic_that_is_not_there_is_missing(log: Log) -> None:
    """Neither reading nor writing makes a topic."""
    with pytest.raises(TopicMissing, match="'driftline produce'"):
        log.topic(samples_of(log.stream))
    with pytest.raises(TopicMissing):
        log.writer("a").append(samples_of(log.stream), b"x")
    with pytest.raises(TopicMissing):
        log.topic(samples_of(log.stream))


def test_a_topic_that_exists_is_kept_as_it_is(log: Log, again: Callable[[], Log]) -> None:
    """Made twice, a topic keeps its partitions, its records and its identity."""
    topic = make(log, 3)
    write(log.writer("a"), topic, b"x", partition=2)
    same = again().create(topic.name, partitions=5, retention=Retention(seconds=1))
    assert (same.name, same.partitions, same.identity) == (topic.name, 3, topic.identity)
    assert values_of(same, 2) == [b"x"]
    other = log.create(topic_of(log.stream, "main", "dead"), partitions=1)
    assert other.identity != topic.identity


def test_large_values_come_through_whole(log: Log) -> None:
    """Half a megabyte is one record like any other."""
    topic, writer = make(log), log.writer("a")
    values = [bytes([n]) * 500_000 for n in range(5)]
    write(writer, topic, *values)
    assert values_of(topic) == values


def test_two_ways_into_a_log_see_the_same(log: Log, again: Callable[[], Log]) -> None:
    """What one process commits another reads, while it waits and when it opens the log."""
    topic, other = make(log), again()
    there, writer = other.topic(topic.name), log.writer("a")
    cursor: dict[int, int] = there.end()
    for n in range(3):
        write(writer, topic, b"%d" % n)
        assert [b.entries[0][1] for b in read_on(there, cursor)] == [b"%d" % n]
    assert values_of(again().topic(topic.name)) == [b"0", b"1", b"2"]


def test_a_key_goes_to_the_partition_of_its_hash(log: Log) -> None:
    """A record without a partition goes where its key belongs; no key counts as empty."""
    topic, writer = make(log, 4), log.writer("a")
    keys = [b"%d" % n for n in range(40)]
    for key in keys:
        writer.append(topic.name, key, key=key)
    writer.append(topic.name, b"none")
    writer.commit()
    for p in range(4):
        wanted = [key for key in keys if partition_of(key, 4) == p]
        wanted += [b"none"] if partition_of(b"", 4) == p else []
        assert values_of(topic, p) == wanted


@given(st.binary(max_size=50), st.integers(1, 100))
def test_partitions_are_those_of_kafka(key: bytes, partitions: int) -> None:
    """A key has the partition that Kafka's own clients give it."""
    assert partition_of(key, partitions) == (murmur2(key) & 0x7FFFFFFF) % partitions
