"""Objects within objects, laid flat: one value a feature, called by the way to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from stream.errors import RecordError
from stream.paths import ABSENT, Branch, Steps, getter
from stream.records import MAX_FIELDS, Features

MAX_DEPTH = 32
"""Levels of objects and lists that are taken apart, at most."""

_FREE: Branch = {}


def flattener(
    plan: Sequence[tuple[Steps, Branch]], rename: Mapping[str, str]
) -> Callable[[dict[str, Any]], Features]:
    """Return what makes features of an object.

    `plan` says where they stand, `()` being everywhere, each with what is left out behind it.
    What comes back raises `RecordError`: ambiguous, too_deep, too_many_fields, number_range.
    """
    places = [(name_of(steps), getter(steps), skip) for steps, skip in plan if steps]
    everything = next((skip for steps, skip in plan if not steps), None)

    def features(root: dict[str, Any]) -> Features:
        x: Features = {}
        if everything is not None:
            _object(root, "", everything, x, MAX_DEPTH)
        for name, get, skip in places:
            if (found := get(root)) is not ABSENT:
                _put(found, name, skip, x, MAX_DEPTH)
        if len(x) > MAX_FIELDS:
            raise RecordError(
                "too_many_fields", f"there are {len(x)} features, {MAX_FIELDS} are allowed"
            )
        return _renamed(x, rename) if rename else x

    return features


def leaves(node: Any, steps: Steps, skip: Branch | None) -> Iterator[tuple[Steps, Any]]:
    """Yield where each feature stands, and its value, in the order of what `flattener` makes.

    >>> list(leaves({"a": 1, "b": [2, {"c": 3}]}, (), {"b": {0: None}}))
    [(('a',), 1), (('b', 1, 'c'), 3)]
    """
    if skip is None or node is ABSENT:
        return
    if isinstance(node, dict | list):
        for step, value in node.items() if isinstance(node, dict) else enumerate(node):
            yield from leaves(value, (*steps, step), skip.get(step, _FREE))
    else:
        yield steps, node


def name_of(steps: Steps) -> str:
    """Return what a feature is called; a key with dots in it keeps them.

    >>> name_of(("items", 0, "price"))
    'items[0].price'
    """
    parts = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
    return "".join(parts).removeprefix(".")


def whole(value: int, name: str) -> int:
    """Return a whole number of at most 64 bits, or raise `RecordError` for a larger one."""
    if not -(2**63) <= value < 2**63:
        raise RecordError("number_range", f"the number at {name[:80]!r} has more than 64 bits")
    return value


def _object(node: dict[str, Any], prefix: str, skip: Branch, x: Features, depth: int) -> None:
    if depth < 0:
        raise _too_deep(prefix)
    for key, value in node.items():
        rest = skip.get(key, _FREE) if skip else _FREE
        if rest is None:
            continue
        name, kind = prefix + key, type(value)
        if kind is dict:
            _object(value, f"{name}.", rest, x, depth - 1)
        elif kind is list:
            _list(value, name, rest, x, depth - 1)
        elif name in x:
            raise _twice(name)
        else:
            x[name] = whole(value, name) if kind is int else value


def _list(node: list[Any], name: str, skip: Branch, x: Features, depth: int) -> None:
    if depth < 0:
        raise _too_deep(name)
    for place, value in enumerate(node):
        if (rest := skip.get(place, _FREE)) is not None:
            _put(value, f"{name}[{place}]", rest, x, depth)


def _put(value: Any, name: str, skip: Branch, x: Features, depth: int) -> None:
    kind = type(value)
    if kind is dict:
        _object(value, f"{name}.", skip, x, depth - 1)
    elif kind is list:
        _list(value, name, skip, x, depth - 1)
    elif name in x:
        raise _twice(name)
    else:
        x[name] = whole(value, name) if kind is int else value


def _too_deep(name: str) -> RecordError:
    return RecordError("too_deep", f"{name[:80]!r} lies deeper than {MAX_DEPTH} levels")


def _renamed(x: Features, rename: Mapping[str, str]) -> Features:
    found: Features = {}
    for old, value in x.items():
        name = rename.get(old, old)
        if name in found:
            raise _twice(name)
        found[name] = value
    return found


def _twice(name: str) -> RecordError:
    return RecordError("ambiguous", f"two values are called {name[:80]!r}")
