"""LIBSVM (svmlight) files, plain or gzipped, read by River's own iterator."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from producer.sources.files import Lines, scannable
from producer.sources.handed import Handed
from producer.sources.river import iter_libsvm
from producer.sources.source import Flaw, Pair, Source
from stream.errors import SettingError


def open_libsvm(path: Path, label: str | None) -> Source:
    """Return the rows of a file of `LABEL NAME:VALUE …` lines; what a row lacks is left out.

    Comments behind `#` and empty lines are passed over. Names of features are texts. Raises
    `SettingError` when the file is missing or empty, or when `label` is given, for such a
    file knows its own.
    """
    if label is not None:
        raise SettingError(
            f"{str(path)!r} begins each row with its label; leave the label {label!r} away"
        )
    lines = Lines(path)
    if next(filter(None, map(_row, lines)), None) is None:
        raise lines.empty()

    def rows() -> Iterator[Pair | Flaw]:
        reader = Handed(iter_libsvm)
        for row in map(_row, lines):
            if not row:
                continue
            try:
                yield _pair(row, reader)
            except ValueError as error:
                yield Flaw(f"{lines.place()} is not LABEL NAME:VALUE …: {error}")

    return Source(
        name=path.name, rows=rows, label="label", place=lines.place, finite=scannable(path)
    )


def _row(line: str) -> str:
    """Return a line as River takes it: one blank between two values, and no comment."""
    return " ".join(line.partition("#")[0].split())


def _pair(row: str, reader: Handed) -> Pair:
    if " " not in row:
        # River wants a feature; a row of zeros has none.
        return {}, float(row)
    x, y = reader.read(row)
    if len(x) != row.count(" "):
        raise ValueError("it names a feature twice")
    return x, y
