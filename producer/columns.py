"""Types of columns: how they are inferred, and how a value becomes one of its type."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any

from stream.records import LARGEST, Value

MISSING = frozenset(
    [
        "",
        "?",
        "NA",
        "N/A",
        "NaN",
        "NAN",
        "Nan",
        "NULL",
        "Null",
        "na",
        "n/a",
        "nan",
        "null",
        "<NA>",
    ]
)
"""The texts that stand for no value, whatever blanks are around them."""

_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*")
_INTEGER = re.compile(r"\s*[+-]?\d+\s*")
_TRUTHS = dict.fromkeys(("true", "True", "TRUE"), True)
_TRUTHS |= dict.fromkeys(("false", "False", "FALSE"), False)


def plain(value: Any) -> Any:
    """Return a value as Python's own type: None for NaN, a Python number for NumPy's."""
    if hasattr(value, "item"):
        value = value.item()
    return None if isinstance(value, float) and math.isnan(value) else value


def kind_of(values: Iterable[Any], *, texts: bool) -> str:
    """Return the type that all `values` have: one of the keys of `CONVERTERS`.

    What is missing has no say; where nothing else is there, the type is category. `texts`
    says that all values are texts, in which numbers and truths are to be found too.

    >>> kind_of(["1", "2.5", ""], texts=True), kind_of(["1", "UP"], texts=True)
    ('number', 'category')
    """
    kinds = {_kind(value, texts) for value in map(plain, values) if not _missing(value)}
    if kinds == {"integer", "number"}:
        return "number"
    return kinds.pop() if len(kinds) == 1 else "category"


def _missing(value: Any) -> bool:
    return value is None or (isinstance(value, str) and value.strip() in MISSING)


def _kind(value: Any, texts: bool) -> str:
    if isinstance(value, str):
        if texts and value in _TRUTHS:
            return "boolean"
        if texts and _NUMBER.fullmatch(value):
            return "integer" if _INTEGER.fullmatch(value) else "number"
        return "datetime" if _is_iso(value) else "category"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, date):
        return "datetime"
    return "integer" if isinstance(value, int) else "number"


def _is_iso(text: str) -> bool:
    # Digits alone are a year or a number, and no moment.
    if text.isdigit() or not text[:4].isdigit():
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def number(value: Any) -> float | None:
    """Return a float, None for what is missing or not finite, or raise `ValueError`.

    It is raised for what is no number, and for one beyond what a record can hold.

    >>> number("2.50"), number("NA")
    (2.5, None)
    """
    try:
        found = float(value)
    except (TypeError, ValueError):
        if _missing(value):
            return None
        raise ValueError(f"{value!r} is no number") from None
    except OverflowError:
        return None
    if -LARGEST <= found <= LARGEST:
        return found
    if math.isfinite(found):
        raise ValueError(f"{value!r} is beyond ±{LARGEST:g}")
    return None


def integer(value: Any) -> int | float | None:
    """Return an int where the value is one of at most 64 bits, else what `number` returns.

    >>> integer("2"), integer("2.5")
    (2, 2.5)
    """
    if isinstance(value, float):
        return number(value)
    try:
        found = int(value)
    except (TypeError, ValueError):
        return number(value)
    return found if -(2**63) <= found < 2**63 else number(found)


def whole(value: Any) -> int | float | None:
    """Return what `integer` does, or raise `ValueError` for a number with a fraction.

    So is a column read that was said to be of integers; one that only began with them may
    turn out to have fractions.

    >>> whole("2"), whole("2.0")
    (2, 2)
    """
    found = integer(value)
    if not isinstance(found, float):
        return found
    if not found.is_integer():
        raise ValueError(f"{value!r} is no whole number")
    return int(found) if abs(found) < 2**63 else found


def boolean(value: Any) -> bool | None:
    """Return a truth: of a bool, of 0 or 1, or of the text true or false in any case."""
    if isinstance(value, bool):
        return value
    truth = _TRUTHS.get(value)
    if truth is None:
        if _missing(value):
            return None
        if value not in (0, 1, "0", "1"):
            raise ValueError(f"{value!r} is neither true nor false")
        truth = bool(int(value))
    return truth


def category(value: Any) -> str | None:
    """Return a text: JSON's own for a truth, Python's for a number."""
    if isinstance(value, str):
        return None if value.strip() in MISSING else value
    if value is None or value != value:
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)


def moment(value: Any) -> float | None:
    """Return seconds of the epoch: of an ISO 8601 text, a datetime, or such seconds.

    What names no time zone is UTC.

    >>> moment("2024-01-01"), moment("2024-01-01T01:00:00+01:00")
    (1704067200.0, 1704067200.0)
    """
    if _missing(value):
        return None
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.strip())
        except ValueError:
            return number(value)
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day)
    if not isinstance(value, datetime):
        return number(value)
    return (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()


CONVERTERS: Mapping[str, Callable[[Any], Value]] = {
    "integer": integer,
    "number": number,
    "boolean": boolean,
    "category": category,
    "datetime": moment,
}
"""The types a column can have, each with what makes a value of it, or raises ValueError."""

SAID = {**CONVERTERS, "integer": whole}
"""The same for a column of which the type was said, and not inferred."""


def any_value(value: Any) -> Value:
    """Return a value of a column that the first rows did not have, by its own type."""
    if isinstance(value, str):
        return category(value)
    return CONVERTERS[_kind(value, texts=False)](value) if value is not None else None


def text_value(text: str) -> Value:
    """Return a value of a text by itself, where there is no column to be of one type with.

    >>> [text_value(text) for text in ("2", "2.50", "true", "UP", "NA")]
    [2, 2.5, True, 'UP', None]
    """
    return None if _missing(text) else CONVERTERS[_kind(text, texts=True)](text)
