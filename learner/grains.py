"""A grain: its samples until they are learned, and how they are scored side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import compress
from operator import ne
from typing import Any

from learner.models.guesses import ClassGuesses
from learner.models.model import Guess
from stream.records import LARGEST, SCORED, Features, Label, Record


class Untaught:
    """The labelled samples of a grain that is not at its end, in columns.

    Beside features and labels stand the offset and the record that brought each label.
    """

    def __init__(self) -> None:
        self.xs: list[Features] = []
        self.ys: list[Label] = []
        self.offsets: list[int] = []
        self.values: list[bytes] = []

    def add(self, x: Features, y: Label, offset: int, value: bytes) -> None:
        """Add one."""
        self.xs.append(x)
        self.ys.append(y)
        self.offsets.append(offset)
        self.values.append(value)

    def extend(
        self,
        xs: Sequence[Features],
        ys: Sequence[Label],
        offsets: Sequence[int],
        values: Sequence[bytes],
    ) -> None:
        """Add some."""
        self.xs += xs
        self.ys += ys
        self.offsets += offsets
        self.values += values

    def drop(self, which: Callable[[int, bytes], bool]) -> int:
        """Let go of those for whose offset and record `which` is true; return how many."""
        kept = [not which(*each) for each in zip(self.offsets, self.values, strict=True)]
        columns: tuple[list[Any], ...] = (self.xs, self.ys, self.offsets, self.values)
        for column in columns:
            column[:] = compress(column, kept)
        return kept.count(False)

    def __len__(self) -> int:
        """Count the samples."""
        return len(self.ys)


def columns_of(
    offsets: Sequence[int],
    records: Sequence[Record],
    guesses: Sequence[Guess],
    *,
    arm: str,
    task: str,
    types: frozenset[type],
    known: frozenset[Label] | None,
) -> tuple[Sequence[Any], ...] | None:
    """Return the outcomes of labelled samples, or None where one is anything but plain.

    Plain are samples with an id and a label of one of `types` and of the classes that are
    `known`, and with a guess that is finite. They are the columns of the same rows as one by
    one, at a fifth of the cost.
    """
    ids: list[Any] = [record.id for record in records]
    ys: list[Any] = [record.y for record in records]
    if len(guesses) < len(records) or None in ids or None in ys:
        return None  # a record without features has no guess
    if isinstance(guesses, ClassGuesses):
        labels: Sequence[Any] = guesses.labels
    else:
        labels = [label for label, _ in guesses]
    if not types.issuperset(map(type, ys)) or None in labels:
        return None
    if known is not None and not known.issuperset(ys):
        return None
    if task == "classification":
        pairs = _probabilities(ys, labels, guesses)
    else:
        pairs = _finite(ys, labels)
    if pairs is None:
        return None
    n, times = len(ys), [record.ts for record in records]
    return offsets, offsets, ids, times, ys, labels, *pairs, [arm] * n, [SCORED] * n


def _probabilities(
    ys: Sequence[Any], labels: Sequence[Any], guesses: Sequence[Guess]
) -> tuple[list[Any], list[Any]] | None:
    p_true: list[Any]
    p_pred: list[Any]
    if isinstance(guesses, ClassGuesses):
        p_true, p_pred = guesses.p_of(ys), guesses.p_of()
    else:
        found = [p for _, p in guesses if p is not None]
        if len(found) < len(guesses):
            return None if any(found) else _nothing(len(guesses))
        p_true = [p.get(y, 0.0) for p, y in zip(found, ys, strict=True)]
        p_pred = [p.get(label) for p, label in zip(found, labels, strict=True)]
    if any(map(ne, p_pred, p_pred)):
        return None  # one is no number
    return p_true, p_pred


def _finite(ys: Sequence[Any], labels: Sequence[Any]) -> tuple[list[Any], list[Any]] | None:
    if all(-LARGEST <= each <= LARGEST for column in (ys, labels) for each in column):
        return _nothing(len(ys))
    return None


def _nothing(n: int) -> tuple[list[Any], list[Any]]:
    return [None] * n, [None] * n
