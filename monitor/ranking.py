"""How well scores put one kind before the other; scikit-learn's.

River's `RollingROCAUC` is right only without ties: for two rows of one score, one of each
kind, it gives 0 and not a half.
"""

from __future__ import annotations

from collections.abc import Sequence

from sklearn.metrics import average_precision_score, roc_auc_score


def roc_auc(truths: Sequence[bool], scores: Sequence[float]) -> float | None:
    """Return the chance that a true one has the higher score; a tie counts half.

    None where all are of one kind.

    >>> roc_auc([False, True, True], [0.1, 0.1, 0.7])
    0.75
    """
    if len(set(truths)) < 2:
        return None
    return float(roc_auc_score(truths, scores))


def average_precision(truths: Sequence[bool], scores: Sequence[float]) -> float | None:
    """Return the mean precision over the thresholds, each weighted by the recall it gains.

    None where none is true.

    >>> average_precision([False, True, True], [0.8, 0.1, 0.9])
    0.8333333333333333
    """
    if True not in truths:
        return None
    return float(average_precision_score(truths, scores))
