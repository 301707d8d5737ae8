"""Paths into a JSON record: a.b, a["odd.key"], items[0].price.

A subset of JSONPath (RFC 9535): names and numbers only, so that a path leads to one place or
to none. The `$.` in front may be left away.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from stream.errors import SettingError

Step = str | int
"""A key of an object, or a place in a list."""
Steps = tuple[Step, ...]
Branch = dict[Step, Any]
"""Several paths as a tree: a step, and what comes after it; None where a path ends."""

_NAME = re.compile(r"[^.\[\]\"'*]+")
_QUOTED = re.compile(r"""\[(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)')\]""")
_PLACE = re.compile(r"\[(0|[1-9][0-9]{0,5})\]")
_ESCAPED = re.compile(r"\\(.)")


class _Absent:
    """What stands where a path leads nowhere: not even a null."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Any = _Absent()


def steps_of(path: str, setting: str) -> Steps:
    r"""Return the steps of a path; `setting` names it in the sentence of a `SettingError`.

    >>> steps_of("$.items[0].price", "y"), steps_of('a["odd.key"]', "y")
    (('items', 0, 'price'), ('a', 'odd.key'))
    """
    at = 1 if re.match(r"\$(?=[.\[]|$)", path) else 0
    steps: list[Step] = []
    while at < len(path) or not steps:
        # A dot stands before every name but one at the very start.
        dotted = path.startswith(".", at) and at > 0
        if found := _NAME.match(path, at + dotted) if dotted or at == 0 else None:
            steps.append(found[0])
        elif found := None if dotted else _QUOTED.match(path, at):
            text = found[1] if found[1] is not None else found[2]
            steps.append(_ESCAPED.sub(r"\1", text))
        elif found := None if dotted else _PLACE.match(path, at):
            steps.append(int(found[1]))
        else:
            rest = f"{path[at : at + 20]!r} at character {at + 1}" if path[at:] else "its end"
            raise SettingError(
                f"path {path!r} of {setting} cannot be followed from {rest} on; write it as "
                'a.b, a["odd.key"] or items[0].price'
            )
        at = found.end()
    return tuple(steps)


def path_of(steps: Iterable[Step]) -> str:
    """Return the path that `steps_of` reads as these steps.

    >>> path_of(("items", 0, "odd.key"))
    'items[0]["odd.key"]'
    """
    path = ""
    for step in steps:
        if isinstance(step, int):
            path += f"[{step}]"
        elif _NAME.fullmatch(step) and (path or not re.match(r"\$$", step)):
            path += f".{step}" if path else step
        else:
            path += '["' + re.sub(r'(["\\])', r"\\\1", step) + '"]'
    return path


def getter(steps: Steps) -> Callable[[dict[str, Any]], Any]:
    """Return what follows the steps into an object, to a value or to `ABSENT`."""
    if len(steps) == 1:
        key = steps[0]
        return lambda root: root.get(key, ABSENT)  # type: ignore[arg-type]

    def get(root: Any) -> Any:
        for step in steps:
            if type(step) is str:
                root = root.get(step, ABSENT) if type(root) is dict else ABSENT
            else:
                inside = type(root) is list and step < len(root)  # type: ignore[operator]
                root = root[step] if inside else ABSENT
        return root

    return get


def tree_of(paths: Iterable[Steps]) -> Branch:
    """Return paths as a tree; one that leads on from the end of another adds nothing.

    >>> tree_of([("a", "b"), ("a", "c"), ("a", "c", "d")])
    {'a': {'b': None, 'c': None}}
    """
    tree: Branch = {}
    for steps in paths:
        branch: Branch | None = tree
        for step in steps[:-1]:
            branch = branch.setdefault(step, {}) if branch is not None else None
        if branch is not None:
            branch[steps[-1]] = None
    return tree


def within(tree: Branch, steps: Steps) -> Branch | None:
    """Return the part of a tree behind some steps, None where a path ends on the way."""
    branch: Branch | None = tree
    for step in steps:
        branch = branch.get(step, {}) if branch is not None else None
    return branch
