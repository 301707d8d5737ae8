"""Which files a replay of many was made of, kept beside its records: going on counts rows.

A file that comes before others moves all rows behind it. So the first record that a commit
brings to a partition has a header with the files there were, and whoever goes on compares.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path

from producer.sources.folder import files_of, is_many
from producer.sources.table import is_named
from stream.errors import SettingError
from stream.topic import Topic, backwards

_HEADER = "files"
_LOOKED = 100_000
"""Records that are looked at for the header, at most; a commit has far fewer."""


class Listing:
    """The files of `source`, in order, as the writer `name` finds them now.

    `headers` are for the first record that a commit brings to a partition; there are none
    where the source is not a folder or pattern.
    """

    def __init__(self, source: str, name: str) -> None:
        many = not is_named(source) and is_many(source)
        self._source, self._name = source, name
        self._files = [(path, path.stat().st_size) for path in files_of(source) if many]
        self.headers: dict[str, bytes] = {}
        if many:
            told = {
                "by": name,
                "count": len(self._files),
                "last": self._files[-1][1],
                "digest": _digest(self._files),
            }
            self.headers[_HEADER] = json.dumps(told).encode()

    def check(self, topic: Topic, rows: Mapping[int, int]) -> None:
        """Raise `SettingError` when files read before are not those there are now.

        `rows` are the numbers of the last messages, by partition. Files may be added behind
        the others, and the last one may have grown.
        """
        if not self._files or not rows:
            return
        for entry in islice(backwards(topic, max(rows, key=rows.__getitem__)), _LOOKED):
            told = json.loads(entry.headers.get(_HEADER, b"{}"))
            if told.get("by") == self._name:
                self._compare(told["count"], told["last"], told["digest"])
                return

    def _compare(self, count: int, last: int, digest: str) -> None:
        files = self._files
        if _is_as_told(files[:count], count, last, digest):
            return
        where = f"{self._source!r} was read before, and going on goes by the number of the row"
        for n in range(min(count, len(files))):
            rest = files[:n] + files[n + 1 : count + 1]
            if _is_as_told(rest, count, last, digest):
                raise SettingError(
                    f"{where}; its new file {files[n][0].name!r} comes before "
                    f"{files[n + 1][0].name!r}, which was there already: give it a name that "
                    "comes last, or write to a stream of another name"
                )
        raise SettingError(
            f"{where}; its first {count} files are no longer those that it had: put them back "
            "and add others behind them, or write to a stream of another name"
        )


def _is_as_told(files: Sequence[tuple[Path, int]], count: int, last: int, digest: str) -> bool:
    return len(files) == count and files[-1][1] >= last and _digest(files) == digest


def _digest(files: Sequence[tuple[Path, int]]) -> str:
    """Return a digest of names and sizes; the last file may grow, so its size is left out."""
    told = [(str(path.parent.resolve() / path.name), size) for path, size in files]
    told[-1] = (told[-1][0], -1)
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:24]
