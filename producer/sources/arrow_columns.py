"""Arrow's columns as lists of Python's own values, typed by the schema."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import compute as pc
from pyarrow import types

from producer.columns import category
from producer.sources.source import said_twice
from stream.errors import SettingError

_UNITS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_DAY = 86_400

Take = Callable[[Any], list[Any]]
"""Of an array makes a list of its values, None where there is none."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of single values; `path` leads to it, through structs where it is in one.

    `kind` is a type of `producer.columns`, None where only the values can tell. `ready`
    says that the values need no further converting.
    """

    name: str
    path: tuple[str, ...]
    kind: str | None
    ready: bool
    values: Take
    at: tuple[int, ...]

    def take(self, batch: Any) -> list[Any]:
        """Return this column's values in a record batch."""
        array = batch.column(self.at[0])
        return self.values(pc.struct_field(array, self.at[1:]) if self.at[1:] else array)

    def within(self, batch: Any) -> Column:
        """Return this column as it stands in a batch of fewer columns."""
        return replace(self, at=(batch.schema.get_field_index(self.path[0]), *self.at[1:]))


def columns_of(path: Path, schema: Any) -> list[Column]:
    """Return the columns of a file; those of structs one by one, with dots in their names.

    Raises `SettingError` for a column that holds more than one value a row, or something
    that is neither number, truth, text nor time.
    """
    found = []
    for number, field in enumerate(schema):
        for names, at, kind in _leaves((field.name,), (number,), field.type):
            name = ".".join(names)
            reader = _reader(kind)
            if reader is None:
                raise SettingError(
                    f"column {name!r} of {str(path)!r} is of type {kind}, which is no single "
                    "number, truth, text or time; write the file without it"
                )
            found.append(Column(name, names, *reader, at))
    said_twice(path, [column.name for column in found])
    return found


def _leaves(
    names: tuple[str, ...], at: tuple[int, ...], kind: Any
) -> Iterator[tuple[tuple[str, ...], tuple[int, ...], Any]]:
    if not types.is_struct(kind):
        yield names, at, kind
        return
    for number in range(kind.num_fields):
        field = kind.field(number)
        yield from _leaves((*names, field.name), (*at, number), field.type)


Reader = tuple[str | None, bool, Take]


def _reader(kind: Any) -> Reader | None:
    """Return the type of a column, whether its values are ready, and what takes them."""
    if isinstance(kind, pa.BaseExtensionType):
        return _within(kind.storage_type, lambda array: array.storage)
    if types.is_dictionary(kind):
        if _is_text(kind.value_type):
            return "category", True, _categories
        return _within(kind.value_type, lambda array: array.dictionary_decode())
    if types.is_run_end_encoded(kind):
        return _within(kind.value_type, pc.run_end_decode)
    return _single(kind)


def _within(kind: Any, unwrapped: Callable[[Any], Any]) -> Reader | None:
    """Return the reader of a type that is wrapped in another."""
    inner = _reader(kind)
    if inner is None:
        return None
    name, ready, take = inner
    return name, ready, lambda array: take(unwrapped(array))


def _single(kind: Any) -> Reader | None:
    if types.is_integer(kind):
        # What has no sign may be beyond 64 bits with one, and is then a float.
        return "integer", not types.is_uint64(kind), _as_listed
    if types.is_floating(kind):
        return "number", True, _finite
    if types.is_decimal(kind):
        return "number", True, lambda array: _finite(array.cast(pa.float64()))
    if types.is_boolean(kind):
        return "boolean", True, _as_listed
    if _is_text(kind):
        return None, False, _as_listed
    if types.is_binary(kind) or types.is_large_binary(kind):
        return None, False, lambda array: _as_listed(array.cast(pa.large_string()))
    if types.is_timestamp(kind):
        return "datetime", True, _seconds(pa.int64(), _UNITS[kind.unit])
    if types.is_date(kind):
        days = types.is_date32(kind)
        whole = pa.int32() if days else pa.int64()
        return "datetime", True, _seconds(whole, 1 if days else 1000, _DAY if days else 1)
    if types.is_time(kind) or types.is_duration(kind):
        whole = pa.int32() if types.is_time32(kind) else pa.int64()
        return "number", True, _seconds(whole, _UNITS[kind.unit])
    if types.is_null(kind):
        return "category", True, _as_listed
    return None


def _is_text(kind: Any) -> bool:
    return bool(
        types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind)
    )


def _as_listed(array: Any) -> list[Any]:
    listed: list[Any] = array.to_pylist()
    return listed


def _finite(array: Any) -> list[Any]:
    if types.is_float16(array.type):
        array = array.cast(pa.float32())
    finite = pc.is_finite(array)
    if not pc.all(finite).as_py():
        array = pc.if_else(finite, array, pa.scalar(None, array.type))
    return _as_listed(array)


def _categories(array: Any) -> list[Any]:
    values = [category(value) for value in array.dictionary.to_pylist()]
    return [None if at is None else values[at] for at in array.indices.to_pylist()]


def _seconds(whole: Any, unit: int, factor: int = 1) -> Take:
    # Python divides whole numbers exactly, where Arrow would round nanoseconds twice.
    def take(array: Any) -> list[Any]:
        found = array.cast(whole).to_pylist()
        return [None if value is None else value * factor / unit for value in found]

    return take
