"""How often each label met each guess, and what that is worth beside a baseline."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import compress

from monitor.classes import Key
from monitor.windows import Recent


def pairs_in(parts: Iterable[Recent]) -> Counter[tuple[Key, Key]]:
    """Return how often each label met each guess; a guess that was not finite is none."""
    pairs: Counter[tuple[Key, Key]] = Counter()
    for part in parts:
        rows: Iterable[tuple[int, int]] = zip(part.y, part.guess, strict=True)
        if 1 in part.lost:
            rows = compress(rows, [not gone for gone in part.lost])
        for (label, guess), count in Counter(rows).items():
            pairs[part.keys[label], part.keys[guess]] += count
    return pairs


def beyond(accuracy: float, baseline: float) -> float | None:
    """Return the share of what a baseline leaves to be gained that was gained.

    Against the majority class it is kappa-M (Bifet, de Francisci Morales, Read, Holmes and
    Pfahringer, "Efficient online evaluation of big data stream classifiers", KDD 2015),
    against no change kappa-T (Žliobaitė, Bifet, Read, Pfahringer and Holmes, "Evaluation
    methods and decision theory for classification of streaming data with temporal
    dependence", Machine Learning 98, 2015). 1 at best, 0 at the baseline, below 0 beneath.

    >>> beyond(0.75, 0.5), beyond(0.25, 0.5), beyond(0.75, 1.0)
    (0.5, -0.5, None)
    """
    return None if baseline == 1.0 else (accuracy - baseline) / (1.0 - baseline)
