"""River's data sets; and the door by which all of River comes to the producer."""

from __future__ import annotations

import inspect
from typing import Any

from river import datasets
from river.datasets import base, synth
from river.stream import iter_arff, iter_csv, iter_libsvm, shuffle, simulate_qa
from river.stream.iter_arff import read_header  # type: ignore[attr-defined]

from producer.sources.calls import call_of, check_parameters
from producer.sources.downloads import bytes_to_fetch, fetch, read, scannable
from producer.sources.source import Listing, Pair, Source, unknown
from stream.errors import SettingError

__all__ = [
    "iter_arff",
    "iter_csv",
    "iter_libsvm",
    "read_header",
    "shuffle",
    "simulate_qa",
    "synth",
]

_TASKS = {
    base.REG: "regression",
    base.BINARY_CLF: "classification",
    base.MULTI_CLF: "classification",
}
# The datetime among the features, where a set has one.
_TIMES = {
    "AirlinePassengers": "month",
    "Bikes": "moment",
    "Restaurants": "date",
    "Taxis": "pickup_datetime",
    "WaterFlow": "Time",
}
# A parameter that makes other things of rows than features and a label.
_NO_PAIRS = frozenset(["unpack_user_and_item"])
# The sets all of whose values River leaves as the texts they are in the file.
_TEXTS = frozenset(["Insects"])


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


def remote() -> dict[str, base.RemoteDataset]:
    """Return the data sets that River fetches and that have one label, by name."""
    return {
        name: dataset
        for name, dataset in _all().items()
        if task_of(dataset) and isinstance(dataset, base.RemoteDataset)
    }


def listed() -> list[Listing]:
    """Return what is known of each data set with one label."""
    return [
        Listing(
            name=f"river:{name}",
            task=task_of(dataset),
            rows=dataset.n_samples,
            features=dataset.n_features,
            classes=2 if dataset.task == base.BINARY_CLF else dataset.n_classes,
            download=bytes_to_fetch(dataset) if name in remote() else None,
        )
        for name, dataset in (bundled() | remote()).items()
    ]


def open_river(name: str) -> Source:
    """Return the data set of that name, fetched before where it does not come with River.

    Behind the name may stand parameters, as in `Insects(variant='gradual_balanced')`.

    Raises `SettingError` when there is none, when it cannot be fetched, or when its samples
    have several labels.
    """
    wanted, given = call_of("river", name, "Insects(variant='gradual_balanced')")
    found = _all().get(wanted)
    if found is None:
        raise unknown("data set of River's called", wanted, bundled() | remote())
    if given:
        found = _varied(wanted, type(found), given)
    if task_of(found) is None:
        raise SettingError(
            f"river:{name} has several labels a sample ({found.task}); choose a set with one"
        )
    if isinstance(found, base.RemoteDataset):
        return _open_remote(name, found)
    # Read whole, for River leaves a file open that is not read to its end; none is large.
    pairs: list[Pair] = list(found)
    return Source(
        name=f"river:{name}",
        rows=lambda: iter(pairs),
        label="label",
        task=task_of(found),
        time=_TIMES.get(name),
        rows_known=len(pairs),
        uniform=True,
    )


def _varied(name: str, kind: Any, given: dict[str, Any]) -> base.Dataset:
    known = [each for each in inspect.signature(kind).parameters if each not in _NO_PAIRS]
    check_parameters(f"river:{name}", given, known)
    try:
        varied: base.Dataset = kind(**given)
    except (ValueError, TypeError) as error:
        said = " ".join(str(error).split())
        raise SettingError(f"river:{name} does not take {given!r}: {said}") from error
    return varied


def _open_remote(name: str, dataset: base.RemoteDataset) -> Source:
    fetch(f"river:{name}", dataset)
    return Source(
        name=f"river:{name}",
        rows=lambda: read(dataset),
        label="label",
        task=task_of(dataset),
        time=_TIMES.get(name),
        rows_known=dataset.n_samples,
        finite=scannable(dataset),
        tabular=type(dataset).__name__ in _TEXTS,
    )


def _all() -> dict[str, base.Dataset]:
    kinds: dict[str, Any] = {name: getattr(datasets, name) for name in datasets.__all__}
    return {name: kind() for name, kind in kinds.items() if not inspect.ismodule(kind)}
