"""The database behind an embedded log: connections, transactions, the write-ahead log.

Two rules keep the write-ahead log short. A read is one statement, fetched whole: a reader
that held a snapshot open would keep SQLite from reusing the log. And only writers move it
into the database file; readers never do.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from stream.errors import SettingError, TopicFailed, TopicTimeout
from stream.sqlite_file import open_to_look

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
_OURS = 0x64726674
"""Stands in the file's header ("drft"), as SQLite's `application_id`."""
_LOOK = 0.003
"""Seconds between two looks of one who waits."""


class Database:
    """One SQLite file, with a connection for each thread.

    `sync` is SQLite's `synchronous`. Raises `SettingError` when the file is no log of ours or
    cannot be opened.
    """

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
