"""Records on their way from elsewhere into the topic of samples, and how far they have come.

The last record that a commit brings to a partition has two headers: who copied it, and the
state of the copy after that commit. Its row is the number of the commit, so that the newest
is found.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from producer.emissions import LABEL, QUESTION, SAMPLE
from producer.replay import Progress
from stream.errors import SettingError
from stream.records import (
    UNSET,
    Declare,
    Label,
    Record,
    check_size,
    decode,
    encode,
)
from stream.topic import Entry, Topic, Writer, backwards, partition_of

_WHO, _STATE = "copy", "cursors"


class Intake:
    """What brings records into a topic, in commits, each with a state of the copy.

    `sent` counts what was written by kind, `pending` what the next commit holds.
    """

    def __init__(self, topic: Topic, writer: Writer, name: str) -> None:
        self.sent: Counter[str] = Counter()
        self.pending, self.partitions = 0, topic.partitions
        self._topic, self._writer, self._name = topic, writer, name.encode()
        self._waiting: dict[int, list[tuple[bytes, bytes | None]]] = {}
        rows = writer.rows(topic.name)
        self._commits = max(rows.values(), default=-1)
        self.state: dict[str, Any] = self._found(rows) if rows else {}
        """What the last commit of this name left as its state; empty before the first."""

    def _found(self, rows: dict[int, int]) -> dict[str, Any]:
        newest = max(rows, key=rows.__getitem__)
        for entry in backwards(self._topic, newest):
            if entry.headers.get(_WHO) == self._name:
                found: dict[str, Any] = json.loads(entry.headers[_STATE])
                return found
        raise SettingError(
            f"{self._topic.name} no longer keeps the record that tells how far this copy is; "
            "write to a stream of another name, and keep its samples longer"
        )

    def progress(self, seconds: float, skipped: Counter[str]) -> Progress:
        """Return how far it is after so many seconds, with what was left out by reason."""
        return Progress(
            samples=self.sent[SAMPLE] + self.sent[QUESTION],
            total=None,
            messages=self.sent.total(),
            resumed=0,
            skipped=skipped.total(),
            seconds=seconds,
        )

    def add(self, record: Record, value: bytes) -> None:
        """Add a record, which stands in `value`, to the partition of its id."""
        key = None if record.id is None else str(record.id).encode()
        self._put(partition_of(key or b"", self._topic.partitions), value, key)
        if record.x is not UNSET:
            self.sent[QUESTION if record.y is None else SAMPLE] += 1
        else:
            self.sent["wish" if record.forget else LABEL] += 1

    def tell(self, value: bytes, partitions: Iterable[int]) -> None:
        """Add a command or a mark to some partitions."""
        for p in partitions:
            self._put(p, value, None)
        self.sent["told"] += 1

    def declare(self, classes: Sequence[Label]) -> None:
        """Add the classes that will come, where no record is there yet."""
        if not any(self._topic.end().values()):
            known = Declare([label for label in classes if not isinstance(label, float)])
            self.tell(encode(known), range(self._topic.partitions))

    def commit(self, state: Callable[[], dict[str, Any]]) -> bool:
        """Store what is pending, and the state after it; return whether there was anything."""
        if not self.pending:
            return False
        self._commits += 1
        told = {_WHO: self._name, _STATE: json.dumps(state()).encode()}
        for p, records in self._waiting.items():
            for value, key in records[:-1]:
                self._writer.append(self._topic.name, value, partition=p, key=key)
            value, key = records[-1]
            self._writer.append(
                self._topic.name, value, partition=p, key=key, headers=told, row=self._commits
            )
        self._writer.commit()
        self._waiting, self.pending = {}, 0
        return True

    def _put(self, partition: int, value: bytes, key: bytes | None) -> None:
        self._waiting.setdefault(partition, []).append((value, key))
        self.pending += 1


def record_of(
    entry: Entry, partition: int, read: Callable[[bytes], Record] | None
) -> tuple[Record, bytes]:
    """Return the record that an entry holds, and its text; `read` None is for our own form.

    A sample without an id is called after its place, and one without event time has that of
    the entry, or of now where that has none. Raises `RecordError`.
    """
    record = (read or decode)(entry.value)
    if record.command or record.mark:
        return record, entry.value
    whole = read is None
    if record.x is not UNSET:
        if record.id is None:
            record.id, whole = f"{partition}@{entry.offset}", False
        if record.ts is None:
            record.ts = entry.timestamp if entry.timestamp >= 0 else time.time()
            whole = False
    return record, entry.value if whole else encoded(record)


def encoded(record: Record) -> bytes:
    """Return the text of a record made of what somebody else wrote.

    It may be larger than what it was made of: names repeat the way to a value, and a name of
    a column stands in each record. Raises `RecordError` for one that no reader would take.
    """
    value = encode(record)
    check_size(value)
    return value
