"""How good the probabilities are that a classifier gives, over the rows that have them."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from itertools import compress
from typing import NamedTuple

from monitor.classes import Key
from monitor.sums import total
from monitor.windows import Recent

BINS = 10
"""Bins of the same width, for calibration."""
_TINY = sys.float_info.epsilon


class Bin(NamedTuple):
    """The rows whose guess had a probability within a bin; `sum` adds the probabilities up."""

    rows: int
    right: int
    sum: float


class Likely(NamedTuple):
    """Rows that have probabilities: of the label, of the guess; and whether it was right.

    Where one of two classes is the positive one, `positive` tells whether it was the label,
    and `score` has its probability; else both are empty.
    """

    p_true: list[float]
    p_pred: list[float]
    right: list[bool]
    positive: list[bool]
    score: list[float]


def likely(parts: Sequence[Recent], positive: Key | None) -> Likely:
    """Return the rows of the parts that have probabilities.

    The positive class's probability is that of the guess, or what the guess leaves of 1.
    It so depends on the guess alone: rows the model could not tell apart have the same
    score whatever their label, and ties are ties.
    """
    found = Likely([], [], [], [], [])
    for part in parts:
        columns = [part.p_true, part.p_pred, part.errors, part.y, part.guess]
        # As a rule all are usable, and a picture is drawn twice a second.
        if not (_sound(part.p_true) and _sound(part.p_pred)):
            usable = [*map(_usable, part.p_true, part.p_pred)]
            columns = [[*compress(column, usable)] for column in columns]
        p_true, p_pred, errors, ys, guesses = columns
        p_pred = _at_most_1(p_pred)
        found.p_true.extend(_at_most_1(p_true))
        found.p_pred.extend(p_pred)
        found.right.extend([not wrong for wrong in errors])
        if positive is None:
            continue
        code = next((n for n, key in enumerate(part.keys) if key == positive), -1)
        found.positive.extend([y == code for y in ys])
        pairs = zip(p_pred, guesses, strict=True)
        found.score.extend([p if guess == code else 1.0 - p for p, guess in pairs])
    return found


def _usable(p_true: float, p_pred: float) -> bool:
    # A probability may be a rounding above 1, but neither NaN nor infinite.
    return 0.0 <= p_true < math.inf and 0.0 <= p_pred < math.inf


def _sound(column: Sequence[float]) -> bool:
    """Whether all of a column are usable; what is NaN or infinite shows in their sum."""
    return math.isfinite(sum(column)) and min(column, default=0.0) >= 0.0


def _at_most_1(column: Sequence[float]) -> Sequence[float]:
    return column if max(column, default=0.0) <= 1.0 else [min(p, 1.0) for p in column]


def figures(rows: Likely, found: Sequence[Bin], *, binary: bool) -> dict[str, float]:
    """Return log loss and calibration error; of two classes the Brier score and ROC AUC too.

    `found` are the bins of the rows.
    Log loss in nats, with probabilities clipped as scikit-learn does, by the spacing of
    floats at 1. The Brier score of two classes, in [0, 1] (Brier, "Verification of forecasts
    expressed in terms of probability", Monthly Weather Review 78, 1950).
    """
    if not (n := len(rows.p_true)):
        return {}
    low, high = _TINY, 1.0 - _TINY
    logs = [math.log(low if p < low else high if p > high else p) for p in rows.p_true]
    told = {"log_loss": -total(logs) / n, "calibration_error": calibration_error(found)}
    if binary:
        from monitor.ranking import roc_auc

        told["brier_score"] = total([(1.0 - p) * (1.0 - p) for p in rows.p_true]) / n
        if (area := roc_auc(rows.positive, rows.score)) is not None:
            told["roc_auc"] = area
    return told


def bins(rows: Likely) -> list[Bin]:
    """Return the rows by the probability of their guess; 1 is in the last."""
    inside: list[list[float]] = [[] for _ in range(BINS + 1)]
    right = [0] * (BINS + 1)
    for p, hit in zip(rows.p_pred, rows.right, strict=True):
        n = int(p * BINS)
        inside[n].append(p)
        right[n] += hit
    inside[-2:], right[-2:] = [inside[-2] + inside[-1]], [right[-2] + right[-1]]
    return [Bin(len(ps), hits, total(ps)) for ps, hits in zip(inside, right, strict=True)]


def bin_name(n: int) -> str:
    """Return the name of a bin, its borders.

    >>> bin_name(0), bin_name(9)
    ('0.0-0.1', '0.9-1.0')
    """
    return f"{n / BINS:.1f}-{(n + 1) / BINS:.1f}"


def calibration_error(found: Sequence[Bin]) -> float:
    """Return the mean distance between probability and share of right guesses, in [0, 1].

    Source: expected calibration error, Naeini, Cooper and Hauskrecht, "Obtaining well
    calibrated probabilities using Bayesian binning", AAAI 2015, of the guessed class as in
    Guo, Pleiss, Sun and Weinberger, "On calibration of modern neural networks", ICML 2017.

    >>> calibration_error([Bin(4, 2, 2.5), Bin(0, 0, 0.0)])
    0.125
    """
    return total([abs(it.right - it.sum) for it in found]) / sum(it.rows for it in found)
