"""A report as one page that needs nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import Any

from driftline.compare.frame import Chart, chart, folded, frame, heading, table
from driftline.report.reading import Reading
from driftline.report.words import curve_says, number
from monitor.names import event_named, named

ROWS = 200
"""Rows of the curve as numbers, at most."""
_DRAWN = {"majority": "dashed", "no_change": "dotted", "normal_score": "dashed"}
Rows = Iterator[tuple[str, Sequence[str]]]


def page(reading: Reading) -> str:
    """Return the page."""
    figures, curve = reading.picture["figures"], reading.curve
    parts = [
        f"<h1>{escape(reading.title)}</h1>",
        f'<p class="quiet">{figures["samples"]:,} samples, {figures["scored"]:,} scored, '
        f"{figures['marks']:,} true drifts, {figures['drifts']:,} detected, "
        f"{figures['dead']:,} dead letters. Every guess is scored before its sample is "
        "learned.</p>",
    ]
    if curve["x"]:
        parts += [heading("Along the stream", curve_says(reading) + ".")]
        parts += [chart("curve"), folded("As numbers", _curve_table(reading))]
    parts += [heading("Window by window")]
    parts += [table("Figures", ["figure", *figures["windows"]], _scores(reading))]
    if reading.story:
        heads = ["what", "says", "at", "delay"]
        parts += [heading("What happened", "A delay is counted in guesses after a true drift.")]
        parts += [table("Events", heads, _story(reading), words=2)]
    parts += _parts(reading)
    charts = [_drawn(reading)] if curve["x"] else []
    return frame(f"driftline report: {reading.title}", parts, charts)


def _parts(reading: Reading) -> Iterator[str]:
    """Yield the tables of what there may be none of."""
    figures = reading.picture["figures"]
    window = figures["windows"][reading.picture["windows"][-1]]
    over = f"over the last {int(reading.picture['windows'][-1]):,}"
    if classes := window.get("classes"):
        heads = ["class", "precision", "recall", "f1"]
        rows = [
            ("", [name, *(number(of.get(it)) for it in heads[1:])])
            for name, of in classes.items()
        ]
        yield heading(f"Class by class, {over}") + table("Classes", heads, rows)
    if confusion := window.get("confusion"):
        yield heading(f"Confusion, {over}", "Rows are labels, columns are guesses.")
        yield _confusion(confusion)
    if arms := figures.get("arms"):
        heads = list(arms[0])
        rows = [("", [arm["arm"], *(number(arm[it]) for it in heads[1:])]) for arm in arms]
        yield heading("Champion and challengers") + table("Models", heads, rows)
    if moved := reading.picture["moved"]:
        heads = ["feature", "value", "before", "after", "times", "at"]
        rows = [("", [*map(str, _moved(it))]) for it in moved]
        yield heading("Features that moved") + table("Features", heads, rows, words=2)
    if dead := reading.picture["dead"]:
        rows = [("", [reason, f"{count:,}"]) for reason, count in dead.items()]
        yield heading("Dead letters") + table("Reasons", ["reason", "records"], rows)


def _moved(row: dict[str, Any]) -> list[Any]:
    value = "–" if row["value"] is None else row["value"]
    return [row["feature"], value, row["before"], row["after"], row["times"], row["x"]]


def _scores(reading: Reading) -> Rows:
    """Yield a row for each figure that is a number, by window."""
    windows = reading.picture["figures"]["windows"]
    names = dict.fromkeys(
        name for of in windows.values() for name in of if isinstance(of[name], int | float)
    )
    for name in names:
        yield (
            "",
            [named(name, reading.task), *(number(of.get(name)) for of in windows.values())],
        )
    for name in ("majority", "no_change"):
        values = [of.get("baselines", {}).get(name) for of in windows.values()]
        if any(value is not None for value in values):
            yield "base", [named(name, reading.task), *map(number, values)]


def _story(reading: Reading) -> Rows:
    for event in reversed(reading.story):
        kind = event_named(event["kind"], event["group"])
        delay = "–" if event["delay"] is None else f"{event['delay']:,}"
        yield "", [kind, event["says"], f"{event['x']:,}", delay]


def _confusion(confusion: dict[str, dict[str, int]]) -> str:
    names = dict.fromkeys([*confusion, *(name for row in confusion.values() for name in row)])
    rows = [
        ("", [label, *(f"{confusion.get(label, {}).get(guess, 0):,}" for guess in names)])
        for label in names
    ]
    return table("Label by guess", ["label", *names], rows)


def _curve_table(reading: Reading) -> str:
    curve = reading.curve
    step = -(-len(curve["x"]) // ROWS)
    heads = ["scored", *(named(name, reading.task) for name in curve["lines"])]
    rows = [
        ("", [f"{x:,}", *(number(line[at]) for line in curve["lines"].values())])
        for at, x in enumerate(curve["x"])
        if (len(curve["x"]) - 1 - at) % step == 0
    ]
    return table("The curve", heads, rows, words=0)


def _drawn(reading: Reading) -> Chart:
    curve, task = reading.curve, reading.task
    model = next(iter(curve["lines"]))
    series = []
    for name, line in curve["lines"].items():
        points = [[x, value] for x, value in zip(curve["x"], line, strict=True)]
        drawn = {"baseline": _DRAWN[name]} if name in _DRAWN else {}
        series.append({"name": named(name, task), "points": points, **drawn})
    return {
        "id": "curve",
        "kind": "line",
        "x": "scored guesses",
        "y": named(model, task),
        "end": curve["x"][-1],
        "digits": 4,
        "says": f"{named(model, task)} along {curve['x'][-1]:,} scored guesses; the table "
        "below has the numbers.",
        "series": series,
        "marks": [*_marks(reading)],
    }


def _marks(reading: Reading) -> Iterator[dict[str, Any]]:
    for event in reading.story:
        if event["group"] == "true":
            yield {"at": event["x"], "name": event["says"].removeprefix("the world changes: ")}
        elif event["kind"] == "drift":
            yield {"at": event["x"], "name": "", "drawn": "dotted"}
