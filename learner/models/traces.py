"""What a guess of River's leaves behind in a model, and how to wipe it off.

To look a name up that is not there makes an entry of it in a `defaultdict`, as scalers keep
them; a search for nearest neighbours draws its start by lot. In a stream that is part of
what the records have done to a model. A question that is no record must leave nothing.
"""

from __future__ import annotations

import copy
import random
from collections import UserList, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from itertools import chain
from typing import Any

from river import base, compose
from river.base import Ensemble
from river.tree.splitter.nominal_splitter_classif import NominalSplitterClassif

_SECRETIVE = "river.facto."
"""Factorization machines make latent weights of names they are asked about."""


def guess_without_trace(
    model: Any,
    estimators: Sequence[Any],
    guess: Callable[[Any], Any],
    xs: Sequence[Any],
) -> list[Any]:
    """Return the guess for each sample, the model being afterwards as it was before.

    `estimators` are those of River's that are asked. Where it is known what a guess leaves
    behind, that is wiped off. A model that is not all River's own, or has no members yet,
    guesses on copies, which takes its time.
    """
    parts = parts_of(estimators)
    if not all(map(_is_known, parts)):
        return [copy.deepcopy(model).guess(x) for x in xs]
    traces, guesses = _Traces(parts), []
    with _only_looking():
        for x in xs:
            try:
                guesses.append(guess(x))
            finally:
                traces.wipe()
    return guesses


def _is_known(part: Any) -> bool:
    module = type(part).__module__
    if not module.startswith("river.") or module.startswith(_SECRETIVE):
        return False
    # What is first asked makes itself ready: an ensemble its members, a pipeline its plan.
    if isinstance(part, Ensemble):
        return bool(len(part))
    return getattr(part, "_plan", ()) is not None


def parts_of(estimators: Sequence[Any]) -> list[Any]:
    """Return estimators and the estimators they are made of, each of them once.

    A node of a tree may know its parent: what is held in a circle has no end otherwise.
    """
    found: dict[int, Any] = {}
    waiting = [*estimators]
    while waiting:
        part = waiting.pop()
        if id(part) not in found:
            found[id(part)] = part  # kept, so that no other can get its id
            waiting += _inner(part)
    return [*found.values()]


def _inner(estimator: Any) -> Iterator[Any]:
    """Yield the estimators that one holds by itself."""
    if isinstance(estimator, compose.Pipeline):
        inner: list[Any] = [*estimator.steps.values()]
    else:
        inner = [getattr(estimator, name, None) for name in _attributes(_kind(estimator))]
    for value in inner:
        if isinstance(value, dict):
            value = [*value.values()]
        if isinstance(value, list | tuple | UserList) and value:
            # All of a kind: what begins with a number holds numbers, perhaps a million.
            yield from value if _is_part(value[0]) else ()
        elif _is_part(value):
            yield value


def _is_part(value: Any) -> bool:
    return isinstance(value, base.Base | compose.Pipeline)


def _kind(part: Any) -> Any:
    return type(part)


@cache
def _attributes(kind: Any) -> frozenset[str]:
    """Return the names of the attributes that instances have from the start.

    Read from the code: to ask an object for its `__dict__` slows it for good.
    """
    made: list[Any] = [vars(each).get("__init__") for each in kind.__mro__]
    names = chain.from_iterable(m.__code__.co_names for m in made if hasattr(m, "__code__"))
    return frozenset(name for name in names if not hasattr(kind, name)) | {"data"}


class _Traces:
    """Where guesses of some parts may leave entries, and where they draw lots."""

    def __init__(self, parts: Sequence[Any]) -> None:
        self._sizes: list[tuple[defaultdict[Any, Any], int]] = []
        self._lots: list[tuple[random.Random, Any]] = []
        for part in parts:
            for name in _attributes(_kind(part)):
                self._note(getattr(part, name, None))

    def _note(self, value: Any) -> None:
        if isinstance(value, defaultdict):
            self._sizes.append((value, len(value)))
            if value and isinstance(next(iter(value.values())), defaultdict):
                for each in value.values():
                    self._note(each)
        elif isinstance(value, random.Random):
            self._lots.append((value, value.getstate()))

    def wipe(self) -> None:
        """Take all entries away that have come since, and put the lots back."""
        for entries, size in self._sizes:
            while len(entries) > size:
                entries.popitem()  # the last to come
        for lots, state in self._lots:
            lots.setstate(state)


@contextmanager
def _only_looking() -> Iterator[None]:
    """Let the many splitters of trees look for a class without making an entry of it."""
    kind: Any = NominalSplitterClassif
    asked = kind.cond_proba

    def look(self: Any, value: Any, label: Any) -> Any:
        return asked(self, value, label) if label in self._att_dist_per_class else 0.0

    kind.cond_proba = look
    try:
        yield
    finally:
        kind.cond_proba = asked
