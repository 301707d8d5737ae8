"""JSON Lines, plain or gzipped: one flat object a line."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from producer.sources.files import Lines, scannable
from producer.sources.source import Flaw, Source


def open_jsonl(path: Path, label: str | None) -> Source:
    """Return the objects of a file, one a line; empty lines are passed over.

    A line that is no flat object is a flaw. An object may lack features, and its label.
    Raises `SettingError` when the file is missing or empty.
    """
    lines = Lines(path)
    if next((line for line in lines if line.strip()), None) is None:
        raise lines.empty()

    def rows() -> Iterator[tuple[dict[str, Any], Any] | Flaw]:
        for line in lines:
            if not line.strip():
                continue
            try:
                x = json.loads(line)
            except (ValueError, RecursionError) as error:
                yield Flaw(f"{lines.place()} is not JSON: {error}")
                continue
            flaw = _flaw(x, path) or (_broken(x) if "\\u" in line else None)
            if flaw:
                yield Flaw(f"{lines.place()} {flaw}")
            else:
                yield x, (x.pop(label, None) if label is not None else None)

    return Source(
        name=path.name, rows=rows, label=label, place=lines.place, finite=scannable(path)
    )


def piped(path: Path) -> str:
    """Return the command that reads objects within objects, which a file is not read for.

    >>> piped(Path("orders.jsonl"))
    'cat orders.jsonl | driftline produce --source - …'
    """
    cat = "zcat" if path.suffix == ".gz" else "cat"
    return f"{cat} {shlex.quote(str(path))} | driftline produce --source - …"


def _flaw(x: Any, path: Path) -> str | None:
    if not isinstance(x, dict):
        return f"is not an object but {json.dumps(x)[:40]}"
    for name, value in x.items():
        if isinstance(value, dict | list):
            return (
                f"is not flat: {name!r} holds {json.dumps(value)[:40]}; lines of standard "
                f"input are flattened: {piped(path)}"
            )
    return None


def _broken(x: dict[str, Any]) -> str | None:
    """Return what is wrong with a half of a surrogate pair, which UTF-8 cannot hold."""
    try:
        json.dumps(x, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return "holds half a character"
    return None
