"""driftline datasets."""

from __future__ import annotations

import json as text
from dataclasses import asdict
from typing import TYPE_CHECKING

from driftline.console import out, tell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from producer.sources.source import Listing


def datasets(*, json: bool = False) -> int:
    """List the data sets and generators there are by name, and what is known of each.

    Parameters
    ----------
    json
        One line of JSON instead of a table.
    """
    from producer.sources.table import FILES, listings, unused

    found = listings()
    for sentence in unused():
        tell(sentence)
    if json:
        out(text.dumps([asdict(each) for each in found]))
        return 0
    for line in _table(found):
        out(line)
    tell(f"and files: {', '.join(FILES)}; folders and patterns of them")
    return 0


def _table(found: Sequence[Listing]) -> list[str]:
    rows = [("name", "task", "rows", "features", "classes", "")]
    rows += [
        (
            each.name,
            each.task or "",
            _number(each.rows, "–" if each.brought_by else "endless"),
            _number(each.features),
            _number(each.classes),
            _origin(each),
        )
        for each in found
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if at in (0, 1, 5) else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _number(value: int | None, none: str = "–") -> str:
    return none if value is None else f"{value:,}"


def _origin(each: Listing) -> str:
    if each.download is not None:
        return f"to download, {each.download / 1e6:,.1f} MB"
    return f"by {each.brought_by}" if each.brought_by else ""
