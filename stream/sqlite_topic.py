"""Reading the embedded log."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator, Sequence
from typing import Any

from stream.errors import CursorExpired, TopicFailed, TopicReplaced
from stream.sqlite_db import Database
from stream.topic import Batch, Cursor, Entries, Entry, Retention

_COLUMNS = "offset, value, key, headers, at"
_LOOK = 0.003
"""Seconds between two looks of a reader that waits."""


class SqliteTopic:
    """A topic of a `SqliteLog`; see `stream.topic.Topic`."""

    def __init__(
        self, log: Database, name: str, number: int, partitions: int, identity: str
    ) -> None:
        self.name, self.partitions, self.identity = name, partitions, identity
        self.number = number
        self._log, self._turn = log, 0

    def first(self) -> dict[int, int]:
        """Return the offset of the oldest record kept in each partition."""
        return self._ends("first")

    def end(self) -> dict[int, int]:
        """Return the cursor after the last record of each partition."""
        return self._ends("next")

    def refresh(self) -> None:
        """Take note of partitions that were added since. Raises `TopicReplaced`."""
        found = self._log.ask(
            "SELECT partitions FROM topics WHERE topic = ? AND identity = ?",
            self.number,
            self.identity,
        )
        if not found:
            raise TopicReplaced.named(self.name)
        ((self.partitions,),) = found

    def retention(self) -> Retention:
        """Return how long records are kept."""
        (kept,) = self._log.ask(
            "SELECT keep_seconds, keep_size FROM topics WHERE topic = ?", self.number
        )
        return Retention(*kept)

    def _ends(self, column: str) -> dict[int, int]:
        found = self._log.ask(
            f"SELECT partition, {column} FROM ends WHERE topic = ?", self.number
        )
        if not found:
            raise TopicReplaced.named(self.name)
        return dict(found)

    def read(self, cursor: Cursor, *, limit: int, wait: float) -> Sequence[Batch]:
        """Return at most `limit` entries from `cursor` on."""
        return [
            Batch(p, rows, rows[-1][0] + 1)
            for p, rows in self._rows("offset, value", cursor, limit, wait)
        ]

    def read_entries(self, cursor: Cursor, *, limit: int, wait: float) -> Sequence[Entries]:
        """Return at most `limit` entries from `cursor` on, with all there is to each."""
        return [
            Entries(p, [_entry(row) for row in rows], rows[-1][0] + 1)
            for p, rows in self._rows(_COLUMNS, cursor, limit, wait)
        ]

    def _rows(
        self, columns: str, cursor: Cursor, limit: int, wait: float
    ) -> Iterator[tuple[int, list[tuple[Any, ...]]]]:
        deadline = time.monotonic() + wait
        while True:
            end = self.end()
            behind = [p for p in cursor if cursor[p] < end[p]]
            if behind or time.monotonic() >= deadline:
                break
            self._log.wait(_LOOK)
        # Those behind share the limit and take turns at its odd rest: none starves.
        self._turn += 1
        for left in range(len(behind), 0, -1):
            p = behind[(self._turn + left) % len(behind)]
            if share := -(-limit // left):
                rows = self._fetch(columns, p, cursor[p], end[p], share)
                yield p, rows
                limit -= len(rows)

    def scan(
        self, partition: int, start: int, stop: int, *, within: float = math.inf
    ) -> Iterator[Entry]:
        """Yield the entries of `[start, stop)`."""
        stop = min(stop, self.end()[partition])
        while start < stop:
            for row in self._fetch(_COLUMNS, partition, start, stop, 1000):
                yield _entry(row)
                start = row[0] + 1

    def newest(self, partition: int) -> Entry | None:
        """Return the newest record of a partition, or None."""
        rows = self._log.ask(
            f"SELECT {_COLUMNS} FROM {table(self.number, partition)} "
            "ORDER BY offset DESC LIMIT 1"
        )
        return _entry(rows[0]) if rows else None

    def _fetch(
        self, columns: str, partition: int, start: int, stop: int, limit: int
    ) -> list[tuple[Any, ...]]:
        rows = self._log.ask(
            f"SELECT {columns} FROM {table(self.number, partition)} "
            "WHERE offset >= ? AND offset < ? ORDER BY offset LIMIT ?",
            start,
            stop,
            limit,
        )
        # Offsets have no holes here: whatever is missing in front, retention has taken.
        if not rows or rows[0][0] != start:
            if (oldest := self.first()[partition]) <= start:
                raise TopicFailed(
                    f"{str(self._log.path)!r} has lost {self.name}[{partition}]@{start}, which "
                    "it says it keeps; restore the file"
                )
            raise CursorExpired.at(self.name, partition, start, oldest)
        return rows


def table(topic: int, partition: int) -> str:
    """Return the name of a partition's table; both are whole numbers, never text."""
    return f"log_{topic:d}_{partition:d}"


def _entry(row: tuple[Any, ...]) -> Entry:
    offset, value, key, headers, at = row
    return Entry(offset, value, key, _headers(headers), at)


def _headers(text: str | None) -> dict[str, bytes]:
    return {k: v.encode("latin-1") for k, v in json.loads(text).items()} if text else {}
