"""Checkpoints in a store of objects, which knows no renaming and perhaps no folders.

Each is an object under a name of its own, never written twice. A small manifest, signed, is
written last and names those that count, with their digests. Where it is missing or damaged
the objects speak for themselves: each is signed as well.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import secrets
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from learner import manifest
from learner.durable import make_folder, sync_folder
from learner.shelf import Entry, to_keep
from learner.signed import Damaged, digest_of

_log = logging.getLogger("driftline.learner")
_NAME = re.compile(r"(\d{20})-[0-9a-f]{8}")
_MANIFEST = "manifest"
_TIMES = ("mtime", "LastModified", "last_modified", "created", "updated")
"""Where stores say when an object was written."""


class Bucket:
    """The objects below a path of an fsspec file system, as a `Shelf`.

    `of` names the partition whatever the address of the store is. Without a `key` the
    manifest is not looked at: what can be listed is there.
    """

    def __init__(self, fs: Any, path: str, place: str, of: str, key: bytes | None) -> None:
        self._fs, self._path, self.place = fs, path.rstrip("/"), place
        self._of, self._key = of, key
        self._made, known = False, fs.protocol
        self._on_disk = "file" in ((known,) if isinstance(known, str) else known)

    def entries(self) -> list[Entry]:
        """Return all objects, those included that only the manifest or only a list shows."""
        found = self._listed() | self._named()
        return sorted(found.values(), key=lambda entry: (entry.cursor, entry.name))

    def read(self, entry: Entry) -> bytes:
        """Return an object's bytes. Raises `Damaged` where the manifest knows others."""
        with _failing():
            body: bytes = self._fs.cat_file(entry.name)
        if entry.digest not in (None, digest_of(body)):
            raise Damaged(f"checkpoint {entry.name!r} is not what its manifest names")
        return body

    def put(self, cursor: int, body: bytes, bad: Collection[str] = ()) -> None:
        """Write an object, then the manifest, then remove the objects before."""
        name = f"{self._path}/{cursor:020d}-{secrets.token_hex(4)}"
        known = self.entries()
        self._write(name, body)
        new = Entry(cursor, name, len(body), time.time(), digest_of(body))
        kept = to_keep([*known, new], bad)
        self._tell(kept)
        # One with a higher cursor may be another learner's, who is about to name it.
        for old in (*known, new):
            if old.cursor < kept[0].cursor:
                self._delete(old.name)

    def remove(self, entry: Entry) -> None:
        """Remove an object, and its name before it."""
        known = self._named()
        if known.pop(entry.name, None) is not None:
            self._tell([*known.values()])
        self._delete(entry.name)

    def retire(self) -> None:
        """Move all objects to names beside, the manifest first."""
        entries = self.entries()
        aside = f"{self._path}.before-{time.time_ns()}"
        if entries:
            with _failing():
                self._fs.makedirs(aside, exist_ok=True)
            self._delete(f"{self._path}/{_MANIFEST}")
        for entry in entries:
            with _failing():
                self._fs.mv(entry.name, f"{aside}/{entry.name.rpartition('/')[2]}")

    def _listed(self) -> dict[str, Entry]:
        with _failing():
            self._fs.invalidate_cache()
            try:
                found = self._fs.ls(self._path, detail=True)
            except FileNotFoundError:
                return {}
        listed = {}
        for info in found:
            name = f"{self._path}/{str(info['name']).rpartition('/')[2]}"
            if match := _NAME.fullmatch(name.rpartition("/")[2]):
                size = int(info["size"] or 0)
                listed[name] = Entry(int(match[1]), name, size, _when(info))
        return listed

    def _named(self) -> dict[str, Entry]:
        """Return what the manifest names, nothing where there is none or it is damaged."""
        if self._key is None:
            return {}
        try:
            with _failing():
                body = self._fs.cat_file(f"{self._path}/{_MANIFEST}")
            found = manifest.opened(self._of, body, self._key)
        except FileNotFoundError:
            return {}
        except Damaged as error:
            _log.warning("%s; taking what lies there", error)
            return {}
        named = (replace(each, name=f"{self._path}/{each.name}") for each in found)
        return {each.name: each for each in named}

    def _tell(self, entries: list[Entry]) -> None:
        assert self._key is not None
        body = manifest.sealed(self._of, entries, self._key)
        self._write(f"{self._path}/{_MANIFEST}", body)

    def _write(self, name: str, body: bytes) -> None:
        with _failing():
            if self._on_disk:
                make_folder(Path(self._path))
            elif not self._made:
                self._fs.makedirs(self._path, exist_ok=True)  # for stores that have folders
                self._made = True
            self._fs.pipe_file(name, body)
            if self._on_disk:
                _sync(Path(name))

    def _delete(self, name: str) -> None:
        with _failing(), contextlib.suppress(FileNotFoundError):
            self._fs.rm_file(name)


@contextlib.contextmanager
def _failing() -> Iterator[None]:
    """Raise `OSError` for whatever a store's own library raises."""
    try:
        yield
    except OSError:
        raise
    except Exception as error:
        raise OSError(f"{type(error).__name__}: {error}") from error


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    sync_folder(path.parent)


def _when(info: Mapping[str, Any]) -> float | None:
    found: Any = next((info[name] for name in _TIMES if info.get(name) is not None), None)
    if hasattr(found, "timestamp"):
        return float(found.timestamp())
    return float(found) if isinstance(found, int | float) else None
