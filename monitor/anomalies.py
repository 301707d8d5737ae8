"""Figures of scores that should be higher for anomalies; a score is neither right nor wrong."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import chain

from monitor.sums import total
from monitor.windows import Recent


def figures(parts: Sequence[Recent]) -> dict[str, float]:
    """Return how well the scores tell the anomalies, what both kinds score, and their share.

    `anomalies`, the share, is over all labels; the rest over the scores that were finite.
    """
    from monitor.ranking import average_precision, roc_auc

    ys = [label != 0 for label in chain(*(part.y for part in parts))]
    if not ys:
        return {}
    scores = [*chain(*(part.guess for part in parts))]
    found: dict[str, float | None] = {"anomalies": sum(ys) / len(ys)}
    pairs = [it for it in zip(ys, scores, strict=True) if math.isfinite(it[1])]
    truths, finite = [truth for truth, _ in pairs], [score for _, score in pairs]
    found["roc_auc"] = roc_auc(truths, finite)
    found["average_precision"] = average_precision(truths, finite)
    for name, kind in (("normal_score", False), ("anomaly_score", True)):
        of_kind = [score for truth, score in pairs if truth is kind]
        found[name] = total(of_kind) / len(of_kind) if of_kind else None
    return {name: value for name, value in found.items() if value is not None}
