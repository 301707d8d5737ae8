"""Objects within objects, laid flat: one value a feature, called by the way to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from stream.errors import RecordError
from stream.paths import ABSENT, Branch, Steps, getter
from stream.records import MAX_FIELDS, MAX_RECORD, Features

MAX_DEPTH = 32
"""Levels of objects and lists that are taken apart, at most."""

_FREE: Branch = {}
_LONG = 256
"""Characters of a way beyond which the names behind it are added up."""


def flattener(
    plan: Sequence[tuple[Steps, Branch]], rename: Mapping[str, str]
) -> Callable[[dict[str, Any]], Features]:
    """Return what makes features of an object.

    `plan` says where they stand, `()` being everywhere, each with what is left out behind it.
    What comes back raises `RecordError`: ambiguous, too_deep, too_many_fields,
    too_large, number_range.
    """
    places = [(name_of(steps), getter(steps), skip) for steps, skip in plan if steps]
    everything = next((skip for steps, skip in plan if not steps), None)

    def features(root: dict[str, Any]) -> Features:
        flat = _Flat()
        if everything is not None:
            flat.object(root, "", everything, MAX_DEPTH)
        for name, get, skip in places:
            if (found := get(root)) is not ABSENT:
                flat.put(found, name, skip, MAX_DEPTH)
        flat.check_count()
        return _renamed(flat.x, rename) if rename else flat.x

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


class _Flat:
    """Features as they are found.

    A name repeats the whole way to it, so that few bytes may stand for gigabytes of names.
    Long names are added up as they are made, and objects and lists are counted at, and not
    after, the taking apart; what is short and one object's own is counted in the end.
    """

    __slots__ = ("_room", "x")

    def __init__(self) -> None:
        self.x: Features = {}
        self._room = MAX_RECORD

    def check_count(self) -> None:
        """Raise `RecordError` for too many features."""
        if len(self.x) > MAX_FIELDS:
            raise RecordError(
                "too_many_fields",
                f"there are {len(self.x)} features or more, {MAX_FIELDS} are allowed",
            )

    def _long(self, name: str) -> None:
        self._room -= len(name)
        if self._room < 0:
            raise RecordError(
                "too_large",
                f"the names of features, of which one is {name[:80]!r}…, have more than "
                f"{MAX_RECORD} characters together; make it less deep, or rename its keys",
            )
        self.check_count()

    def object(self, node: dict[str, Any], prefix: str, skip: Branch, depth: int) -> None:
        """Take an object apart; its features are called by `prefix` and their keys."""
        if depth < 0:
            raise _too_deep(prefix)
        x, long = self.x, len(prefix) > _LONG
        if len(x) > MAX_FIELDS:
            self.check_count()
        for key, value in node.items():
            rest = skip.get(key, _FREE) if skip else _FREE
            if rest is None:
                continue
            name, kind = prefix + key, type(value)
            if long:
                self._long(name)
            if kind is dict:
                self.object(value, f"{name}.", rest, depth - 1)
            elif kind is list:
                self._list(value, name, rest, depth - 1)
            elif name in x:
                raise _twice(name)
            else:
                x[name] = whole(value, name) if kind is int else value

    def _list(self, node: list[Any], name: str, skip: Branch, depth: int) -> None:
        if depth < 0:
            raise _too_deep(name)
        long = len(name) > _LONG
        for place, value in enumerate(node):
            if (rest := skip.get(place, _FREE)) is not None:
                called = f"{name}[{place}]"
                if long:
                    self._long(called)
                elif place > MAX_FIELDS:
                    self.check_count()
                self.put(value, called, rest, depth)

    def put(self, value: Any, name: str, skip: Branch, depth: int) -> None:
        """Take in a value, whatever it is, called `name`."""
        kind = type(value)
        if kind is dict:
            self.object(value, f"{name}.", skip, depth - 1)
        elif kind is list:
            self._list(value, name, skip, depth - 1)
        elif name in self.x:
            raise _twice(name)
        else:
            self.x[name] = whole(value, name) if kind is int else value


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
