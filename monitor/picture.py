"""All that the page shows of a learner, as plain data."""

from __future__ import annotations

from collections import Counter
from typing import Any

from monitor.board import Board
from monitor.classes import name_of
from monitor.figures import Figures
from monitor.history import Curve
from monitor.lately import Mistake
from monitor.story import moved, story
from monitor.summary import summed_up
from monitor.tally import ANOMALY, REGRESSION
from stream.records import text_of
from stream.texts import shown

LATELY = 40
"""Points of the curve, and events, that come with each picture; `whole` has all of them."""
REASONS = 20
"""Reasons of dead letters that are shown, at most."""
_NAME = 80


def picture(board: Board, *, detailed: bool = True) -> dict[str, Any]:
    """Return a board as it is now; costs what its figures cost, or those not `detailed`.

    A function of the outcomes, but for `rate`, `lag`, `seen_at`, `refused`, what `parts` say
    of a learner's process, and `mistakes`, which are read when somebody looks.
    """
    figures, events, curve = board.moment(LATELY)
    told = story(events)
    return {
        "stream": board.stream,
        "learner": board.learner,
        "windows": [str(n) for n in board.windows],
        "figures": summed_up(figures, detailed=detailed),
        "detailed": detailed,
        "rate": figures.rate,
        "refused": figures.refused,
        "seen_at": max((p.seen_at for p in figures.parts.values() if p.seen_at), default=None),
        "dead": _dead(figures),
        "parts": [_part(figures, p) for p in figures.parts],
        "curve": _curve(curve),
        "story": told[-LATELY:],
        "whole": len(told) <= LATELY,
        "moved": moved(events),
        "mistakes": _mistakes(board, figures.task),
    }


def whole(board: Board) -> dict[str, Any]:
    """Return the whole curve of a board, and all events that are kept along it."""
    return {"curve": _curve(board.curve()), "story": story(board.happened())}


def _curve(curve: Curve) -> dict[str, Any]:
    return curve._asdict()


def _dead(figures: Figures) -> dict[str, int]:
    """Return how many records were refused, by the commonest reasons, most of them first."""
    reasons: Counter[str] = Counter()
    for part in figures.parts.values():
        reasons.update({shown(name, _NAME): count for name, count in part.totals.dead.items()})
    return dict(reasons.most_common(REASONS))


def _part(figures: Figures, partition: int) -> dict[str, Any]:
    part = figures.parts[partition]
    return {
        "partition": partition,
        "last": part.last,
        "lag": part.lag,
        "samples": part.totals.samples,
        "pending": part.totals.pending,
        "seen_at": part.seen_at,
        **part.resources._asdict(),
    }


def _mistakes(board: Board, task: str | None) -> list[dict[str, Any]] | None:
    shown_now = board.mistakes
    return None if shown_now is None else [_mistake(each, task) for each in shown_now]


def _mistake(mistake: Mistake, task: str | None) -> dict[str, Any]:
    miss = mistake.miss
    numbers = task in (REGRESSION, ANOMALY)
    return {
        "partition": miss.partition,
        "offset": miss.offset,
        "id": shown(str(miss.id), _NAME),
        "y": miss.y if numbers else name_of(text_of(miss.y)),
        "y_pred": miss.y_pred
        if numbers or miss.y_pred is None
        else name_of(text_of(miss.y_pred)),
        "p_pred": miss.p_pred,
        "error": miss.error if task == REGRESSION else None,
        "x": mistake.x,
        "looked": mistake.looked,
    }
