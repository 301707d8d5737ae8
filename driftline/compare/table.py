"""The leaderboard as tables on a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from driftline.compare.board import Board, Row, text_of
from driftline.compare.words import after, beside, cell, megabytes, places_of, title

_NARROWEST = 100
"""Columns of a table that goes to a file: cut figures are no figures."""


def show(board: Board, console: Console | None = None) -> None:
    """Write the board to stderr, and below it why what failed has failed."""
    console = console or Console(stderr=True, highlight=False)
    if not console.is_terminal:
        console.width = max(console.width, 160)
    console.width = max(console.width, _NARROWEST)
    console.print(Text(title(board), style="bold"))
    console.print(_leaderboard(board))
    if board.drifts:
        console.print(Text("\nafter each known drift", style="bold"))
        console.print(_drifts(board))
    for row in board.rows:
        if row.error is not None:
            console.print(Text(f"{row.entry.name}: {row.error}"))
    for sentence in beside(board):
        console.print(Text(sentence))


def _leaderboard(board: Board) -> Table:
    figure = "MAE" if board.regression else "accuracy"
    name = "mae" if board.regression else "accuracy"
    table = _table("", "model", "policy", *_optional(board), figure)
    several = len(board.seeds) > 1
    if several:
        table.add_column("±", justify="right")
    heads = [*(() if board.regression else ("κ",)), "drifts", "false", "resets"]
    for head in (*heads, "seconds", "peak MiB", "state KiB"):
        table.add_column(head, justify="right")
    digits = places_of(board)
    for rank, row in enumerate(board.rows, 1):
        cells = [str(rank) if row.played else "–", text_of(row.entry.model)]
        cells += [text_of(row.entry.policy)]
        if _optional(board):
            cells += ["–" if row.entry.detector is None else text_of(row.entry.detector)]
        cells += [cell(row.mean(name), digits)]
        cells += [cell(row.spread(name), digits)] if several else []
        cells += [] if board.regression else [cell(row.mean("kappa"), 3)]
        cells += [cell(row.mean(n), 1) for n in ("drifts", "false_alarms", "resets")]
        cells += [cell(row.mean("seconds"), 2), *megabytes(row)]
        table.add_row(*map(Text, cells), style="" if row.played else "dim")
    for baseline, value in board.baselines.items():
        gap = ["–"] if _optional(board) else []
        named = baseline.replace("_", " ")
        table.add_row(
            *map(Text, ("", named, "baseline", *gap, cell(value, digits))), style="dim"
        )
    return table


def _drifts(board: Board) -> Table:
    heads = [f"{drift.kind or 'drift'} @{drift.at:,}" for drift in board.drifts]
    table = _table("model", "policy", *_optional(board), *heads)
    for row in board.rows:
        if row.played:
            front = [text_of(row.entry.model), text_of(row.entry.policy)]
            if _optional(board):
                front += ["–" if row.entry.detector is None else text_of(row.entry.detector)]
            cells = [_drift(board, row, at) for at in range(len(heads))]
            table.add_row(*map(Text, (*front, *cells)))
    table.caption = "lost / back after / noticed after, in samples"
    if len(board.seeds) > 1:
        table.caption += " (with how many of the seeds)"
    return table


def _drift(board: Board, row: Row, at: int) -> str:
    lost = cell(row.after("lost", at), places_of(board))
    return " / ".join([lost, *(after(row, name, at) for name in ("recovery", "delay"))])


def _optional(board: Board) -> Sequence[str]:
    return ("detector",) if board.detectors else ()


def _table(*heads: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for head in heads:
        words = head in ("model", "policy", "detector")
        table.add_column(head, justify="left" if words else "right", overflow="fold")
    return table
