"""How somebody else's JSON record becomes one of ours: what stands where in it.

A feature is called by the way to it: `customer.age`, `items[0].price`. Objects and lists
within what is mapped are taken apart down to 32 levels; empty ones give nothing. Two
features of one name are refused, never one of them dropped. The label is no feature, whatever
is said of features, and neither are id and event time unless they are named as such.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

from stream.errors import RecordError, SettingError
from stream.flatten import flattener, leaves, name_of, whole
from stream.paths import ABSENT, Branch, Steps, getter, path_of, steps_of, tree_of, within
from stream.records import (
    MAX_STRING,
    UNSET,
    Label,
    Record,
    check_bounds,
    check_strings,
    decode_object,
)

UNITS: Mapping[str, float] = {"s": 1, "ms": 1e3, "us": 1e6, "ns": 1e9}
"""What a number can count from the epoch, and how many of it are a second."""
_INFERRED = ((1e11, 1.0), (1e14, 1e3), (1e17, 1e6), (math.inf, 1e9))
_NUMBER = re.compile(r"[+-]?\d+(\.\d*)?")
_YEAR_1, _YEAR_10000 = -62_135_596_800.0, 253_402_300_800.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldMap:
    """Where the parts of a record stand in somebody else's, each a path as `stream.paths` has.

    `id` must be there in every record, and be a text or a whole number; without this path a
    record has no id. `y` may be missing or null: the record is a question then. `x` are the
    features: a path that ends at an object or list brings all below it. None stands for the
    whole record but id, ts, y; an empty `x` for a label alone, which needs `y`. `drop` are
    paths that bring nothing. `rename` gives features other names than their paths.

    `ts` is event time, in seconds of the epoch from year 1 to 9999. `ts_unit` is s, ms, us or
    ns for numbers, iso for ISO 8601 texts, UTC where they name no zone. Without it a text of
    digits counts as a number, any other text as ISO 8601, and a number by its size: seconds
    up to 1e11, milliseconds up to 1e14, microseconds up to 1e17, else nanoseconds.

    Raises `SettingError` for a path that cannot be followed, or goes against another.
    """

    id: str | None = None
    ts: str | None = None
    ts_unit: str | None = None
    y: str | None = None
    x: Sequence[str] | None = None
    drop: Sequence[str] = ()
    rename: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        if self.ts_unit is not None and self.ts_unit not in (*UNITS, "iso"):
            raise SettingError(
                f"ts_unit must be {', '.join(UNITS)} or iso, got {self.ts_unit!r}"
            )
        if self.x is not None and not self.x and self.y is None:
            raise SettingError("a mapping without x and y brings nothing; give the path of y")
        names = list(self.rename.values())
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise SettingError(f"rename gives {twice[0]!r} to two features; choose two names")
        _plan(self)


class Found(NamedTuple):
    """One value of a record: `part` is id, ts, y or x, `name` that of a feature."""

    part: str
    name: str
    value: object
    path: str


def reader(
    mapping: FieldMap, look: Callable[[dict[str, Any]], None] | None = None
) -> Callable[[bytes], Record]:
    """Return what reads a record by a mapping; `look` is shown each object before.

    It raises `RecordError` with a reason: of `stream.records.decode_object`, or of what
    `shaper` returns.
    """
    shape = shaper(mapping)

    def read(value: bytes) -> Record:
        root = decode_object(value)
        if look is not None:
            look(root)
        record = shape(root)
        check_bounds(record)
        # A text within a record that is shorter than the limit needs no look of its own.
        if len(value) > MAX_STRING:
            check_strings(record)
        return record

    return read


def shaper(mapping: FieldMap) -> Callable[[dict[str, Any]], Record]:
    """Return what makes a record of an object by a mapping.

    It raises `RecordError` with one of the reasons missing_id, missing_label, bad_time,
    wrong_type, number_range, too_deep, too_many_fields, too_large, ambiguous.
    """
    id_of, ts_of, y_of = _id_of(mapping), _ts_of(mapping), _y_of(mapping)
    features = flattener(_plan(mapping), dict(mapping.rename))

    def sample(root: dict[str, Any]) -> Record:
        return Record(id_of(root), ts_of(root), features(root), y_of(root))

    def label(root: dict[str, Any]) -> Record:
        y = y_of(root)
        if y is None:
            raise RecordError("missing_label", f"{mapping.y!r} holds no label")
        return Record(id_of(root), ts_of(root), y=y)

    return label if mapping.x is not None and not mapping.x else sample


def describe(value: bytes, mapping: FieldMap) -> list[Found]:
    """Return all that a mapping finds in a record, and where. Raises as `reader` does."""
    record, root = reader(mapping)(value), decode_object(value)
    found = [
        Found(part, part, getattr(record, part), path)
        for part, path in (("id", mapping.id), ("ts", mapping.ts), ("y", mapping.y))
        if path is not None and getattr(record, part) is not None
    ]
    for steps, skip in _plan(mapping) if record.x is not UNSET else ():
        for place, leaf in leaves(getter(steps)(root) if steps else root, steps, skip):
            name = name_of(place)
            found.append(Found("x", mapping.rename.get(name, name), leaf, path_of(place)))
    return found


def _plan(mapping: FieldMap) -> list[tuple[Steps, Branch]]:
    """Return where features stand, each with what is left out behind it."""
    parts = {
        name: steps_of(path, name)
        for name, path in (("id", mapping.id), ("ts", mapping.ts), ("y", mapping.y))
        if path is not None
    }
    dropped = [steps_of(path, "drop") for path in mapping.drop]
    out = tree_of([*dropped, *parts.values()])
    if mapping.x is None:
        return [((), out)]
    wanted = [steps_of(path, "x") for path in mapping.x]
    for steps in wanted:
        _check_wanted(steps, wanted, tree_of(dropped), parts.get("y"))
    return [(steps, within(out, steps) or {}) for steps in wanted]


def _check_wanted(
    steps: Steps, wanted: Sequence[Steps], dropped: Branch, label: Steps | None
) -> None:
    path = path_of(steps)
    if steps == label:
        raise SettingError(f"x names {path!r}, which is the label; take it out of x")
    if within(dropped, steps) is None:
        raise SettingError(f"x names {path!r}, and drop leaves it out; choose one of the two")
    for other in wanted:
        if other[: len(steps)] == steps and (other != steps or wanted.count(steps) > 1):
            raise SettingError(
                f"x names {path!r} and {path_of(other)!r}, which is the same or within it; "
                "leave one away"
            )


def _id_of(mapping: FieldMap) -> Callable[[dict[str, Any]], int | str | None]:
    if mapping.id is None:
        return lambda root: None
    path, get = mapping.id, getter(steps_of(mapping.id, "id"))

    def id_of(root: dict[str, Any]) -> int | str:
        found = get(root)
        if found is None or found is ABSENT:
            raise RecordError("missing_id", f"{path!r} holds no id")
        if type(found) is int:
            return whole(found, path)
        if type(found) is str:
            return found
        raise RecordError(
            "wrong_type", f"the id at {path!r} is neither a text nor a whole number"
        )

    return id_of


def _y_of(mapping: FieldMap) -> Callable[[dict[str, Any]], Label | None]:
    if mapping.y is None:
        return lambda root: None
    path, get = mapping.y, getter(steps_of(mapping.y, "y"))

    def y_of(root: dict[str, Any]) -> Label | None:
        found = get(root)
        if found is ABSENT:
            return None
        if type(found) is dict or type(found) is list:
            raise RecordError("wrong_type", f"the label at {path!r} is an object or a list")
        return whole(found, path) if type(found) is int else found

    return y_of


def _ts_of(mapping: FieldMap) -> Callable[[dict[str, Any]], float | None]:
    if mapping.ts is None:
        return lambda root: None
    path, get, unit = mapping.ts, getter(steps_of(mapping.ts, "ts")), mapping.ts_unit

    def ts_of(root: dict[str, Any]) -> float | None:
        found = get(root)
        if found is None or found is ABSENT:
            return None
        try:
            seconds = _seconds(found, unit)
        except (TypeError, ValueError, OverflowError):
            seconds = math.nan
        if _YEAR_1 <= seconds < _YEAR_10000:
            return seconds
        wanted = "a time" if unit is None else f"a time in {unit}"
        shown = repr(found)[:40] if isinstance(found, str | int | float) else "what stands"
        raise RecordError("bad_time", f"{shown} at {path!r} is not {wanted}")

    return ts_of


def _seconds(found: Any, unit: str | None) -> float:
    """Return a time in seconds of the epoch; raise `TypeError` or `ValueError` for none."""
    if type(found) is str:
        text = found.strip()
        if unit == "iso" or not _NUMBER.fullmatch(text):
            if unit not in (None, "iso"):
                raise ValueError(text)
            moment = datetime.fromisoformat(text)
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
        found = float(text)
    if type(found) not in (int, float) or unit == "iso":
        raise TypeError(found)
    if unit is not None:
        return float(found / UNITS[unit])
    return float(found / next(scale for limit, scale in _INFERRED if abs(found) <= limit))
