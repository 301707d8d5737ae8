"""The figures of a learner as plain data, for JSON and for a table."""

from __future__ import annotations

from typing import Any

from monitor.arms import leaderboard
from monitor.details import Detail, details
from monitor.figures import ALL, FADING, Figures
from monitor.probabilities import bin_name

COUNTS = ("samples", "labelled", "scored", "drifts", "improvements", "resets", "marks")
"""Of `Totals`, those that are summed up by their own names."""


def summed_up(figures: Figures, *, detailed: bool = True) -> dict[str, Any]:
    """Return counts over all partitions, figures since the start, and those of each window.

    `windows` go by their length as text, then `ALL` and `FADING`; each has what it can tell,
    or only scores and baselines where it is not to be `detailed`.
    """
    parts = figures.parts.values()
    lags = [part.lag for part in parts if part.lag is not None]
    behind = [part.behind for part in parts if part.behind is not None]
    found = details(figures) if detailed else {}
    return {
        "task": figures.task,
        **{name: figures.count(name) for name in COUNTS},
        "dead": sum(sum(part.totals.dead.values()) for part in parts),
        "pending": figures.count("pending"),
        "lag": sum(lags) if lags else None,
        "lag_seconds": max(behind) if behind else None,
        **figures.scores(ALL),
        "baselines": figures.baselines(ALL),
        **({"arms": arms} if (arms := leaderboard(figures)) else {}),
        "windows": {
            **{window: _of_window(figures, window, found) for window in figures.pooled},
            FADING: figures.scores(FADING),
        },
        "resources": {
            str(p): {k: v for k, v in part.resources._asdict().items() if v is not None}
            for p, part in figures.parts.items()
        },
    }


def _of_window(figures: Figures, window: str, found: dict[str, Detail]) -> dict[str, Any]:
    scores = figures.scores(window)
    if window not in found:
        floor = figures.baselines(window)
        return {**scores, **({"baselines": floor} if floor else {})}
    detail = found[window]
    confusion: dict[str, dict[str, int]] = {}
    for (label, guess), count in detail.confusion.items():
        confusion.setdefault(label, {})[guess] = count
    bins = {
        bin_name(n): {"rows": it.rows, "right": it.right} for n, it in enumerate(detail.bins)
    }
    parts = {
        "baselines": figures.baselines(window),
        **detail.plain,
        **detail.averages,
        "classes": detail.classes,
        "confusion": confusion,
        "calibration": bins,
    }
    return {**scores, **{name: part for name, part in parts.items() if part != {}}}
