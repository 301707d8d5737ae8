"""Streams of errors whose world changes halfway, or not at all; each a function of its seed."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

from river import linear_model, naive_bayes, preprocessing, tree
from river.datasets import synth

LENGTH = 6000
CHANGE = LENGTH // 2
SEEDS = range(1001, 1007)
"""What is reported. Each kind of stream is made with each of them."""
TUNING = range(1, 7)
"""What may be looked at to choose an argument; none of it is reported."""
SHARES = {
    "abrupt": (0.15, 0.35, 0),
    "gradual": (0.15, 0.35, 1000),
    "slight": (0.25, 0.33, 0),
    "better": (0.35, 0.15, 0),
    "none": (0.25, 0.25, 0),
}
"""The share of errors before and after, and within how many samples it changes."""


@dataclass(frozen=True, slots=True)
class Errors:
    """Errors in their order, and where the world changed for the worse, if it did."""

    kind: str
    errors: list[float]
    change: int | None


def drawn(kind: str, seed: int) -> Errors:
    """Return errors drawn by lot, each on its own."""
    before, after, width = SHARES[kind]
    chance = random.Random(seed)
    errors = []
    for at in range(LENGTH):
        part = 0.0 if at < CHANGE else min(1.0, (at - CHANGE) / width) if width else 1.0
        errors.append(float(chance.random() < before + (after - before) * part))
    return Errors(kind, errors, CHANGE if after > before else None)


def _agrawal(seed: int) -> Iterator[Any]:
    parts = [
        synth.Agrawal(classification_function=rule, seed=seed).take(CHANGE) for rule in (0, 3)
    ]
    return chain.from_iterable(parts)


def _sea(seed: int) -> Iterator[Any]:
    return chain.from_iterable(
        synth.SEA(variant=variant, seed=seed).take(CHANGE) for variant in (0, 3)
    )


def _sine(seed: int) -> Iterator[Any]:
    return chain.from_iterable(
        synth.Sine(classification_function=rule, seed=seed).take(CHANGE) for rule in (0, 1)
    )


LEARNED: dict[str, tuple[Callable[[int], Iterator[Any]], Callable[[], Any]]] = {
    "tree, Agrawal": (_agrawal, tree.HoeffdingTreeClassifier),
    "naive Bayes, Sine": (_sine, naive_bayes.GaussianNB),
    "logistic, SEA": (
        _sea,
        lambda: preprocessing.StandardScaler() | linear_model.LogisticRegression(),
    ),
}
"""Models and the streams they learn, whose rule changes at once."""


def learned(kind: str, seed: int) -> Errors:
    """Return the errors of a model that learns on, test-then-train, and is never replaced."""
    stream, make = LEARNED[kind]
    model, errors = make(), []
    for x, y in stream(seed):
        errors.append(float(model.predict_one(x) != y))
        model.learn_one(x, y)
    return Errors(kind, errors, CHANGE)


def streams(seeds: range = SEEDS) -> list[Errors]:
    """Return every kind with every seed."""
    found = [drawn(kind, seed) for kind in SHARES for seed in seeds]
    return found + [learned(kind, seed) for kind in LEARNED for seed in seeds]
