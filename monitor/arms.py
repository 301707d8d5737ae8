"""The models that learn side by side, as a table of who is ahead."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from monitor.figures import Figures
from monitor.tally import ANOMALY
from stream.records import MAX_ARM, ArmTotals, Totals

ARMS = 8
"""Arms of a partition that are shown, at most; a learner has no more."""
_ARM = re.compile(rf"[a-z0-9+-]{{1,{MAX_ARM}}}")


def arms_of(totals: Totals) -> dict[str, ArmTotals]:
    """Return the arms of a partition that have a name of ours, at most `ARMS`.

    >>> arms_of(Totals("", arms={"tree": ArmTotals(), "what is this?": ArmTotals()}))
    {'tree': ArmTotals(scored=0, correct=0, not_finite=0, absolute_error=0.0, \
fading_error=0.0, fading_weight=0.0, serving=False)}
    """
    named = [name for name in totals.arms if _ARM.fullmatch(name)][:ARMS]
    return {name: totals.arms[name] for name in named}


def leaderboard(figures: Figures) -> list[dict[str, Any]]:
    """Return a row for each arm over all partitions, the one that does best of late first.

    A row has arm, scored, accuracy or mae since the start, the same `fading`, and in how many
    partitions it is `serving`. What there is nothing to average for is None. Empty where a
    model stands alone.
    """
    if figures.task == ANOMALY:
        return []
    by_name: dict[str, list[ArmTotals]] = {}
    for part in figures.parts.values():
        for name, totals in arms_of(part.totals).items():
            by_name.setdefault(name, []).append(totals)
    rows = [_row(name, each, regression=figures.regression) for name, each in by_name.items()]
    sign = 1 if figures.regression else -1
    return sorted(rows, key=lambda row: (row["fading"] is None, sign * (row["fading"] or 0.0)))


def _row(name: str, totals: Iterable[ArmTotals], *, regression: bool) -> dict[str, Any]:
    totals = [*totals]
    scored = sum(each.scored for each in totals)
    error, weight = (
        sum(getattr(each, sums) for each in totals)
        for sums in ("fading_error", "fading_weight")
    )
    row: dict[str, Any] = {"arm": name, "scored": scored}
    if regression:
        finite = scored - sum(each.not_finite for each in totals)
        whole = sum(each.absolute_error for each in totals)
        row |= {"mae": whole / finite if finite else None}
        row |= {"fading": error / weight if weight else None}
    else:
        right = sum(each.correct for each in totals)
        row |= {"accuracy": right / scored if scored else None}
        row |= {"fading": 1 - error / weight if weight else None}
    return {**row, "serving": sum(each.serving for each in totals)}
