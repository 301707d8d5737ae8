"""Figures of classes, from how often each label met each guess; each of them is River's.

They cost what the classes cost, not what the rows do: one update for each distinct pair,
with its count as weight, leaves River's confusion matrix as one update a row would have.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from typing import Any

from river import metrics

from monitor.classes import REST, Key, Known, in_order

MOST = 1000
"""Classes in a window up to which averages over all of them are made."""
_AVERAGES: dict[str, dict[str, Any]] = {
    "precision": {"macro": metrics.MacroPrecision, "weighted": metrics.WeightedPrecision},
    "recall": {"macro": metrics.MacroRecall, "weighted": metrics.WeightedRecall},
    "f1": {"macro": metrics.MacroF1, "weighted": metrics.WeightedF1},
}
_OF_CLASS: dict[str, Any] = {
    "precision": metrics.Precision,
    "recall": metrics.Recall,
    "f1": metrics.F1,
}


class Confusion:
    """What follows from `pairs`, the rows by (label, guess); both are classes as kept.

    A figure whose divisor is 0 is 0, as in River and in scikit-learn with `zero_division=0`.
    """

    def __init__(self, pairs: Mapping[tuple[Key, Key], int], known: Known) -> None:
        self._known = known
        # As small numbers in a fixed order: River walks over a set of classes, and texts
        # would come, and be summed, in another order in each process.
        self._ranks = {
            key: rank for rank, key in enumerate(in_order({*chain.from_iterable(pairs)}))
        }
        self._matrix = metrics.ConfusionMatrix()
        for (label, guess), count in pairs.items():
            self._matrix.update(self._ranks[label], self._ranks[guess], w=count)
        self._whole = REST not in self._ranks and 0 < len(self._ranks) <= MOST

    def figures(self) -> dict[str, float]:
        """Return Cohen's kappa, balanced accuracy, and of two classes the correlation.

        Kappa: Cohen, "A coefficient of agreement for nominal scales", Educational and
        Psychological Measurement 20, 1960. The correlation is Matthews'.
        """
        if not self._whole:
            return {}
        found = {
            "kappa": metrics.CohenKappa(cm=self._matrix).get(),
            "balanced_accuracy": metrics.BalancedAccuracy(cm=self._matrix).get(),
        }
        if (positive := self._known.positive) is not None:
            rank = self._ranks.get(positive, -1)
            found["mcc"] = metrics.MCC(cm=self._matrix, pos_val=rank).get()
        return found

    def averages(self) -> dict[str, dict[str, float]]:
        """Return precision, recall and F1, each averaged plainly and by support."""
        if not self._whole:
            return {}
        return {
            name: {kind: made(cm=self._matrix).get() for kind, made in kinds.items()}
            for name, kinds in _AVERAGES.items()
        }

    def of_classes(self) -> dict[str, dict[str, float]]:
        """Return precision, recall and F1 of each class that has a name and a row here."""
        return {
            name: {
                figure: made(cm=self._matrix, pos_val=self._ranks[key]).get()
                for figure, made in _OF_CLASS.items()
            }
            for key, name in self._known.names.items()
            if key in self._ranks
        }
