"""Writing to the embedded log, and removing what it no longer keeps.

A commit is one `BEGIN IMMEDIATE`: records, cursors, rows, and the check that no newer writer
of the same name exists.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from stream.errors import Fenced, TopicFailed, TopicTimeout
from stream.sqlite_db import Database
from stream.sqlite_topic import SqliteTopic, table
from stream.topic import Cursor, partition_of

_SWEEP = 5.0
"""Seconds between two rounds of retention, at least."""
_TRIM = 512 * 1024
"""Bytes committed between two moves of the write-ahead log into the database file."""
_SLICE = 20_000
"""Records removed in one statement, at most."""


class SqliteWriter:
    """An appender to a `SqliteLog`; see `stream.topic.Writer`."""

    def __init__(
        self, log: Database, topic: Callable[[str], SqliteTopic], name: str, epoch: int
    ) -> None:
        self._topic = topic
        self._log, self._name, self._epoch = log, name, epoch
        self._topics: dict[str, SqliteTopic] = {}
        self._waiting: dict[tuple[int, int], list[tuple[Any, ...]]] = {}
        self._rows: dict[tuple[int, int], int] = {}
        self._swept = time.monotonic()
        self._untrimmed = 0

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
        """Add a record to the next commit."""
        into = self._topics.get(topic)
        if into is None:
            into = self._topics[topic] = self._topic(topic)
        if partition is None:
            partition = partition_of(key or b"", into.partitions)
        place = into.number, partition
        at = time.time() if timestamp is None else timestamp
        text = _text(headers) if headers else None
        self._waiting.setdefault(place, []).append((value, key, text, at))
        if row is not None:
            self._rows[place] = row

    def commit(self, cursors: Cursor | None = None, *, within: float = 30.0) -> None:
        """Store all that was appended, and the cursors, in one transaction."""
        with self._log.transaction(within) as db:
            (epoch,) = db.execute(
                "SELECT epoch FROM writers WHERE name = ?", (self._name,)
            ).fetchone()
            if epoch != self._epoch:
                raise Fenced.by_name(self._name)
            for place, records in self._waiting.items():
                self._insert(db, place, records)
            for (topic, p), row in self._rows.items():
                db.execute(
                    "INSERT INTO rows VALUES (?, ?, ?, ?) "
                    "ON CONFLICT DO UPDATE SET row = excluded.row",
                    (self._name, topic, p, row),
                )
            for p, cursor in (cursors or {}).items():
                db.execute(
                    "INSERT INTO cursors VALUES (?, ?, ?, 0) "
                    "ON CONFLICT DO UPDATE SET cursor = excluded.cursor",
                    (self._name, p, cursor),
                )
        self._untrimmed += sum(len(r[0]) for each in self._waiting.values() for r in each)
        self._waiting.clear()
        self._rows.clear()
        if time.monotonic() - self._swept > _SWEEP:
            self._swept = time.monotonic()
            # The records are stored, whatever becomes of this round.
            with contextlib.suppress(TopicFailed, TopicTimeout):
                self._sweep()
        if self._untrimmed > _TRIM:
            self._untrimmed = 0
            self._log.trim()

    def _insert(
        self, db: sqlite3.Connection, place: tuple[int, int], records: list[tuple[Any, ...]]
    ) -> None:
        (next_,) = db.execute(
            "UPDATE ends SET next = next + ?, size = size + ? "
            "WHERE topic = ? AND partition = ? RETURNING next - ?",
            (len(records), sum(len(r[0]) for r in records), *place, len(records)),
        ).fetchone()
        db.executemany(
            f"INSERT INTO {table(*place)} VALUES (?, ?, ?, ?, ?)",
            [(next_ + i, *record) for i, record in enumerate(records)],
        )

    def _sweep(self) -> None:
        """Remove what retention no longer keeps, of all topics, but nothing held."""
        limited = self._log.ask(
            "SELECT topic, name, partition, keep_seconds, keep_size FROM topics "
            "JOIN ends USING (topic) WHERE keep_seconds IS NOT NULL OR keep_size IS NOT NULL"
        )
        for topic, name, p, seconds, size in limited:
            dropping = True
            while dropping:
                with self._log.transaction() as db:
                    dropping = _drop(db, topic, p, _held(db, name, p), seconds, size)

    def rows(self, topic: str) -> dict[int, int]:
        """Return the last committed `row` in each partition."""
        found = self._log.ask(
            "SELECT partition, row FROM rows JOIN topics USING (topic) "
            "WHERE writer = ? AND name = ?",
            self._name,
            topic,
        )
        return dict(found)

    def close(self) -> None:
        """Drop what was not committed."""
        self._waiting.clear()
        self._rows.clear()


def begin(db: sqlite3.Connection, topic: int, partitions: Iterable[int]) -> None:
    """Begin empty partitions of a topic."""
    for p in partitions:
        db.execute("INSERT INTO ends VALUES (?, ?, 0, 0, 0)", (topic, p))
        db.execute(
            f"CREATE TABLE {table(topic, p)} (offset INTEGER PRIMARY KEY, "
            "value BLOB NOT NULL, key BLOB, headers TEXT, at REAL NOT NULL)"
        )


def _held(db: sqlite3.Connection, topic: str, partition: int) -> int | None:
    """Return the first offset a learner may still need; samples are all that is held."""
    if not topic.endswith(".samples"):
        return None
    held: int | None
    (held,) = db.execute(
        "SELECT min(hold) FROM cursors WHERE partition = ?", (partition,)
    ).fetchone()
    return held


def _drop(
    db: sqlite3.Connection,
    topic: int,
    partition: int,
    held: int | None,
    seconds: float | None,
    size: int | None,
) -> bool:
    """Remove up to a slice of what is too old, or too much, and not held; return whether."""
    place, name = (topic, partition), table(topic, partition)
    kept, first, next_ = db.execute(
        "SELECT size, first, next FROM ends WHERE topic = ? AND partition = ?", place
    ).fetchone()
    limit = min(next_, first + _SLICE, next_ if held is None else held)
    sizes = db.execute(
        f"SELECT offset, length(value), at FROM {name} WHERE offset < ? ORDER BY offset",
        (limit,),
    ).fetchall()
    oldest = time.time() - seconds if seconds is not None else float("-inf")
    gone = 0
    before = first
    for offset, length, at in sizes:
        if at >= oldest and (size is None or kept - gone <= size):
            break
        gone += length
        before = offset + 1
    if before == first:
        return False
    db.execute(f"DELETE FROM {name} WHERE offset < ?", (before,))
    db.execute(
        "UPDATE ends SET first = ?, size = size - ? WHERE topic = ? AND partition = ?",
        (before, gone, *place),
    )
    return True


def _text(headers: Mapping[str, bytes]) -> str:
    return json.dumps({key: value.decode("latin-1") for key, value in headers.items()})
