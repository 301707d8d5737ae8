"""The embedded log: one SQLite file, several processes, no server.

Each partition is a table of its own, so that appending is appending and reading is a range
scan. A commit is one `BEGIN IMMEDIATE`: records, cursors, rows, and the check that no newer
writer of the same name exists.

Two rules keep the write-ahead log short. A read is one statement, fetched whole: a reader
that held a snapshot open would keep SQLite from reusing the log. And only writers move it
into the database file; readers never do.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import threading
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from stream.errors import (
    CursorExpired,
    Fenced,
    SettingError,
    TopicFailed,
    TopicMissing,
    TopicTimeout,
)
from stream.seats import Alone
from stream.sqlite_file import open_to_look
from stream.topic import Batch, Cursor, Entries, Entry, Retention, Topic, partition_of

_SCHEMA = """
CREATE TABLE IF NOT EXISTS topics (
    topic INTEGER PRIMARY KEY, name TEXT UNIQUE NOT NULL, partitions INTEGER NOT NULL,
    identity TEXT NOT NULL, keep_seconds REAL, keep_size INTEGER);
CREATE TABLE IF NOT EXISTS ends (
    topic INTEGER, partition INTEGER, first INTEGER NOT NULL, next INTEGER NOT NULL,
    size INTEGER NOT NULL, PRIMARY KEY (topic, partition)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS writers (
    name TEXT PRIMARY KEY, epoch INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS rows (
    writer TEXT, topic INTEGER, partition INTEGER, row INTEGER NOT NULL,
    PRIMARY KEY (writer, topic, partition)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS cursors (
    name TEXT, partition INTEGER, cursor INTEGER NOT NULL, hold INTEGER,
    PRIMARY KEY (name, partition)) WITHOUT ROWID;
"""
_COLUMNS = "offset, value, key, headers, at"
_OURS = 0x64726674
"""Stands in the file's header ("drft"), as SQLite's `application_id`."""
_LOOK = 0.003
"""Seconds between two looks of a reader that waits."""
_SWEEP = 5.0
"""Seconds between two rounds of retention, at least."""
_TRIM = 512 * 1024
"""Bytes committed between two moves of the write-ahead log into the database file."""
_SLICE = 20_000
"""Records fetched or removed in one statement, at most."""


class SqliteLog:
    """A log in one SQLite file; see `stream.topic.Log`.

    `sync` is SQLite's `synchronous`: FULL survives a power cut, NORMAL a crash of the
    process. Without `create` a file that is not there is not made; `read_only` changes
    nothing at all, neither in the file nor beside it. Raises `SettingError` when
    the file is no log of ours or cannot be opened.
    """

    exactly_once = True
    stream = "local"
    """The file is the stream; a name taken from it would not survive a renaming."""

    def __init__(
        self,
        path: str | Path,
        *,
        sync: str = "FULL",
        timeout: float = 30.0,
        create: bool = True,
        read_only: bool = False,
    ) -> None:
        self.path, self._read_only = Path(path), read_only
        if not (create and not read_only) and not self.path.exists():
            raise SettingError(
                f"no embedded log at {str(self.path)!r}; name the file that "
                "'driftline produce' made, as --stream sqlite:PATH"
            )
        self._sync, self._timeout = sync, timeout
        self._local = threading.local()
        self._opened: list[sqlite3.Connection] = []
        self._stop = threading.Event()
        try:
            self._check_owner()
            if read_only:
                return
            with self.transaction() as db:
                for statement in _SCHEMA.split(";"):
                    db.execute(statement)
                db.execute(f"PRAGMA application_id={_OURS}")
        except (sqlite3.DatabaseError, TopicFailed) as error:
            self.close()
            raise SettingError(
                f"{str(self.path)!r} cannot be used as an embedded log: {error}; "
                "name another file after 'sqlite:'"
            ) from error

    def _check_owner(self) -> None:
        """Refuse a database of somebody else's before anything is changed in it."""
        if self._read_only:
            db = open_to_look(self.path, self._timeout)
        else:
            db = sqlite3.connect(self.path, timeout=self._timeout)
        with contextlib.closing(db):
            owner, tables = db.execute(
                "SELECT application_id, (SELECT count(*) FROM sqlite_master) "
                "FROM pragma_application_id"
            ).fetchone()
        if owner != _OURS and (tables or self._read_only):
            raise TopicFailed("it is a database of another program")

    def connection(self) -> sqlite3.Connection:
        """Return this thread's connection."""
        db: sqlite3.Connection | None = getattr(self._local, "db", None)
        if db is None and self._read_only:
            db = self._local.db = open_to_look(self.path, self._timeout)
            self._opened.append(db)
        if db is None:
            db = self._local.db = sqlite3.connect(
                self.path, timeout=self._timeout, isolation_level=None, check_same_thread=False
            )
            _write_ahead(db, self._timeout)
            db.execute(f"PRAGMA synchronous={self._sync}")
            db.execute("PRAGMA wal_autocheckpoint=0")
            self._opened.append(db)
        return db

    def create(
        self, name: str, *, partitions: int, retention: Retention | None = None
    ) -> SqliteTopic:
        """Return the topic of that name, making it when it is missing."""
        keep = retention or Retention()
        with self.transaction() as db:
            made = db.execute(
                "INSERT INTO topics (name, partitions, identity, keep_seconds, keep_size) "
                "VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING topic",
                (name, partitions, uuid.uuid4().hex, keep.seconds, keep.size),
            ).fetchone()
            for p in range(partitions if made else 0):
                db.execute("INSERT INTO ends VALUES (?, ?, 0, 0, 0)", (made[0], p))
                db.execute(
                    f"CREATE TABLE {table(made[0], p)} (offset INTEGER PRIMARY KEY, "
                    "value BLOB NOT NULL, key BLOB, headers TEXT, at REAL NOT NULL)"
                )
        return self.topic(name)

    def topic(self, name: str) -> SqliteTopic:
        """Return an existing topic, or raise `TopicMissing`."""
        rows = self.ask("SELECT topic, partitions, identity FROM topics WHERE name = ?", name)
        if not rows:
            raise TopicMissing.named(name, f"{str(self.path)!r}")
        return SqliteTopic(self, name, *rows[0])

    def writer(self, name: str, *, atomic: bool = True) -> SqliteWriter:
        """Return a writer of that name, fencing any other."""
        with self.transaction() as db:
            (epoch,) = db.execute(
                "INSERT INTO writers VALUES (?, 1) "
                "ON CONFLICT DO UPDATE SET epoch = epoch + 1 RETURNING epoch",
                (name,),
            ).fetchone()
        return SqliteWriter(self, name, epoch)

    def join(
        self, group: str, topic: Topic, *, member: str | None = None, exactly_once: bool = True
    ) -> Alone:
        """Return a seat with all partitions, fencing whoever had them."""
        return Alone(self, group, topic, exactly_once=self.exactly_once)

    def committed(self, group: str) -> dict[int, int]:
        """Return the cursors that `group` last committed."""
        return dict(self.ask("SELECT partition, cursor FROM cursors WHERE name = ?", group))

    def groups(self) -> list[str]:
        """Return the names of whatever has committed cursors."""
        return [name for (name,) in self.ask("SELECT DISTINCT name FROM cursors ORDER BY name")]

    def show(self, group: str, cursors: Cursor) -> None:
        """Do nothing: committed cursors are there to see already."""

    def hold(self, group: str, cursors: Cursor) -> None:
        """Keep retention from removing the records from `cursors` on."""
        with self.transaction() as db:
            db.executemany(
                "UPDATE cursors SET hold = ? WHERE name = ? AND partition = ?",
                [(cursor, group, p) for p, cursor in cursors.items()],
            )

    def ask(self, question: str, *values: object) -> list[tuple[Any, ...]]:
        """Return the rows of one SELECT, fetched whole."""
        try:
            return self.connection().execute(question, values).fetchall()
        except sqlite3.Error as error:
            raise TopicFailed(
                f"{str(self.path)!r} could not be read: {error}; mend or restore the file"
            ) from error

    @contextlib.contextmanager
    def transaction(self, within: float | None = None) -> Iterator[sqlite3.Connection]:
        """Give a connection inside `BEGIN IMMEDIATE`, committed at the end or rolled back."""
        db = self.connection()
        within = self._timeout if within is None else within
        try:
            db.execute(f"PRAGMA busy_timeout={round(within * 1000)}")
            db.execute("BEGIN IMMEDIATE")
            yield db
            db.execute("COMMIT")
        except BaseException as error:
            # A full disk has rolled back by itself.
            if db.in_transaction:
                db.execute("ROLLBACK")
            if isinstance(error, sqlite3.OperationalError) and "locked" in str(error):
                raise TopicTimeout(
                    f"{str(self.path)!r} was locked for {within:g} s ({error}); "
                    "end whatever else holds it"
                ) from error
            if isinstance(error, sqlite3.Error):
                raise TopicFailed(
                    f"{str(self.path)!r} could not store ({error}); nothing of this commit "
                    "was kept: make room or mend the file, and start again"
                ) from error
            raise

    def trim(self) -> None:
        """Move the write-ahead log into the database file, as far as readers allow."""
        # What is committed stays so, wherever it lies: the next time will do as well.
        with contextlib.suppress(sqlite3.OperationalError):
            self.connection().execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    def wait(self, seconds: float) -> None:
        """Wait, or less when the log is closed meanwhile."""
        self._stop.wait(seconds)

    def close(self) -> None:
        """Close every connection."""
        self._stop.set()
        for db in self._opened:
            db.close()
        self._opened.clear()


class SqliteTopic:
    """A topic of a `SqliteLog`; see `stream.topic.Topic`."""

    def __init__(
        self, log: SqliteLog, name: str, number: int, partitions: int, identity: str
    ) -> None:
        self.name, self.partitions, self.identity = name, partitions, identity
        self._log, self._number, self._turn = log, number, 0

    def first(self) -> dict[int, int]:
        """Return the offset of the oldest record kept in each partition."""
        return self._ends("first")

    def end(self) -> dict[int, int]:
        """Return the cursor after the last record of each partition."""
        return self._ends("next")

    def retention(self) -> Retention:
        """Return how long records are kept."""
        (kept,) = self._log.ask(
            "SELECT keep_seconds, keep_size FROM topics WHERE topic = ?", self._number
        )
        return Retention(*kept)

    def _ends(self, column: str) -> dict[int, int]:
        return dict(
            self._log.ask(f"SELECT partition, {column} FROM ends WHERE topic = ?", self._number)
        )

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

    def scan(self, partition: int, start: int, stop: int) -> Iterator[Entry]:
        """Yield the entries of `[start, stop)`."""
        stop = min(stop, self.end()[partition])
        while start < stop:
            for row in self._fetch(_COLUMNS, partition, start, stop, 1000):
                yield _entry(row)
                start = row[0] + 1

    def newest(self, partition: int) -> Entry | None:
        """Return the newest record of a partition, or None."""
        rows = self._log.ask(
            f"SELECT {_COLUMNS} FROM {table(self._number, partition)} "
            "ORDER BY offset DESC LIMIT 1"
        )
        return _entry(rows[0]) if rows else None

    def _fetch(
        self, columns: str, partition: int, start: int, stop: int, limit: int
    ) -> list[tuple[Any, ...]]:
        rows = self._log.ask(
            f"SELECT {columns} FROM {table(self._number, partition)} "
            "WHERE offset >= ? AND offset < ? ORDER BY offset LIMIT ?",
            start,
            stop,
            limit,
        )
        # Offsets have no holes here: whatever is missing in front, retention has taken.
        if not rows or rows[0][0] != start:
            raise CursorExpired.at(self.name, partition, start, self.first()[partition])
        return rows


class SqliteWriter:
    """An appender to a `SqliteLog`; see `stream.topic.Writer`."""

    def __init__(self, log: SqliteLog, name: str, epoch: int) -> None:
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
            into = self._topics[topic] = self._log.topic(topic)
        if partition is None:
            partition = partition_of(key or b"", into.partitions)
        place = into._number, partition
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


def _write_ahead(db: sqlite3.Connection, within: float) -> None:
    """Switch a file to WAL; two processes that do so at once are told 'locked' at once."""
    deadline = time.monotonic() + within
    while True:
        try:
            db.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            threading.Event().wait(_LOOK)
        else:
            return


def table(topic: int, partition: int) -> str:
    """Return the name of a partition's table; both are whole numbers, never text."""
    return f"log_{topic:d}_{partition:d}"


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


def _entry(row: tuple[Any, ...]) -> Entry:
    offset, value, key, headers, at = row
    return Entry(offset, value, key, _headers(headers), at)


def _text(headers: Mapping[str, bytes]) -> str:
    return json.dumps({key: value.decode("latin-1") for key, value in headers.items()})


def _headers(text: str | None) -> dict[str, bytes]:
    return {k: v.encode("latin-1") for k, v in json.loads(text).items()} if text else {}
