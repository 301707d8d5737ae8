"""Sums over scored rows, and the means that follow from them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple


class Sums(NamedTuple):
    """Sums over scored rows, from which every mean follows, and which add up.

    `error`, `no_change` and `majority` sum 0 or 1 for a class, absolute errors for a
    number; `squared` sums the squares of the first. `lost` of the scored rows had a guess
    that was not finite: wrong for a class; for a number there is no error, and the mean is
    over the others.
    """

    scored: int = 0
    lost: int = 0
    error: float = 0.0
    squared: float = 0.0
    no_change: float = 0.0
    majority: float = 0.0


def total(values: Iterable[float]) -> float:
    """Return the sum, rounded once; infinity when it is beyond what a float holds.

    >>> total([0.1] * 10), total([1e308, 1e308])
    (1.0, inf)
    """
    try:
        return math.fsum(values)
    except OverflowError:
        return math.inf


def merged(parts: Iterable[Sums]) -> Sums:
    """Return the sums over all parts together.

    >>> merged([Sums(scored=2, error=1.0), Sums(scored=3, error=2.0)])[:3]
    (5, 0, 3.0)
    """
    columns = list(zip(*parts, strict=True)) or [()] * 6
    scored, lost, *errors = columns
    return Sums(sum(scored), sum(lost), *map(total, errors))


def scores(sums: Sums, *, regression: bool) -> dict[str, float]:
    """Return the accuracy in [0, 1], or mae and rmse in the label's unit; nothing of no rows.

    >>> scores(Sums(scored=4, error=1.0), regression=False)
    {'accuracy': 0.75}
    >>> scores(Sums(scored=3, lost=1, error=7.0, squared=25.0), regression=True)
    {'mae': 3.5, 'rmse': 3.5355339059327378}
    """
    if regression:
        if not (rows := sums.scored - sums.lost):
            return {}
        return {"mae": sums.error / rows, "rmse": math.sqrt(sums.squared / rows)}
    if not sums.scored:
        return {}
    return {"accuracy": (sums.scored - sums.error) / sums.scored}


def baselines(sums: Sums, *, regression: bool) -> dict[str, float]:
    """Return what the two baselines reach over the same rows: accuracy, or mae.

    >>> baselines(Sums(scored=4, no_change=2.0, majority=3.0), regression=False)
    {'no_change': 0.5, 'majority': 0.25}
    """
    if not sums.scored:
        return {}
    errors = {"no_change": sums.no_change, "majority": sums.majority}
    if regression:
        return {name: error / sums.scored for name, error in errors.items()}
    return {name: (sums.scored - error) / sums.scored for name, error in errors.items()}
