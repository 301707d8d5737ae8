"""How much a figure varies within a window: a mean of 0.9 may hide a drift in its middle."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import pvariance

from monitor.sums import total
from monitor.windows import Recent

BLOCKS = 10
"""Blocks of one length, as far as rows divide, that a window is cut into."""


def figures(parts: Sequence[Recent], *, regression: bool) -> dict[str, float]:
    """Return variance and standard deviation of accuracy, or mae, over a window's blocks.

    A window of n rows has its k-th block from k·n/10 to (k + 1)·n/10, rounded down; of
    several partitions the k-th blocks are one. The variance is the population's: the blocks
    are all there are. Nothing where a block has no row.
    """
    means = [_mean(parts, block, regression=regression) for block in range(BLOCKS)]
    known = [mean for mean in means if mean is not None and math.isfinite(mean)]
    if len(known) < BLOCKS:
        return {}
    name, variance = "mae" if regression else "accuracy", pvariance(known)
    return {f"{name}_variance": variance, f"{name}_stddev": math.sqrt(variance)}


def _mean(parts: Sequence[Recent], block: int, *, regression: bool) -> float | None:
    rows = 0
    errors: list[float] = []
    for part in parts:
        n = len(part.lost)
        here = slice(block * n // BLOCKS, (block + 1) * n // BLOCKS)
        errors += part.errors[here]
        rows += len(part.errors[here])
        if regression:
            rows -= part.lost.count(1, here.start, here.stop)
    if not rows:
        return None
    return total(errors) / rows if regression else (rows - total(errors)) / rows
