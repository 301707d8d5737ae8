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
from stream.sqlite_topic import SqliteTopic
from stream.sqlite_writer import SqliteWriter, begin
from stream.topic import Crew, Cursor, Retention, Topic


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
            if made:
                begin(db, made[0], range(partitions))
        return self.topic(name)

    def widen(self, name: str, partitions: int) -> None:
        """Give an existing topic as many partitions, unless it has more."""
        number = self.topic(name).number
        with self.transaction() as db:
            (count,) = db.execute(
                "SELECT partitions FROM topics WHERE topic = ?", (number,)
            ).fetchone()
            begin(db, number, range(count, partitions))
            db.execute(
                "UPDATE topics SET partitions = max(partitions, ?) WHERE topic = ?",
                (partitions, number),
            )

    def topic(self, name: str) -> SqliteTopic:
        """Return an existing topic, or raise `TopicMissing`."""
        rows = self.ask("SELECT topic, partitions, identity FROM topics WHERE name = ?", name)
        if not rows:
            raise TopicMissing.named(name, f"{str(self.path)!r}")
        return SqliteTopic(self, name, *rows[0])

    def claim(self, group: str) -> int:
        """Take a group from whoever has it: the epoch of its writers goes up."""
        with self.transaction() as db:
            (epoch,) = db.execute(
                "INSERT INTO writers VALUES (?, 1) "
                "ON CONFLICT DO UPDATE SET epoch = epoch + 1 RETURNING epoch",
                (group,),
            ).fetchone()
        return int(epoch)

    def writer(
        self, name: str, *, atomic: bool = True, claim: int | None = None
    ) -> SqliteWriter:
        """Return a writer of that name, fencing any other but those of its claim."""
        epoch = self.claim(name) if claim is None else claim
        return SqliteWriter(self, self.topic, name, epoch)

    def join(
        self,
        group: str,
        topic: Topic,
        *,
        member: str | None = None,
        exactly_once: bool = True,
        crew: Crew | None = None,
    ) -> Alone:
        """Return a seat with all partitions or its crew's share, fencing whoever had them."""
        return Alone(self, group, topic, exactly_once=self.exactly_once, crew=crew)

    def committed(self, group: str) -> dict[int, int]:
        """Return the cursors that `group` last committed."""
        return dict(self.ask("SELECT partition, cursor FROM cursors WHERE name = ?", group))

    def groups(self) -> list[str]:
        """Return the names of whatever has committed cursors."""
        return [name for (name,) in self.ask("SELECT DISTINCT name FROM cursors ORDER BY name")]

    def show(self, group: str, cursors: Cursor) -> None:
        """Do nothing: committed cursors are there to see already."""

    def heed(self, stopping: Callable[[], bool]) -> Callable[[], None]:
        """Do nothing: nobody is waited for here without end."""
        return lambda: None

    def hold(self, group: str, cursors: Cursor) -> None:
        """Keep retention from removing the records from `cursors` on."""
        with self.transaction() as db:
            db.executemany(
                "UPDATE cursors SET hold = ? WHERE name = ? AND partition = ?",
                [(cursor, group, p) for p, cursor in cursors.items()],
            )
