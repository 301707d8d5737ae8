"""Which paths of a mapping lead nowhere in all that was looked at: most often a misspelling.

A part may be missing in one record; in none of a hundred it is hardly meant so.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any, NamedTuple

from stream.mapping import FieldMap
from stream.paths import ABSENT, Steps, getter, path_of, steps_of

_KNOWN, _NOTED = 1000, 100
"""Paths remembered to name those that may have been meant, and the objects they are from."""
_NAMED = 5


class Unfound(NamedTuple):
    """A path that led nowhere: the key of the mapping, the path, and what else was there."""

    part: str
    path: str
    there: str


class Sought:
    """The paths of a mapping that none of so many `objects` has had so far."""

    def __init__(self, mapping: FieldMap) -> None:
        paths = [("id", mapping.id), ("ts", mapping.ts), ("y", mapping.y)]
        paths += [("x", path) for path in mapping.x or ()]
        paths += [("drop", path) for path in mapping.drop]
        self._left = {
            (part, path): getter(steps_of(path, part)) for part, path in paths if path
        }
        self._there: dict[str, None] = {}
        self.objects = 0

    def look(self, root: dict[str, Any]) -> None:
        """Take what an object has off the list."""
        self.objects += 1
        if not self._left:
            return
        for key, get in list(self._left.items()):
            if get(root) is not ABSENT:
                del self._left[key]
        if self.objects <= _NOTED:
            self._note(root)

    def unfound(self) -> list[Unfound]:
        """Return the paths that led nowhere, where there was anything to look at."""
        if not self.objects:
            return []
        return [Unfound(part, path, self._hint(path)) for part, path in self._left]

    def _note(self, root: dict[str, Any]) -> None:
        waiting: list[tuple[Steps, Any]] = [((), root)]
        for steps, node in waiting:
            if len(self._there) >= _KNOWN:
                return
            if steps:
                self._there[path_of(steps)] = None
            if isinstance(node, dict):
                waiting += [((*steps, key), value) for key, value in node.items()]
            elif isinstance(node, list):
                waiting += [((*steps, place), value) for place, value in enumerate(node)]

    def _hint(self, path: str) -> str:
        if close := get_close_matches(path, self._there, n=1):
            return f"did you mean {close[0]!r}?"
        names = [*map(repr, list(self._there)[:_NAMED]), *["…"] * (len(self._there) > _NAMED)]
        return f"there are {', '.join(names)}" if names else "they hold nothing at all"
