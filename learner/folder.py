"""Checkpoints in a folder of this host, each a file that is named after its cursor."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Collection
from pathlib import Path

from learner.durable import make_folder, write
from learner.shelf import Entry, to_keep

_OVER = 3600.0
"""Seconds after which nobody is still writing what was to become a checkpoint."""


class Folder:
    """A folder as a `Shelf`: files are written beside, synced and renamed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.place = str(path)

    def entries(self) -> list[Entry]:
        """Return the files there are, lowest cursor first."""
        if not self._path.is_dir():
            return []
        found = []
        for path in sorted(self._path.iterdir()):
            # Another learner may just have let go of it.
            with contextlib.suppress(FileNotFoundError):
                if path.name.isdecimal():
                    stat = path.stat()
                    entry = Entry(int(path.name), str(path), stat.st_size, stat.st_mtime)
                    found.append(entry)
        return found

    def read(self, entry: Entry) -> bytes:
        """Return a file's bytes."""
        return Path(entry.name).read_bytes()

    def put(self, cursor: int, body: bytes, bad: Collection[str] = ()) -> None:
        """Write a file, then remove old ones."""
        make_folder(self._path)
        path = self._path / f"{cursor:020d}"
        write(path, body)
        entries = self.entries()
        kept = to_keep(entries, {name for name in bad if name != str(path)})
        for old in entries:
            if old.cursor < kept[0].cursor:
                self.remove(old)
        self._sweep()

    def _sweep(self) -> None:
        """Remove what writers have left that were killed while they wrote."""
        for path in self._path.glob(".*.tmp"):
            with contextlib.suppress(FileNotFoundError):
                if time.time() - path.stat().st_mtime > _OVER:
                    path.unlink()

    def remove(self, entry: Entry) -> None:
        """Remove a file."""
        Path(entry.name).unlink(missing_ok=True)

    def retire(self) -> None:
        """Rename the folder."""
        if self.entries():
            aside = self._path.with_name(f"{self._path.name}.before-{time.time_ns()}")
            self._path.rename(aside)
