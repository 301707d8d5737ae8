"""scikit-learn's bundled data sets with one label."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sklearn import datasets

from producer.sources.source import Listing, Source, unknown

_SETS = {
    "breast_cancer": ("classification", 569, 30, 2),
    "diabetes": ("regression", 442, 10, None),
    "digits": ("classification", 1797, 64, 10),
    "iris": ("classification", 150, 4, 3),
    "wine": ("classification", 178, 13, 3),
}
"""The bundled data sets: task, rows, features, classes."""


def listed() -> list[Listing]:
    """Return what is known of each bundled data set."""
    return [
        Listing(name=f"sklearn:{name}", task=task, rows=rows, features=width, classes=classes)
        for name, (task, rows, width, classes) in _SETS.items()
    ]


def open_sklearn(name: str) -> Source:
    """Return the bundled data set of that name, or raise `SettingError`.

    A class is its number in `target`, as scikit-learn and River give it.
    """
    if name not in _SETS:
        raise unknown("data set of scikit-learn's called", name, _SETS)
    bunch = getattr(datasets, f"load_{name}")()
    names = [str(feature) for feature in bunch.feature_names]
    X, y = bunch.data.tolist(), bunch.target.tolist()

    def rows() -> Iterator[tuple[dict[str, Any], Any]]:
        for values, label in zip(X, y, strict=True):
            yield dict(zip(names, values, strict=True)), label

    return Source(
        name=f"sklearn:{name}",
        rows=rows,
        label="target",
        task=_SETS[name][0],
        rows_known=len(y),
        uniform=True,
    )
