"""CSV files, plain or packed, read by River's own iterator."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from producer.sources.files import Lines, scannable
from producer.sources.river import iter_csv
from producer.sources.source import Flaw, Source, chosen_label, said_twice
from stream.errors import SettingError

_EXTRA = "\0more"
_SPAN = 100
"""Lines of one row beyond which it is asked whether a quote was left open."""


def open_csv(path: Path, label: str | None) -> Source:
    """Return the rows of a CSV file whose first line names the columns.

    Where that line has no comma, the first of semicolon, tab and bar found there separates.
    Raises `SettingError` when the file is missing or empty, names a column twice, or has no
    column `label`.
    """
    lines = Lines(path)
    header, delimiter, _ = _header(lines)
    chosen_label(path, label, header)

    def rows() -> Iterator[tuple[dict[str, Any], Any] | Flaw]:
        _, _, rest = _header(lines)
        # A name too many catches the values of a row that has too many.
        names = [*header, _EXTRA]
        pairs: Any = iter_csv(rest, fieldnames=names, delimiter=delimiter)  # type: ignore[arg-type]
        before = lines.number
        try:
            for x, _ in pairs:
                after = lines.number
                if after - before > _SPAN and (
                    first := _swallowed(x, before, after, header, delimiter)
                ):
                    said = (
                        f"{str(path)!r} line {first} opens a quote that reaches to line "
                        f"{after}: {after - first + 1:,} lines come to no rows"
                    )
                    yield from (Flaw(said) for _ in range(first, after + 1))
                elif len(x) == len(header):
                    yield x, (x.pop(label) if label is not None else None)
                elif x:
                    found = f"more than {len(header)}" if _EXTRA in x else f"only {len(x)}"
                    yield Flaw(f"{lines.place()} has {found} values for {len(header)} columns")
                before = after
        except csv.Error as error:
            raise _broken(lines, error) from error

    return Source(
        name=path.name,
        rows=rows,
        label=label,
        place=lines.place,
        columns=[name for name in header if name != label],
        finite=scannable(path),
        tabular=True,
    )


def _swallowed(
    x: dict[str, Any], before: int, after: int, header: Sequence[str], delimiter: str
) -> int:
    """Return the first line of a row that has others within a quote, 0 where it has none.

    A long text of many lines is one value. Where it holds as many values as its lines would
    as rows, or the row has too many or too few, a quote was opened by mistake.
    """
    texts = [text for text in x.values() if isinstance(text, str)]
    inner = sum(text.count("\n") for text in texts)
    if inner < _SPAN:
        return 0
    marks = sum(text.count(delimiter) for text in texts)
    if len(x) == len(header) and marks < inner * (len(header) - 1):
        return 0
    # Empty lines may stand before it.
    return max(before + 1, after - inner)


def _broken(lines: Lines, error: csv.Error) -> SettingError:
    # Behind a dash stands advice for who opens files in Python.
    found = str(error).partition(" - ")[0]
    return SettingError(
        f"{lines.place()} is not CSV: {found}; close every quote, and end lines as Unix or "
        "Windows does"
    )


def _header(lines: Lines) -> tuple[list[str], str, Iterator[str]]:
    """Return the names of the columns, what separates them, and the lines after them."""
    rest = iter(lines)
    first = next(rest, "")
    if not first.strip():
        raise lines.empty()
    delimiter = next((mark for mark in ",;\t|" if mark in first), ",")
    try:
        header = next(csv.reader(chain([first], rest), delimiter=delimiter))
    except csv.Error as error:
        raise _broken(lines, error) from error
    said_twice(lines.path, header)
    return header, delimiter, rest
