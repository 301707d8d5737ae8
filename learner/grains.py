"""A grain's samples scored side by side, where none of them needs a look of its own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import repeat
from operator import ne
from typing import Any

from learner.models.guesses import ClassGuesses
from learner.models.model import Guess
from learner.turn import Row
from stream.records import LARGEST, SCORED, Label, Record


def rows_of(
    offsets: Sequence[int],
    records: Sequence[Record],
    guesses: Sequence[Guess],
    *,
    arm: str,
    task: str,
    types: frozenset[type],
    known: frozenset[Label] | None,
) -> Iterable[Row] | None:
    """Return the outcomes of labelled samples, or None where one is anything but plain.

    Plain are samples with an id and a label of one of `types` and of the classes that are
    `known`, and with a guess that is finite. They are the same rows as one by one, at a
    third of the cost.
    """
    ids, ys = [record.id for record in records], [record.y for record in records]
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
    times = [record.ts for record in records]
    return zip(
        offsets, offsets, ids, times, ys, labels, *pairs, repeat(arm), repeat(SCORED)
    )  # fmt: skip


def _probabilities(
    ys: Sequence[Any], labels: Sequence[Any], guesses: Sequence[Guess]
) -> tuple[Iterable[Any], Iterable[Any]] | None:
    p_true: list[Any]
    p_pred: list[Any]
    if isinstance(guesses, ClassGuesses):
        p_true, p_pred = guesses.p_of(ys), guesses.p_of(labels)
    else:
        found = [p for _, p in guesses if p is not None]
        if len(found) < len(guesses):
            return None if any(found) else (repeat(None), repeat(None))
        p_true = [p.get(y, 0.0) for p, y in zip(found, ys, strict=True)]
        p_pred = [p.get(label) for p, label in zip(found, labels, strict=True)]
    if any(map(ne, p_pred, p_pred)):
        return None  # one is no number
    return p_true, p_pred


def _finite(
    ys: Sequence[Any], labels: Sequence[Any]
) -> tuple[Iterable[Any], Iterable[Any]] | None:
    if all(-LARGEST <= each <= LARGEST for column in (ys, labels) for each in column):
        return repeat(None), repeat(None)
    return None
