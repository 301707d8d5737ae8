"""The demo's terminal view: how the model does against the baseline, and what happened."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from monitor.sentences import sentence
from stream.texts import shown

if TYPE_CHECKING:
    from monitor.figures import Figures
    from monitor.history import Curve
    from monitor.tally import Noted

_BARS = "▁▂▃▄▅▆▇█"
NARROWEST, WIDEST = 60, 120
"""Columns of the view: those of the terminal, within these bounds."""
_MARGIN = 20
"""Columns that the curve leaves free."""
_SHOWN = 9
_SENTENCE = 80
_DONE = ("reset", "swap", "refit", "slower", "faster", "input-drift")
_STYLES = {"mark": "yellow", "drift": "red"} | dict.fromkeys(_DONE, "green")


def view(
    figures: Figures,
    curve: Curve,
    *,
    window: str,
    address: str,
    model: str,
    policy: str,
    columns: int = 80,
) -> RenderableType:
    """Return the view of a learner's figures over the rolling window of that name.

    `curve` is that of the same learner, as the live page has it; `columns` are those of the
    terminal.
    """
    width = min(max(columns, NARROWEST), WIDEST)
    counts = Table.grid(padding=(0, 3))
    counts.add_row(
        f"samples {figures.count('samples'):,}",
        f"{figures.rate:,.0f} a second",
        f"true drifts {figures.count('marks')}",
        f"detected {figures.count('drifts')}",
        f"resets {figures.count('resets')}",
    )
    parts: list[RenderableType] = [
        _scores(figures, window),
        _bars(curve, width - _MARGIN, shares=not figures.regression),
        counts,
        Text(),
    ]
    parts += [_event(event) for event in _worth_saying(figures.events)[-_SHOWN:]]
    parts += [Text(), Text(f"Live page: {address}/ (Ctrl-C to stop)", style="bold")]
    return Panel(Group(*parts), title=f"driftline · {model} · policy {policy}", width=width)


def _scores(figures: Figures, window: str) -> Table:
    table = Table.grid(padding=(0, 3))
    mine, base = figures.scores(window), figures.baselines(window)
    name = "mae" if figures.regression else "accuracy"
    table.add_row(
        Text(f"{name} over the last {int(window):,}", style="bold"),
        _number(mine.get(name), "bold cyan"),
        "majority" if not figures.regression else "mean so far",
        _number(base.get("majority")),
        "no change",
        _number(base.get("no_change")),
    )
    return table


def _number(value: float | None, style: str = "") -> Text:
    return Text("–" if value is None else f"{value:.3f}", style=style)


def _bars(curve: Curve, width: int, *, shares: bool) -> Text:
    """Return the model's line as one of bars, at most `width` of them.

    A bar that stands for several points is the worst of them: the model falls deep, not long.
    """
    line = next(iter(curve.lines.values()), [])
    known = [value for value in line if value is not None]
    values = _thinned(known, width, min if shares else max)
    if not values:
        return Text("waiting for the first outcomes …", style="dim")
    low, high = min(values), max(values)
    if shares:
        low, high = min(low, 0.5), 1.0
    span = (high - low) or 1.0
    bars = "".join(_BARS[round((v - low) / span * (len(_BARS) - 1))] for v in values)
    return Text(bars, style="cyan")


def _thinned(
    points: Sequence[float], width: int, worst: Callable[[Sequence[float]], float]
) -> list[float]:
    many = len(points)
    if many <= width:
        return list(points)
    return [worst(points[i * many // width : (i + 1) * many // width]) for i in range(width)]


def _worth_saying(events: Sequence[Noted]) -> list[Noted]:
    return [event for event in events if event.kind in _STYLES]


def _event(event: Noted) -> Text:
    said = shown(sentence(event), _SENTENCE)
    return Text(f"@{event.offset:<8,}{said}", style=_STYLES[event.kind])
