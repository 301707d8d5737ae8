"""driftline policies."""

from __future__ import annotations

import inspect
import json as text
from typing import TYPE_CHECKING, Any

from driftline.console import out

if TYPE_CHECKING:
    from learner.policies.policy import Policy


def policies(*, json: bool = False) -> int:
    """List the policies there are by name: their arguments with defaults, and what each does.

    Parameters
    ----------
    json
        One line of JSON instead of a text.
    """
    from learner.policies.table import POLICIES

    rows: list[dict[str, Any]] = [
        {
            "policy": name,
            "arguments": arguments(kind, skip=1),
            "listens": kind.listens,
            "says": says(kind),
        }
        for name, kind in POLICIES.items()
    ]
    if json:
        out(text.dumps(rows))
        return 0
    for row in rows:
        out(f"{row['policy']}{written(row['arguments'])}")
        for line in row["says"].splitlines():
            out(f"    {line}".rstrip())
        out("")
    return 0


def says(kind: type[Policy]) -> str:
    """Return what a policy says of itself; the one that does nothing speaks for all of them."""
    whole = inspect.getdoc(kind) or ""
    return whole if arguments(kind, skip=1) else whole.partition("\n")[0]


def arguments(kind: type, skip: int = 0) -> dict[str, Any]:
    """Return what a class takes beyond its first arguments, and the defaults.

    >>> arguments(complex)
    {'real': 0, 'imag': 0}
    """
    parameters = [*inspect.signature(kind).parameters.values()][skip:]
    return {each.name: each.default for each in parameters}


def written(given: dict[str, Any]) -> str:
    """Return arguments as Python would have them.

    >>> written({"window": 1000, "period": None})
    '(window=1000, period=None)'
    """
    return f"({', '.join(f'{name}={value!r}' for name, value in given.items())})"
