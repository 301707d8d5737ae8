"""River's bundled data sets; and the door by which all of River comes to the producer."""

from __future__ import annotations

import inspect
from typing import Any

from river import datasets
from river.datasets import base, synth
from river.stream import iter_csv, shuffle, simulate_qa

from producer.sources.source import Listing, Pair, Source, unknown
from stream.errors import SettingError

__all__ = ["iter_csv", "shuffle", "simulate_qa", "synth"]

_TASKS = {
    base.REG: "regression",
    base.BINARY_CLF: "classification",
    base.MULTI_CLF: "classification",
}
# The datetime among the features, where a set has one.
_TIMES = {"AirlinePassengers": "month", "WaterFlow": "Time"}


def task_of(dataset: base.Dataset) -> str | None:
    """Return classification or regression; None where a sample has several labels."""
    return _TASKS.get(dataset.task)


def bundled() -> dict[str, base.Dataset]:
    """Return the data sets that come with River and have one label, by name."""
    return {
        name: dataset
        for name, dataset in _all().items()
        if task_of(dataset) and not isinstance(dataset, base.RemoteDataset)
    }


def listed() -> list[Listing]:
    """Return what is known of each bundled data set."""
    return [
        Listing(
            name=f"river:{name}",
            task=task_of(dataset),
            rows=dataset.n_samples,
            features=dataset.n_features,
            classes=classes_of(dataset),
        )
        for name, dataset in bundled().items()
    ]


def classes_of(dataset: base.Dataset) -> int | None:
    """Return the number of classes, None where it is not known, or there are none."""
    found: int | None = 2 if dataset.task == base.BINARY_CLF else dataset.n_classes
    return found


def open_river(name: str) -> Source:
    """Return the bundled data set of that name.

    Raises `SettingError` when there is none, when it would have to be downloaded, or when
    its samples have several labels.
    """
    found = _all().get(name)
    if found is None:
        raise unknown("data set of River's called", name, bundled())
    if isinstance(found, base.RemoteDataset):
        raise SettingError(
            f"river:{name} is not bundled with River and would be downloaded, which is not "
            "done here; give the path of a CSV file of it"
        )
    if task_of(found) is None:
        raise SettingError(
            f"river:{name} has several labels a sample ({found.task}); choose a set with one"
        )

    # Read whole, for River leaves a file open that is not read to its end; none is large.
    pairs: list[Pair] = list(found)
    return Source(
        name=f"river:{name}",
        rows=lambda: iter(pairs),
        label="label",
        task=task_of(found),
        time=_TIMES.get(name),
        rows_known=len(pairs),
    )


def _all() -> dict[str, base.Dataset]:
    kinds: dict[str, Any] = {name: getattr(datasets, name) for name in datasets.__all__}
    return {name: kind() for name, kind in kinds.items() if not inspect.ismodule(kind)}
