"""The ways of training for a person: on a terminal, and as a page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from rich.console import Console
from rich.table import Table
from rich.text import Text

from driftline.compare.board import text_of
from driftline.compare.frame import Chart, chart, folded, frame, heading
from driftline.compare.frame import table as html_table
from driftline.compare.retrain import PASSES, WAYS
from driftline.compare.trained import Row, Trainings
from driftline.compare.words import cell, unfinished

_WIDTH = 100


def title(found: Trainings) -> str:
    """Return what was compared, in one line."""
    seeds = f", {len(found.seeds)} seeds" if len(found.seeds) > 1 else ""
    return f"{found.data}: {found.samples:,} samples in {found.pieces} pieces{seeds}"


def explained(found: Trainings) -> str:
    """Return what the four ways are."""
    window = f"last {found.last} pieces" if found.last > 1 else "last piece"
    return (
        "After each piece, and judged on the next before it is learned: continue learns on; "
        f"refit-window trains a new model on the {window}, refit-all on all pieces so far, "
        f"mixed and {PASSES} times over; nothing keeps the model of the first piece."
    )


def show(found: Trainings, console: Console | None = None) -> None:
    """Write the figures to stderr, and below them why what failed has failed."""
    console = console or Console(stderr=True, highlight=False)
    console.width = max(console.width, _WIDTH)
    console.print(Text(title(found), style="bold"))
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for at, head in enumerate(_heads(found)):
        table.add_column(head, justify="left" if at < 2 else "right")
    for _, cells in _rows(found):
        table.add_row(*map(Text, cells))
    console.print(table)
    console.print(Text(explained(found), style="dim"))
    for row in found.rows:
        if row.error is not None:
            console.print(Text(f"{text_of(row.model)}, {row.way}: {row.error}"))
    for sentence in unfinished(found.missing):
        console.print(Text(sentence))


def page(found: Trainings) -> str:
    """Return the page: the table, and for each model its curves and its seconds."""
    parts = [
        f"<h1>{escape(found.data)}</h1>",
        f'<p class="quiet">{escape(title(found))}. {escape(explained(found))}</p>',
        *(f"<p>{escape(sentence)}</p>" for sentence in unfinished(found.missing)),
        html_table("All pieces from the second on", _heads(found), _rows(found), words=2),
    ]
    charts: list[Chart] = []
    for name in dict.fromkeys(text_of(row.model) for row in found.rows):
        rows = [row for row in found.rows if text_of(row.model) == name and row.trained]
        if not rows:
            continue
        ids = [f"score{len(charts)}", f"seconds{len(charts)}"]
        parts += [heading(f"{name}: {_figure(found)}, piece by piece"), chart(ids[0])]
        parts += [heading(f"{name}: seconds of training, piece by piece"), chart(ids[1])]
        parts += [folded("The numbers", _piece_table(found, name, rows))]
        charts += [_scores(found, ids[0], rows), _seconds(ids[1], rows)]
    failed = [row for row in found.rows if row.error is not None]
    if failed:
        why = [("", (text_of(row.model), row.way, row.error or "")) for row in failed]
        sentences = html_table("Why", ("model", "way", "sentence"), why, words=3)
        parts += [heading("What failed"), sentences]
    return frame(f"driftline compare: {found.data}", parts, charts)


def _figure(found: Trainings) -> str:
    return "mean absolute error" if found.regression else "accuracy"


def _heads(found: Trainings) -> list[str]:
    several = ["±"] if len(found.seeds) > 1 else []
    return ["model", "way", _figure(found), *several, "seconds", "× continue"]


def _rows(found: Trainings) -> Iterator[tuple[str, Sequence[str]]]:
    """Yield each row's cells, and the class of the best of its model."""
    base = {text_of(row.model): row.seconds for row in found.rows if row.way == WAYS[0]}
    sign = 1 if found.regression else -1
    best: dict[str, float] = {}
    for row in found.rows:
        if row.score is not None:
            name, score = text_of(row.model), sign * row.score
            best[name] = min(best.get(name, score), score)
    for row in found.rows:
        name = text_of(row.model)
        cells = [name, row.way, cell(row.score, 4)]
        cells += [cell(row.spread, 4)] if len(found.seeds) > 1 else []
        cells += [cell(row.seconds, 2)]
        mine, theirs = row.seconds, base.get(name)
        cells += [f"{mine / theirs:.1f}" if mine and theirs else "–"]
        leads = row.score is not None and sign * row.score == best[name]
        yield "best" if leads else "", cells


def _scores(found: Trainings, id: str, rows: Sequence[Row]) -> Chart:
    series = [
        {"name": row.way, "points": [[p["begin"], p["score"]] for p in row.pieces]}
        for row in rows
    ]
    return {
        "id": id,
        "kind": "line",
        "x": "samples learned before the piece",
        "y": _figure(found).capitalize(),
        "end": rows[0].pieces[-1]["begin"],
        "digits": 4,
        "says": f"{_figure(found)} on each piece; the table has the numbers.",
        "series": series,
    }


def _seconds(id: str, rows: Sequence[Row]) -> Chart:
    return {
        "id": id,
        "kind": "bar",
        "names": [f"{n}" for n in range(2, len(rows[0].pieces) + 2)],
        "y": "seconds",
        "digits": 3,
        "zero": True,
        "says": "seconds of training before each piece; the table has the numbers.",
        "series": [
            {"name": row.way, "points": [p["seconds"] for p in row.pieces]} for row in rows
        ],
    }


def _piece_table(found: Trainings, name: str, rows: Sequence[Row]) -> str:
    heads = ["piece", "samples before"]
    heads += [f"{row.way}, {what}" for what in (_figure(found), "seconds") for row in rows]
    pieces = [row.pieces for row in rows]

    def lines() -> Iterator[tuple[str, Sequence[str]]]:
        for at, first in enumerate(pieces[0]):
            scores = [cell(each[at]["score"], 4) for each in pieces]
            seconds = [cell(each[at]["seconds"], 3) for each in pieces]
            yield "", [str(at + 2), f"{first['begin']:,}", *scores, *seconds]

    return html_table(f"{name}, piece by piece", heads, lines(), words=0)
