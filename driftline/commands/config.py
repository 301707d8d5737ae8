"""driftline config init | show | schema."""

from __future__ import annotations

import dataclasses
import json as text
from pathlib import Path

from driftline.catalog import catalog
from driftline.console import out, tell
from driftline.settings import FILE


def init(path: Path = FILE, /) -> int:
    """Write a settings file with every setting of every command, all at their defaults.

    Parameters
    ----------
    path
        The file, which must not be there yet; only driftline.toml in the working folder is
        read.
    """
    from driftline.app import app
    from driftline.config.template import template, write

    write(path, template(catalog(app)))
    tell(f"wrote {path}")
    return 0


def show(*command: str, resolved: bool = False, json: bool = False) -> int:
    """Show the settings of a command, of all where none is named, and who set each.

    Parameters
    ----------
    command
        The command, as learn or checkpoints list; kafka for the broker's client.
    resolved
        Show what unset settings come to, where that follows from the others.
    json
        One line of JSON instead of one setting a line.
    """
    from driftline.app import app
    from driftline.config import shown

    rows = shown.shown(app, command)
    rows = shown.resolved(rows) if resolved else rows
    if json:
        out(text.dumps([dataclasses.asdict(row) for row in rows], default=str))
        return 0
    for table in dict.fromkeys(row.command for row in rows):
        out(f"[{table}]")
        for row in rows:
            if row.command == table:
                out(f"  {row.key:<20} {_readable(row.value):<32} {row.origin}")
        out("")
    return 0


def _readable(value: object) -> str:
    if value is None:
        return "–"
    return value if isinstance(value, str) else text.dumps(value, default=str)


def schema() -> int:
    """Write a JSON schema of the settings file, for an editor that checks and completes it."""
    from driftline.app import app
    from driftline.config import schema as made

    out(text.dumps(made.schema(catalog(app)), indent=2, ensure_ascii=False))
    return 0
