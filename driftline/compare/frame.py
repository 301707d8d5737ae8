"""A page that carries all it needs: text, tables, charts and what draws them.

Every text that comes from outside goes through `escape` or `words`, and the data of charts is
JSON that can end no script.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from importlib.resources import files
from typing import Any

Chart = Mapping[str, Any]
"""What the page's script draws: id, kind, series and what its axes are called."""


def frame(title: str, parts: Iterable[str], charts: Sequence[Chart]) -> str:
    """Return a page of these parts, which are HTML, with its charts."""
    static = files("driftline") / "static"
    echarts = files("monitor") / "static" / "vendor" / "echarts" / "echarts.min.js"
    page = (static / "page.html").read_text(encoding="utf-8")
    filled = {
        "title": escape(title),
        "css": (static / "page.css").read_text(encoding="utf-8"),
        "body": "\n".join(parts),
        "data": _data(charts),
        "echarts": echarts.read_text(encoding="utf-8"),
        "js": (static / "page.js").read_text(encoding="utf-8"),
    }
    # Every other piece is a name; what is filled in is not looked through again.
    pieces = page.split("%")
    pieces[1::2] = [filled[name] for name in pieces[1::2]]
    return "".join(pieces)


def table(
    caption: str,
    heads: Sequence[str],
    rows: Iterable[tuple[str, Sequence[str]]],
    *,
    words: int = 1,
) -> str:
    """Return a table of texts; each row has a class, and its first `words` cells are words."""
    return "\n".join(
        [
            f'<div class="scroll" role="region" tabindex="0" aria-label="{escape(caption)}">',
            f"<table><caption>{escape(caption)}</caption><thead><tr>",
            *(
                f'<th scope="col"{_kind(at, words)}>{escape(head)}</th>'
                for at, head in enumerate(heads)
            ),
            "</tr></thead><tbody>",
            *(_row(kind, cells, words) for kind, cells in rows),
            "</tbody></table></div>",
        ]
    )


def chart(id: str) -> str:
    """Return the place of a chart."""
    return f'<div class="chart" id="{escape(id)}"></div>'


def folded(summary: str, html: str) -> str:
    """Return a part that is shown when asked for."""
    return f"<details><summary>{escape(summary)}</summary>{html}</details>"


def heading(text: str, says: str = "") -> str:
    """Return a heading, and below it what there is to say in plain text."""
    return f"<h2>{escape(text)}</h2>" + (f'<p class="quiet">{escape(says)}</p>' if says else "")


def _row(kind: str, cells: Sequence[str], words: int) -> str:
    said = "".join(
        f"<td{_kind(at, words)}>{escape(cell)}</td>" for at, cell in enumerate(cells)
    )
    return f'<tr class="{escape(kind)}">{said}</tr>' if kind else f"<tr>{said}</tr>"


def _kind(at: int, words: int) -> str:
    return ' class="word"' if at < words else ""


def _data(charts: Sequence[Chart]) -> str:
    # In a script "<" could begin its end, or a comment.
    return json.dumps(charts, allow_nan=False).replace("<", "\\u003c")
