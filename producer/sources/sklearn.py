"""scikit-learn's bundled data sets with one label."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sklearn import datasets

from producer.sources.source import Source, unknown

_TASKS = {
    "breast_cancer": "classification",
    "diabetes": "regression",
    "digits": "classification",
    "iris": "classification",
    "wine": "classification",
}


def bundled() -> dict[str, str]:
    """Return the task of each bundled data set, by its name."""
    return dict(_TASKS)


def open_sklearn(name: str) -> Source:
    """Return the bundled data set of that name, or raise `SettingError`.

    A class is its number in `target`, as scikit-learn and River give it.
    """
    if name not in _TASKS:
        raise unknown("data set of scikit-learn's called", name, _TASKS)
    bunch = getattr(datasets, f"load_{name}")()
    names = [str(feature) for feature in bunch.feature_names]
    X, y = bunch.data.tolist(), bunch.target.tolist()

    def rows() -> Iterator[tuple[dict[str, Any], Any]]:
        for values, label in zip(X, y, strict=True):
            yield dict(zip(names, values, strict=True)), label

    return Source(
        name=f"sklearn:{name}", rows=rows, label="target", task=_TASKS[name], rows_known=len(y)
    )
