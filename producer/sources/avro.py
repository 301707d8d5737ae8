"""Avro object container files, block by block."""

from __future__ import annotations

import lzma
import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import time
from pathlib import Path
from typing import Any, NamedTuple

import fastavro
from fastavro.schema import SchemaParseException, UnknownType, parse_schema

from producer.sources.files import scannable
from producer.sources.source import Pair, Source, chosen_label, said_twice
from stream.errors import SettingError

_PRIMITIVES = {
    "int": "integer",
    "long": "integer",
    "float": "number",
    "double": "number",
    "boolean": "boolean",
    "enum": "category",
    "string": None,
    "null": None,
}
_LOGICAL = {
    "date": "datetime",
    "decimal": "number",
    "time-millis": "number",
    "time-micros": "number",
    "timestamp-millis": "datetime",
    "timestamp-micros": "datetime",
    "timestamp-nanos": "datetime",
    "local-timestamp-millis": "datetime",
    "local-timestamp-micros": "datetime",
    "local-timestamp-nanos": "datetime",
    "uuid": "category",
}
_DEEP = 20
"""Records within records up to which they are flattened."""


def _seconds_of_day(value: time) -> float:
    return (value.hour * 60 + value.minute) * 60 + value.second + value.microsecond / 10**6


# What fastavro gives in a form that no column takes.
_CONVERTED: dict[str, Callable[[Any], Any]] = {
    "time-millis": _seconds_of_day,
    "time-micros": _seconds_of_day,
    "timestamp-nanos": lambda value: value / 10**9,
    "local-timestamp-nanos": lambda value: value / 10**9,
}


class Leaf(NamedTuple):
    """A field of single values: its path, its type where the schema has it, a conversion."""

    path: tuple[str, ...]
    kind: str | None
    convert: Callable[[Any], Any] | None = None

    @property
    def name(self) -> str:
        """The names along the path, with dots between."""
        return ".".join(self.path)


def open_avro(path: Path, label: str | None) -> Source:
    """Return the records of an Avro file; those within them flattened, with dots in names.

    Raises `SettingError` when the file is missing or damaged, is packed by a codec that
    needs a library, has no field `label`, or one that holds lists, maps or bytes.
    """
    with _readable(path), path.open("rb") as file:
        if not fastavro.is_avro(file):
            raise SettingError(f"{str(path)!r} is no Avro container file; give one that is")
        file.seek(0)
        schema: Any = parse_schema(fastavro.reader(file).writer_schema or {})
    leaves = list(_leaves(path, schema, (), {}))
    names = [leaf.name for leaf in leaves]
    if not names:
        raise SettingError(
            f"{str(path)!r} has no fields; give a file of records that have some"
        )
    said_twice(path, names)
    chosen_label(path, label, names)
    flatten = _flattener(leaves)

    def rows() -> Iterator[Pair]:
        read = 0
        with _readable(path, lambda: read), path.open("rb") as file:
            records: Any = fastavro.reader(file)
            for record in records:
                x = flatten(record) if flatten else record
                yield x, (x.pop(label) if label is not None else None)
                read += 1

    kinds = {leaf.name: leaf.kind for leaf in leaves if leaf.kind}
    return Source(
        name=path.name,
        rows=rows,
        label=label,
        columns=[name for name in names if name != label],
        kinds=kinds,
        ready=frozenset(name for name in kinds if kinds[name] in ("integer", "boolean")),
        finite=scannable(path),
    )


def _leaves(
    path: Path, schema: Any, steps: tuple[str, ...], named: dict[str, Any]
) -> Iterator[Leaf]:
    """Yield the fields of single values within a type of the schema, in order."""
    kind, options = _unwrapped(schema, named)
    if kind == "record":
        if len(steps) > _DEEP:
            raise SettingError(
                f"field {steps[0]!r} of {str(path)!r} may hold records without end; write the "
                "file without it"
            )
        for field in options[0]["fields"]:
            yield from _leaves(path, field["type"], (*steps, field["name"]), named)
    elif not steps:
        raise SettingError(f"{str(path)!r} holds no records but each a {kind}; give records")
    else:
        yield _leaf(path, options, steps)


def _unwrapped(schema: Any, named: dict[str, Any]) -> tuple[str, list[Any]]:
    """Return the type that is meant, and what else it may be; null is no choice."""
    options = []
    for each in schema if isinstance(schema, list) else [schema]:
        option = named.get(each, each) if isinstance(each, str) else each
        while isinstance(option, dict) and isinstance(option["type"], dict | list):
            option = option["type"]
        option = option if isinstance(option, dict) else {"type": option}
        if "name" in option:
            named[option["name"]] = option
        if option["type"] != "null":
            options.append(option)
    options = options or [{"type": "null"}]
    return (options[0]["type"] if len(options) == 1 else "union"), options


def _leaf(path: Path, options: list[Any], steps: tuple[str, ...]) -> Leaf:
    leaves = []
    for option in options:
        logical = option.get("logicalType", "")
        if logical in _LOGICAL:
            leaves.append(Leaf(steps, _LOGICAL[logical], _CONVERTED.get(logical)))
        elif option["type"] in _PRIMITIVES:
            leaves.append(Leaf(steps, _PRIMITIVES[option["type"]]))
        else:
            raise SettingError(
                f"field {'.'.join(steps)!r} of {str(path)!r} is of type {option['type']}, "
                "which is no single number, truth, text or time; write the file without it"
            )
    if len(leaves) == 1:
        return leaves[0]
    kinds = {leaf.kind for leaf in leaves}
    return Leaf(steps, "number" if kinds == {"integer", "number"} else None)


def _flattener(leaves: list[Leaf]) -> Callable[[Any], dict[str, Any]] | None:
    """Return what makes a flat row of a record; None where a record is one already."""
    if all(len(leaf.path) == 1 and leaf.convert is None for leaf in leaves):
        return None
    plan = [(leaf.name, leaf.path, leaf.convert) for leaf in leaves]

    def flatten(record: Any) -> dict[str, Any]:
        x = {}
        for name, path, convert in plan:
            value = record
            for step in path:
                if value is not None:
                    value = value[step]
            x[name] = value if value is None or convert is None else convert(value)
        return x

    return flatten


@contextmanager
def _readable(path: Path, read: Callable[[], int] = lambda: 0) -> Iterator[None]:
    """Say in one sentence what fastavro says of a file it cannot read."""
    try:
        yield
    except FileNotFoundError:
        raise SettingError(f"{str(path)!r} does not exist; give the path of a file") from None
    except (
        ArithmeticError,
        EOFError,
        LookupError,
        MemoryError,
        OSError,
        RecursionError,
        TypeError,
        ValueError,
        SchemaParseException,
        UnknownType,
        lzma.LZMAError,
        struct.error,
        zlib.error,
    ) as error:
        said = " ".join(str(error).split())[:200].rstrip(".") or "it is cut short"
        place = f" record {read()} and on" if read() else ""
        raise SettingError(f"{str(path)!r}{place} cannot be read: {said}") from error
