"""The leaderboard as a page: its tables, and the curves with drifts and baselines."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from html import escape

from driftline.compare.board import Board, Row, text_of
from driftline.compare.frame import Chart, chart, folded, frame, heading, table
from driftline.compare.series import Point
from driftline.compare.words import after, beside, cell, megabytes, places_of, title

_CURVES = 6
"""Curves shown at first: those of the best; the legend has all."""
_LINES = ("dotted", "dashed")
"""How the baselines are drawn."""
_RECOVERY = (
    "Lost: the most by which a mean over half a window fell short of the window before the "
    "drift. Back: samples until such a mean was at 95 % of it again. Noticed: samples until "
    "the first alarm, if one came within two windows, or 500 samples if that is more, of the "
    "drift; any other alarm is false. Of a gradual drift all are counted from its beginning. A "
    "dash: not by then, before the next drift or the end. In brackets: with how many of the "
    "seeds, where it was not all; the mean is over these."
)


def page(board: Board) -> str:
    """Return the page."""
    figure = _figure(board)
    played = [row for row in board.rows if row.played]
    parts = [
        f"<h1>{escape(board.data)}</h1>",
        f'<p class="quiet">{escape(title(board))}. Every guess is scored before its sample is '
        f"learned; {_better(board)}.</p>",
        _leaderboard(board),
    ]
    if played:
        parts += [heading(f"{figure} along the stream", _curve_says(board)), chart("curve")]
        parts += [folded(f"{figure} as numbers", _curve_table(board, played))]
    if board.drifts:
        parts += [heading("After each known drift", _RECOVERY), _drifts(board, played)]
    failed = [row for row in board.rows if row.error is not None]
    if failed:
        rows = [("", (row.entry.name, row.error or "")) for row in failed]
        parts += [heading("What failed"), table("Why", ("", "sentence"), rows, words=2)]
    if said := [("", (sentence,)) for sentence in beside(board)]:
        parts += [heading("Besides"), table("What else there is to say", ("",), said, words=1)]
    charts = [_curves(board, played)] if played else []
    return frame(f"driftline compare: {board.data}", parts, charts)


def _figure(board: Board) -> str:
    return "Mean absolute error" if board.regression else "Accuracy"


def _better(board: Board) -> str:
    return "less is better" if board.regression else "1 is best"


def _curve_says(board: Board) -> str:
    said = f"One point for every {board.window:,} samples"
    if board.drifts:
        said += "; upright lines are the drifts the source has marked"
    usual = "mean" if board.regression else "commonest"
    return f"{said}. Dotted: guessing the last label again; dashed: the {usual} so far."


def _leaderboard(board: Board) -> str:
    several, digits = len(board.seeds) > 1, places_of(board)
    name = "mae" if board.regression else "accuracy"
    front = _front(board)
    heads = [*front, _figure(board), *(["±"] if several else [])]
    heads += [] if board.regression else ["κ"]
    heads += ["drifts", "false alarms", "resets", "seconds", "peak MiB", "state KiB"]

    def rows() -> Iterator[tuple[str, Sequence[str]]]:
        for rank, row in enumerate(board.rows):
            cells = [*_named(board, row), cell(row.mean(name), digits)]
            cells += [cell(row.spread(name), digits)] if several else []
            cells += [] if board.regression else [cell(row.mean("kappa"), 3)]
            cells += [cell(row.mean(n), 1) for n in ("drifts", "false_alarms", "resets")]
            yield (
                "best" if not rank and row.played else "",
                [*cells, cell(row.mean("seconds"), 2), *megabytes(row)],
            )
        for baseline, value in board.baselines.items():
            words = [baseline.replace("_", " "), "baseline", "–"][: len(front)]
            cells = [*words, cell(value, digits)]
            yield "base", cells + ["–"] * (len(heads) - len(cells))

    return table("Leaderboard, best first", heads, rows(), words=len(front))


def _front(board: Board) -> list[str]:
    return ["model", "policy", *(["detector"] if board.detectors else [])]


def _named(board: Board, row: Row) -> list[str]:
    entry = row.entry
    detector = "–" if entry.detector is None else text_of(entry.detector)
    return [text_of(entry.model), text_of(entry.policy), detector][: len(_front(board))]


def _curves(board: Board, played: Sequence[Row]) -> Chart:
    series = [
        {
            "name": row.entry.name,
            "points": [[point.samples, _plain(point.model)] for point in row.curve],
            "hidden": rank >= _CURVES,
        }
        for rank, row in enumerate(played)
    ]
    full = _full_curve(board)
    for name, drawn in zip(board.baselines, _LINES, strict=False):
        points = [[point.samples, _plain(getattr(point, name))] for point in full]
        series.append({"name": name.replace("_", " "), "points": points, "baseline": drawn})
    return {
        "id": "curve",
        "kind": "line",
        "x": "labelled samples",
        "y": _figure(board),
        "end": full[-1].samples,
        "digits": places_of(board),
        "says": f"{_figure(board)} of {len(played)} learners, window by window; the table "
        "below has the numbers.",
        "series": series,
        "marks": [{"at": drift.at, "name": drift.kind or "drift"} for drift in board.drifts],
    }


def _full_curve(board: Board) -> list[Point]:
    """Return the curve that has the baselines: that of the row with the most samples."""
    return board.fullest.curve if board.fullest else []


def _plain(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _curve_table(board: Board, played: Sequence[Row]) -> str:
    digits, curves = places_of(board), [row.curve for row in played]
    names = [name.replace("_", " ") for name in board.baselines]
    heads = ["samples", *(row.entry.name for row in played), *names]

    def rows() -> Iterator[tuple[str, Sequence[str]]]:
        for at, point in enumerate(_full_curve(board)):
            models = [curve[at].model if at < len(curve) else None for curve in curves]
            base = [getattr(point, name) for name in board.baselines]
            yield "", [f"{point.samples:,}", *(cell(v, digits) for v in (*models, *base))]

    return table(f"{_figure(board)}, window by window", heads, rows(), words=0)


def _drifts(board: Board, played: Sequence[Row]) -> str:
    digits = places_of(board)
    front = _front(board)
    heads = [*front, "drift", "before", "lost", "back", "noticed"]

    def rows() -> Iterator[tuple[str, Sequence[str]]]:
        for at, drift in enumerate(board.drifts):
            name = f"{drift.kind or 'drift'} at {drift.at:,}"
            for row in played:
                figures = [cell(row.after(n, at), digits) for n in ("before", "lost")]
                times = [after(row, n, at) for n in ("recovery", "delay")]
                yield "", [*_named(board, row), name, *figures, *times]

    return table("Recovery", heads, rows(), words=len(front) + 1)
