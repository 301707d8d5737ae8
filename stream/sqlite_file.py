"""An embedded log looked at from outside: what its file is like, and nothing changed by it."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

_STEPS = 10_000
"""Instructions of SQLite's between two looks at the clock."""


@dataclass(frozen=True, slots=True)
class Health:
    """What a check of a file found.

    `flaws` are SQLite's own words, none for a sound file. `whole` is False where there was
    no time to look at all of it.
    """

    flaws: tuple[str, ...]
    whole: bool


def wal_of(path: Path) -> Path:
    """Return the write-ahead log of a file, there while anybody has the file open."""
    return path.with_name(f"{path.name}-wal")


def open_to_look(path: Path, timeout: float = 5.0) -> sqlite3.Connection:
    """Return a connection that can change nothing.

    Raises `sqlite3.Error`.
    """
    # A file nobody has open is read as it lies: merely to read one in WAL mode, SQLite would
    # make two files beside it.
    alone = "" if wal_of(path).exists() else "&immutable=1"
    return sqlite3.connect(
        f"file:{quote(str(path.absolute()))}?mode=ro{alone}",
        uri=True,
        timeout=timeout,
        isolation_level=None,
        check_same_thread=False,
    )


def check(path: Path, *, within: float = 5.0) -> Health:
    """Look for damage with `PRAGMA quick_check`, for up to `within` seconds."""
    deadline = time.monotonic() + within
    try:
        with contextlib.closing(open_to_look(path)) as db:
            db.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS)
            found = [str(row[0]) for row in db.execute("PRAGMA quick_check(5)")]
    except sqlite3.OperationalError as error:
        if "interrupted" in str(error):
            return Health((), whole=False)
        return Health((str(error),), whole=True)
    except sqlite3.DatabaseError as error:
        return Health((str(error),), whole=True)
    return Health(tuple(each for each in found if each != "ok"), whole=True)
