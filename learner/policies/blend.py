"""One guess of several, each with the weight that its recent errors leave it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from learner.models.model import Guess
from learner.policies.arms import NONE
from stream.records import LARGEST, Label

SHARPNESS = 8.0
"""How fast a weight falls: by e for an error an eighth of the least error above it."""
FLOOR = 0.02
"""Errors of classes below this rate count as that: one mistake then decides nothing."""


def weights(losses: Sequence[float | None], floor: float) -> list[float]:
    """Return the weight of each of several by the mean of its recent errors.

    The best has weight 1, the others exp(-SHARPNESS · (loss - least) / least), which knows no
    unit. One that has no errors yet weighs as much as the best. This is the exponentially
    weighted forecaster (Cesa-Bianchi and Lugosi, "Prediction, Learning, and Games", 2006,
    section 2.2), its sum of errors fading, its rate set by the least of them.

    >>> [round(w, 3) for w in weights([0.1, 0.2, None], 0.02)]
    [1.0, 0.0, 1.0]
    """
    known = [loss for loss in losses if loss is not None]
    least = min(known, default=0.0)
    scale = max(least, floor)
    if not scale > 0.0:
        return [1.0 if loss in (None, least) else 0.0 for loss in losses]
    return [
        1.0 if loss is None else math.exp(-SHARPNESS * (loss - least) / scale)
        for loss in losses
    ]


def blended_classes(guesses: Sequence[Guess], shares: Sequence[float]) -> Guess:
    """Return the likeliest class where each guess has its share, and the probabilities.

    A guess without probabilities puts its whole share on its class; where none has any, so
    has the blend. Of classes that come out equal the one named first is taken.
    """
    sums: dict[Label, float] = {}
    told = False
    for (y_pred, p), share in zip(guesses, shares, strict=True):
        if y_pred is None or share == 0.0:
            continue
        # Probabilities that are not finite say no more than the guess.
        if p and math.isfinite(sum(p.values())):
            told = True
            for label, chance in p.items():
                sums[label] = sums.get(label, 0.0) + share * chance
        else:
            sums[y_pred] = sums.get(y_pred, 0.0) + share
    if not sums:
        return NONE
    whole = sum(sums.values())
    if told and whole > 0.0:
        sums = {label: share / whole for label, share in sums.items()}
    return max(sums, key=sums.__getitem__), sums if told else None


def blended_numbers(guesses: Sequence[Guess], shares: Sequence[float]) -> Guess:
    """Return the mean of the guesses that are finite, each by its share."""
    total = whole = 0.0
    y_pred: Any
    for (y_pred, _), share in zip(guesses, shares, strict=True):
        if y_pred is not None and share and -LARGEST <= y_pred <= LARGEST:
            total += share * y_pred
            whole += share
    return (total / whole, None) if whole else NONE
