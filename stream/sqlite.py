"""The embedded log: one SQLite file, several processes, no server.

Each partition is a table of its own, so that appending is appending and reading is a range
scan. What it is made of stands in `sqlite_db`, `sqlite_topic` and `sqlite_writer`.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable

from stream.errors import TopicMissing
from stream.seats import Alone
from stream.sqlite_db import Database
from stream.sqlite_topic import SqliteTopic, table
from stream.sqlite_writer import SqliteWriter
from stream.topic import Cursor, Retention, Topic


class SqliteLog(Database):
    """A log in one SQLite file; see `stream.topic.Log`.

    `sync` is SQLite's `synchronous`: FULL survives a power cut, NORMAL a crash of the
    process. Without `create` a file that is not there is not made; `read_only` changes
    nothing at all, neither in the file nor beside it. Raises `SettingError` when
    the file is no log of ours or cannot be opened.
    """

    exactly_once = True
    stream = "local"
    """The file is the stream; a name taken from it would not survive a renaming."""

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
        return SqliteWriter(self, self.topic, name, epoch)

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

    def heed(self, stopping: Callable[[], bool]) -> None:
        """Do nothing: nobody is waited for here without end."""

    def hold(self, group: str, cursors: Cursor) -> None:
        """Keep retention from removing the records from `cursors` on."""
        with self.transaction() as db:
            db.executemany(
                "UPDATE cursors SET hold = ? WHERE name = ? AND partition = ?",
                [(cursor, group, p) for p, cursor in cursors.items()],
            )
