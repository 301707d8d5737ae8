"""From a row as it is found to a row of typed values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from itertools import chain
from typing import Any

from producer.columns import CONVERTERS, any_value, category, whole
from producer.columns import integer as to_integer
from producer.columns import number as to_number
from producer.schema import Row
from stream.records import (
    LARGEST,
    MAX_FIELDS,
    MAX_ID,
    MAX_RECORD,
    MAX_STRING,
    Label,
    encode,
)

Shape = Callable[[dict[str, Any], Label | None, int], Row]
"""Of features, label and number makes a row, or raises `ValueError`."""

_REST = 8 * MAX_ID
"""Bytes of a record beside its features, at most."""
# The types of Python that need no converting.
_OWN: Mapping[str, tuple[type, ...]] = {
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "category": (str,),
    "datetime": (),
}


def row_maker(
    kinds: Mapping[str, str], columns: Mapping[str, str], id: str | None, time: str | None
) -> Shape:
    """Return what makes rows of features that may lack some, or have some not seen before.

    `kinds` are the types of all columns, `columns` those of the features.
    """
    named = {name: CONVERTERS[kind] for name, kind in columns.items()}
    out = kinds.keys() - columns.keys()
    id_of, time_of = _id_of(kinds, id), _time_of(time)

    def make(x: dict[str, Any], y: Label | None, number: int) -> Row:
        made = {k: named.get(k, any_value)(v) for k, v in x.items() if k not in out}
        return Row(made, y, time_of(x), id_of(x, number))

    return make


def full_row_maker(
    kinds: Mapping[str, str], columns: Mapping[str, str], id: str | None, time: str | None
) -> Shape:
    """Return what makes rows of texts that always have every column.

    A row is changed in place.
    """
    numbers = [name for name, kind in columns.items() if kind == "number"]
    integers = [name for name, kind in columns.items() if kind == "integer"]
    plan = [
        (name, CONVERTERS[kind])
        for name, kind in columns.items()
        if kind not in ("number", "integer")
    ]
    out = [name for name in kinds if name not in columns]
    id_of, time_of = _id_of(kinds, id), _time_of(time)
    simple = id is None and time is None

    def make(x: dict[str, Any], y: Label | None, number: int) -> Row:
        ts, name_of_it = (None, number) if simple else (time_of(x), id_of(x, number))
        # Nearly all numbers are plain; only the others are worth a call.
        for name in numbers:
            try:
                value = float(x[name])
            except ValueError:
                x[name] = to_number(x[name])
            else:
                x[name] = value if -LARGEST <= value <= LARGEST else to_number(value)
        for name in integers:
            try:
                found = int(x[name])
            except ValueError:
                x[name] = to_integer(x[name])
            else:
                x[name] = found if -(2**63) <= found < 2**63 else to_integer(found)
        for name, convert in plan:
            x[name] = convert(x[name])
        for name in out:
            del x[name]
        return Row(x, y, ts, name_of_it)

    return make


def ready_row_maker(
    kinds: Mapping[str, str],
    columns: Mapping[str, str],
    id: str | None,
    time: str | None,
    ready: Set[str],
) -> Shape:
    """Return what makes rows of features that always have every column, most of them `ready`.

    A row is changed in place.
    """
    plan = [(name, CONVERTERS[kind]) for name, kind in columns.items() if name not in ready]
    out = [name for name in kinds if name not in columns]
    if not (plan or out or id or time):
        return as_it_is
    id_of, time_of = _id_of(kinds, id), _time_of(time)

    def make(x: dict[str, Any], y: Label | None, number: int) -> Row:
        ts, name_of_it = time_of(x), id_of(x, number)
        for name, convert in plan:
            x[name] = convert(x[name])
        for name in out:
            del x[name]
        return Row(x, y, ts, name_of_it)

    return make


def whole_maker(make: Shape, names: Set[str]) -> Shape:
    """Return what makes the rows of `make`, with whole numbers only in some columns."""

    def made(x: dict[str, Any], y: Label | None, number: int) -> Row:
        row = make(x, y, number)
        there = {name: _whole(name, row.x[name]) for name in names if name in row.x}
        return row._replace(x={**row.x, **there})

    return made


def _whole(name: str, value: Any) -> Any:
    try:
        return whole(value)
    except ValueError as error:
        raise ValueError(f"column {name!r} is of type integer, and {error}") from None


def as_it_is(x: dict[str, Any], y: Label | None, number: int) -> Row:
    """Return a row whose values need no converting."""
    return Row(x, y, None, number)


def check_size(row: Row) -> None:
    """Raise `ValueError` for a row of which no record can be made, for its size."""
    if len(row.x) > MAX_FIELDS:
        raise ValueError(f"it has {len(row.x)} features, {MAX_FIELDS} are allowed")
    if type(row.id) is str and len(row.id) > MAX_ID:
        raise ValueError(f"its id has {len(row.id)} characters, {MAX_ID} are allowed")
    size = len(encode(row.x))
    if size <= MAX_STRING:
        return
    longest = max(map(len, chain(row.x, (v for v in row.x.values() if isinstance(v, str)))))
    if longest > MAX_STRING:
        raise ValueError(f"a text has {longest} characters, {MAX_STRING} are allowed")
    if size > MAX_RECORD - _REST:
        raise ValueError(f"it has {size} bytes, {MAX_RECORD - _REST} are allowed")


def fits(x: Mapping[str, Any], kinds: Mapping[str, str]) -> bool:
    """Return whether `as_it_is` gives what `row_maker` would."""
    return all(type(value) in _OWN[kinds[name]] for name, value in x.items())


def _id_of(kinds: Mapping[str, str], id: str | None) -> Callable[[Any, int], int | str]:
    if id is None:
        return lambda x, number: number
    name_of = _numbered if kinds[id] == "integer" else category

    def id_of(x: dict[str, Any], number: int) -> int | str:
        found = name_of(x.get(id))
        if found is None:
            raise ValueError(f"column {id!r} has no id")
        return found

    return id_of


def _numbered(value: Any) -> int | str | None:
    """Return an id of a column of integers; None of a missing one.

    What an int of 64 bits would not be written like, as 007 or 2^64, stays a text: no two ids
    become one.
    """
    text = category(value)
    if text is None:
        return None
    text = text.strip()
    try:
        found = int(text)
    except ValueError:
        return text
    return found if -(2**63) <= found < 2**63 and str(found) == text else text


def _time_of(time: str | None) -> Callable[[dict[str, Any]], Any]:
    if time is None:
        return lambda x: None
    convert = CONVERTERS["datetime"]
    return lambda x: convert(x.get(time))
