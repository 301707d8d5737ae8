"""driftline detectors."""

from __future__ import annotations

import json as text
from importlib import import_module
from typing import Any

from driftline.commands.policies import arguments, written
from driftline.console import out, tell


def detectors(*, json: bool = False) -> int:
    """List the drift detectors there are by name: River's class, and its arguments.

    Parameters
    ----------
    json
        One line of JSON instead of a text.
    """
    from learner.detectors import DETECTORS, OURS, is_binary

    rows: list[dict[str, Any]] = []
    for name, path in DETECTORS.items():
        module, _, kind = path.rpartition(".")
        found = getattr(import_module(module), kind)
        rows.append(
            {
                "detector": name,
                "class": path,
                "arguments": arguments(found),
                "regression": not is_binary(found()),
            }
        )
    if json:
        out(text.dumps(rows))
        return 0
    for row in rows:
        labels = "" if row["regression"] else "; of right or wrong alone, so no regression"
        out(f"{row['detector']}{written(row['arguments'])}\n    {row['class']}{labels}")
    tell(f"and any detector of River's by its class; each takes {', '.join(OURS)} too")
    return 0
