"""The monitor's figures as tables for a person: a row a figure, a column a window."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

_COUNTS = (
    "samples",
    "labelled",
    "scored",
    "drifts",
    "improvements",
    "resets",
    "marks",
    "dead",
    "pending",
    "lag",
    "lag_seconds",
)
_BESIDE = ("classes", "confusion", "calibration")
"""What has a table of its own, or is for JSON only."""
_NUMBER = 11
_NAME = 30


def show(summary: Mapping[str, Any], console: Console | None = None) -> None:
    """Write what `monitor.run.summary` gives to stderr, as wide as it needs."""
    console = console or Console(stderr=True, highlight=False)
    learners = summary["learners"]
    columns = max(len(learner["windows"]) for learner in learners.values())
    # Figures that are cut off are no figures.
    console.width = max(console.width, _NAME + _NUMBER * columns)
    for name, learner in learners.items():
        task = learner["task"] or "nothing said yet"
        title = Text(f"learner {name} of stream {summary['stream']}: {task}", style="bold")
        console.print(Group(Text(), title, *_parts(learner)))


def _parts(learner: Mapping[str, Any]) -> Iterator[RenderableType]:
    counts = Table.grid(padding=(0, 2))
    for name in _COUNTS:
        if learner[name] is not None:
            counts.add_row(_words(name), Text(_readable(learner[name]), justify="right"))
    yield counts
    yield Text()
    yield _of_windows(learner["windows"])
    widest = learner["windows"].get("all", {})
    if classes := widest.get("classes"):
        yield Text()
        yield _of_classes(classes)
    for partition, resources in learner["resources"].items():
        if resources:
            said = ", ".join(f"{_plain(k)} {_readable(v)}" for k, v in resources.items())
            yield Text(f"\npartition {partition}: {said}")


def _of_windows(windows: Mapping[str, Mapping[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("window", no_wrap=True)
    for window in windows:
        table.add_column(f"{int(window):,}" if window.isdigit() else window, justify="right")
    columns = [dict(_figures(window)) for window in windows.values()]
    for name in dict.fromkeys(name for column in columns for name in column):
        cells = [_readable(column[name]) if name in column else "" for column in columns]
        table.add_row(_words(name), *cells)
    return table


def _figures(window: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    for name, value in window.items():
        if name in _BESIDE:
            continue
        if isinstance(value, Mapping):
            for kind, each in value.items():
                yield (f"of {kind}" if name == "baselines" else f"{name}, {kind}"), each
        else:
            yield name, value


def _of_classes(classes: Mapping[str, Mapping[str, float]]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("class, over all")
    for figure in ("precision", "recall", "f1"):
        table.add_column(figure, justify="right")
    for name, figures in classes.items():
        # As text: a class may be called like a style.
        table.add_row(Text(name), *(_readable(value) for value in figures.values()))
    return table


def _words(name: str) -> Text:
    return Text(_plain(name))


def _plain(name: str) -> str:
    return name.replace("_", " ")


def _readable(value: float) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    if value and (abs(value) >= 1e6 or abs(value) < 1e-4):
        return f"{value:.3g}"
    return f"{value:.4f}" if abs(value) < 100 else f"{value:,.1f}"
