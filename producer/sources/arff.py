"""ARFF files (Weka's), plain or gzipped, read by River's own iterator."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from producer.sources.files import Lines, scannable
from producer.sources.handed import Handed
from producer.sources.river import iter_arff, read_header
from producer.sources.source import Flaw, Pair, Source, chosen_label, said_twice
from stream.errors import SettingError

_DATA = re.compile(r"\s*@data\b", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"\s*@attribute\s", re.IGNORECASE)
_NOMINAL = re.compile(
    r"""\s*@attribute\s+(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[^\s{]+)\s*\{(.*)\}""",
    re.IGNORECASE,
)
_ENTRY = re.compile(r"([0-9]+)\s+(.*\S)")
# What River takes for part of a value: blanks beside a comma, and quotes.
_UNUSUAL = re.compile(r"""\s,|,\s|['"]|\t""")
_QUOTED = re.compile(r"""(?<![^,\s])(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")(?=[\s,]|$)""")
_AROUND_COMMA = re.compile(r"\s*,\s*")
_COMMA = "\0"
_KINDS = {"nominal": "category", "numeric": "number"}


def open_arff(path: Path, label: str | None) -> Source:
    """Return the rows of an ARFF file, dense or sparse; a value that is missing is left out.

    The values of a nominal label are its classes. What a sparse row leaves out is left out
    of the features; a label left out there is what ARFF takes it for, 0 or the first value.
    Raises `SettingError` when the file is missing or has no rows, when its header cannot be
    read, or names no column `label`.
    """
    lines = Lines(path)
    header, attributes = _header(lines)
    names = [str(attribute.name) for attribute in attributes]
    said_twice(path, names)
    chosen_label(path, label, names)
    kinds = {
        name: attribute.type_name for name, attribute in zip(names, attributes, strict=True)
    }
    nominal = _values(header, attributes, label)
    zero = nominal[0] if nominal else 0
    numbers = frozenset(name for name in names if kinds[name] == "numeric")
    sparse = _is_sparse(lines)

    def rows() -> Iterator[Pair | Flaw]:
        reader = Handed(partial(iter_arff, sparse=sparse), header)
        pair = _sparse(reader, numbers) if sparse else _dense(reader, len(names))
        with _field_limit_kept():
            for line in _data(lines):
                try:
                    x = pair(line)
                except ValueError as error:
                    yield Flaw(f"{lines.place()} is no row of {len(names)} values: {error}")
                    continue
                missing = zero if sparse else None
                yield x, (x.pop(label, missing) if label is not None else None)

    return Source(
        name=path.name,
        rows=rows,
        label=label,
        place=lines.place,
        columns=[name for name in names if name != label],
        kinds={name: _KINDS[kind] for name, kind in kinds.items() if kind in _KINDS},
        classes=nominal or None,
        finite=scannable(path),
    )


def _header(lines: Lines) -> tuple[tuple[str, ...], list[Any]]:
    """Return the lines of the header, and its attributes."""
    header = []
    for line in lines:
        header.append(line)
        if _DATA.match(line):
            break
    if not "".join(header).strip():
        raise lines.empty()
    try:
        with _field_limit_kept():
            _, attributes = read_header(iter(header))
    except StopIteration:
        raise SettingError(f"{str(lines.path)!r} is not ARFF: it has no line @data") from None
    except (ValueError, LookupError, OSError, csv.Error) as error:
        said = " ".join(str(error).split()) or "a line of it is cut short"
        raise SettingError(f"the header of {str(lines.path)!r} is not ARFF: {said}") from error
    if not attributes or any(each.type_name == "relational" for each in attributes):
        found = "has no attributes" if not attributes else "has a relational attribute"
        raise SettingError(f"the header of {str(lines.path)!r} {found}; give a flat table")
    return tuple(header), attributes


def _values(header: Sequence[str], attributes: list[Any], label: str | None) -> list[str]:
    """Return the values of the label where it is nominal, read as the rows are."""
    lines = [line for line in header if _ATTRIBUTE.match(line)]
    for line, attribute in zip(lines, attributes, strict=False):
        if attribute.name == label and attribute.type_name == "nominal":
            if found := _NOMINAL.match(line):
                return [text.replace(_COMMA, ",") for text in _usual(found[1]).split(",")]
            return [str(value).strip() for value in attribute.values]
    return []


def _data(lines: Lines) -> Iterator[str]:
    """Yield the rows, without comments."""
    rest = iter(lines)
    for line in rest:
        if _DATA.match(line):
            break
    for line in rest:
        row = line.strip()
        if row and row[0] != "%":
            yield row


def _is_sparse(lines: Lines) -> bool:
    return next(_data(lines), "").startswith("{")


def _dense(reader: Handed, width: int) -> Callable[[str], dict[str, Any]]:
    def pair(line: str) -> dict[str, Any]:
        usual = not _UNUSUAL.search(line)
        row = line if usual else _usual(line)
        found = row.count(",") + 1
        if found != width or line[0] == "{":
            raise ValueError(f"it has {found}")
        x, _ = reader.read(row)
        return x if usual else _restored(x)

    return pair


def _sparse(reader: Handed, numbers: frozenset[str]) -> Callable[[str], dict[str, Any]]:
    def pair(line: str) -> dict[str, Any]:
        if not (line[0] == "{" and line[-1] == "}"):
            raise ValueError("it stands in no braces, as the first one does")
        inner = line[1:-1].strip()
        if not inner:
            return {}
        usual = not _UNUSUAL.search(inner)
        x, _ = reader.read("{" + _entries(inner if usual else _usual(inner)) + "}")
        x = x if usual else _restored(x)
        return {name: _number(value) if name in numbers else value for name, value in x.items()}

    return pair


def _entries(inner: str) -> str:
    """Return a sparse row as River reads it. Raises `ValueError` for what it would misread."""
    found = dict[str, str]()
    for text in inner.split(","):
        entry = _ENTRY.fullmatch(text)
        if entry is None:
            raise ValueError(f"{text!r} is no number of a column and its value")
        found[entry[1]] = entry[2]
    if len(found) <= inner.count(","):
        raise ValueError("it names a column twice")
    return ",".join(f"{column} {value}" for column, value in found.items())


def _number(text: str) -> float | None:
    return None if text.strip() == "?" else float(text)


def _usual(line: str) -> str:
    """Return a row without blanks beside commas, and without quotes.

    A comma within quotes becomes another character, as River splits at every comma.
    """
    return _AROUND_COMMA.sub(",", _QUOTED.sub(_unquoted, line)).strip()


def _unquoted(found: re.Match[str]) -> str:
    text = found[1] if found[2] is None else found[2]
    return re.sub(r"\\(.)", r"\1", text).replace(",", _COMMA)


def _restored(x: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value.replace(_COMMA, ",") if isinstance(value, str) else value
        for name, value in x.items()
    }


@contextmanager
def _field_limit_kept() -> Iterator[None]:
    """Undo what reading a header does to all of Python's reading of CSV."""
    limit = csv.field_size_limit()
    try:
        yield
    finally:
        csv.field_size_limit(limit)
