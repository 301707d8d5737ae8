"""Whether a learner guesses elsewhere what it guessed where it was saved.

A checkpoint holds some of the last samples and the guesses for them, made without a trace.
Where libraries have other versions, or a machine is another, these tell whether the state
still means the same. They cannot tell whether it will learn the same from here on.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import Any

from learner.consulting import consult
from learner.learner import Learner
from stream.errors import RecordError
from stream.records import UNSET, Features, encode

COUNT = 8
"""Samples that are kept with a checkpoint, at most."""
_LARGEST = 32_768
"""Bytes of them all, at most."""
TOLERANCE = 1e-9
"""Of a number, how far another guess may be off: sums made in another order differ in their
last bits, about 1e-16 each; a model that reads its state otherwise differs by far more."""

Entries = Sequence[tuple[int, bytes]]


def probes_of(learner: Learner, entries: Entries, *, seconds: float) -> list[Any]:
    """Return samples among some records, and the guess for each, as JSON has them.

    Beyond the first it asks no more once `seconds` have passed: a model that has to be
    copied to be asked takes its time.
    """
    found: list[Any] = []
    left, deadline = _LARGEST, time.monotonic() + seconds
    for x in _samples(learner, entries):
        left -= len(encode(x))
        if left < 0 or (found and time.monotonic() > deadline):
            break
        try:
            ((y_pred, p),) = consult(learner, [x])
        except RecordError:
            continue
        guess = [y_pred, None if p is None else [[label, p[label]] for label in p]]
        if _plain(guess):
            found.append([x, guess])
    return found


def disagreement(learner: Learner, probes: Sequence[Any]) -> str | None:
    """Return where a learner guesses otherwise, in words; None where it does not.

    Labels must be the same, numbers within `TOLERANCE`. Raises whatever a model raises that
    cannot make anything of its state.
    """
    for n, (x, (y_pred, p)) in enumerate(probes, 1):
        ((ours, of_ours),) = consult(learner, [x])
        theirs = None if p is None else dict(p)
        now = None if of_ours is None else [*map(list, of_ours.items())]
        if not _alike(y_pred, ours) or not _same(theirs, of_ours):
            guesses = f"{y_pred!r} {p}, and is now {ours!r} {now}"
            return f"probe {n} of {len(probes)} was guessed {guesses}"
    return None


def _samples(learner: Learner, entries: Entries) -> list[Features]:
    """Return the features of records, the newest first."""
    found = []
    for _, value in reversed(entries):
        try:
            x = learner.reading.any(value).x
        except RecordError:
            continue
        if x is not UNSET and x:
            found.append(x)
    return found


def _plain(value: Any) -> bool:
    """Whether JSON gives a guess back as it is."""
    if isinstance(value, list):
        return all(map(_plain, value))
    return type(value) in (str, int, float, bool, type(None))


def _same(theirs: dict[Any, float] | None, ours: dict[Any, float] | None) -> bool:
    if theirs is None or ours is None:
        return theirs is ours
    return theirs.keys() == ours.keys() and all(_alike(theirs[k], ours[k]) for k in theirs)


def _alike(theirs: Any, ours: Any) -> bool:
    if isinstance(theirs, float) and isinstance(ours, float):
        close = math.isclose(theirs, ours, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
        return close or (math.isnan(theirs) and math.isnan(ours))
    return type(theirs) is type(ours) and bool(theirs == ours)
