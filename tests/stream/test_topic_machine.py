"""Logs against a model of them: a list of values for each partition."""

import contextlib
import tempfile
import uuid
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from stream.errors import Fenced
from stream.memory import MemoryLog
from stream.sqlite import SqliteLog
from stream.topic import Log, Topic, Writer, partition_of

PARTITIONS = 3
WAIT = 10.0
numbers = st.integers(0, 10**6)


class Machine(RuleBasedStateMachine):
    """Two writers' names, one topic, and what ought to be in it."""

    def open(self) -> Log:
        """Return an empty log."""
        raise NotImplementedError

    @initialize()
    def start(self) -> None:
        """Start with an empty topic and a writer of each name."""
        self.log = self.open()
        name = f"{uuid.uuid4().hex[:12]}.samples"
        self.topic: Topic = self.log.create(name, partitions=PARTITIONS)
        self.stored: list[list[bytes]] = [[] for _ in range(PARTITIONS)]
        self.rows: dict[str, dict[int, int]] = {"a": {}, "b": {}}
        self.writers: dict[str, Writer] = {name: self.writer(name) for name in "ab"}
        self.waiting: dict[str, list[tuple[int, bytes, int | None]]] = {"a": [], "b": []}
        self.row = 0

    def writer(self, name: str) -> Writer:
        """Return a new writer; a name means the whole cluster, and examples must not meet."""
        return self.log.writer(f"{name}-{self.topic.name}")

    @rule(
        name=st.sampled_from("ab"),
        value=st.binary(max_size=40),
        partition=st.none() | st.integers(0, PARTITIONS - 1),
        key=st.none() | st.binary(max_size=8),
        with_row=st.booleans(),
    )
    def append(
        self, name: str, value: bytes, partition: int | None, key: bytes | None, with_row: bool
    ) -> None:
        """Append a record, to be committed later."""
        self.row += 1
        row = self.row if with_row else None
        self.writers[name].append(self.topic.name, value, partition=partition, key=key, row=row)
        into = partition_of(key or b"", PARTITIONS) if partition is None else partition
        self.waiting[name].append((into, value, row))

    @rule(name=st.sampled_from("ab"))
    def commit(self, name: str) -> None:
        """Commit what was appended."""
        self.writers[name].commit()
        for partition, value, row in self.waiting[name]:
            self.stored[partition].append(value)
            if row is not None:
                self.rows[name][partition] = row
        self.waiting[name].clear()

    @rule(name=st.sampled_from("ab"))
    def drop(self, name: str) -> None:
        """End a writer without a commit, and start the next of its name."""
        self.writers[name].close()
        self.waiting[name].clear()
        self.writers[name] = self.writer(name)

    @rule(name=st.sampled_from("ab"))
    def take_over(self, name: str) -> None:
        """Start a writer beside one of the same name; the older can store no more."""
        older = self.writers[name]
        self.writers[name] = self.writer(name)
        older.append(self.topic.name, b"zombie", partition=0)
        with pytest.raises(Fenced):
            older.commit()
        older.close()
        self.waiting[name].clear()

    @precondition(lambda self: any(self.stored))
    @rule(
        places=st.lists(numbers, min_size=PARTITIONS, max_size=PARTITIONS),
        limit=st.integers(1, 9),
    )
    def read(self, places: list[int], limit: int) -> None:
        """Read several partitions from arbitrary places to the end."""
        cursor, wanted = {}, {}
        for p, stored in enumerate(self.stored):
            offsets = [entry.offset for entry in self.topic.scan(p, 0, 10**9)]
            place = places[p] % (len(stored) + 1)
            cursor[p] = [*offsets, self.topic.end()[p]][place]
            wanted[p] = stored[place:]
        end = self.topic.end()
        found: dict[int, list[bytes]] = {p: [] for p in cursor}
        while any(cursor[p] < end[p] for p in cursor):
            batches = self.topic.read(cursor, limit=limit, wait=WAIT)
            assert len(batches) > 0
            assert sum(len(batch.entries) for batch in batches) <= limit
            for batch in batches:
                found[batch.partition] += [value for _, value in batch.entries]
                cursor[batch.partition] = batch.next
        assert found == wanted
        assert cursor == end

    @rule(partition=st.integers(0, PARTITIONS - 1), begin=numbers, length=st.integers(0, 10))
    def scan(self, partition: int, begin: int, length: int) -> None:
        """Scan a part of a partition."""
        entries = list(self.topic.scan(partition, 0, 10**9))
        assert [entry.value for entry in entries] == self.stored[partition]
        part = entries[begin % (len(entries) + 1) :][:length]
        if part:
            start, stop = part[0].offset, part[-1].offset + 1
            assert list(self.topic.scan(partition, start, stop)) == part

    @rule(name=st.sampled_from("ab"))
    def ask_rows(self, name: str) -> None:
        """Ask how far a writer of that name has come."""
        assert self.writers[name].rows(self.topic.name) == self.rows[name]

    @invariant()
    def nothing_uncommitted_shows(self) -> None:
        """What is only appended lies beyond the end."""
        end = self.topic.end()
        assert all((end[p] > 0) == bool(stored) for p, stored in enumerate(self.stored))

    def teardown(self) -> None:
        """Close the log."""
        self.log.close()


class MemoryMachine(Machine):
    """The model against a log in memory."""

    def open(self) -> Log:
        """Return an empty log."""
        return MemoryLog()


class SqliteMachine(Machine):
    """The model against an embedded log."""

    def open(self) -> Log:
        """Return a log in a new file."""
        self.folder = contextlib.ExitStack()
        folder = self.folder.enter_context(tempfile.TemporaryDirectory())
        return SqliteLog(Path(folder) / "log.db", sync="OFF")

    def teardown(self) -> None:
        """Close the log and remove its file."""
        super().teardown()
        self.folder.close()


def test_memory_keeps_to_the_model() -> None:
    """Whatever is done to a log in memory, it holds what a list of values would."""
    run_state_machine_as_test(MemoryMachine)


def test_sqlite_keeps_to_the_model() -> None:
    """Whatever is done to an embedded log, it holds what a list of values would."""
    run_state_machine_as_test(SqliteMachine, settings=settings(max_examples=50))


@pytest.mark.kafka
@pytest.mark.timeout(300)
def test_kafka_keeps_to_the_model(kafka: str) -> None:
    """Whatever is done to a topic of Kafka, it holds what a list of values would."""
    from stream.kafka import KafkaLog

    class KafkaMachine(Machine):
        def open(self) -> Log:
            return KafkaLog(kafka.split(","), f"t-{uuid.uuid4().hex[:12]}")

    few = settings(max_examples=5, stateful_step_count=12)
    run_state_machine_as_test(KafkaMachine, settings=few)
