"""A drift schedule: which concept a generator follows, and from which row on."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Iterator, Sequence
from itertools import chain, count, islice
from typing import TypeVar

from producer.sources.source import Mark, suggestion
from stream.errors import SettingError

T = TypeVar("T")

KINDS = ("abrupt", "gradual", "recurring")
_FORM = re.compile(r"([a-z]+)@([0-9]+(?:_[0-9]+)*)(?:\+([0-9]+(?:_[0-9]+)*))?")


def schedule(drifts: Sequence[str]) -> tuple[Mark, ...]:
    """Return the drifts written as `abrupt@AT`, `gradual@AT+WIDTH` or `recurring@AT[+WIDTH]`.

    `AT` is a row, counted from 0 and rising; `WIDTH` a number of rows. Raises `SettingError`
    when one is written otherwise.

    >>> schedule(["abrupt@15000", "gradual@30000+2000"])[1]
    Mark(kind='gradual', at=30000, width=2000)
    """
    marks: list[Mark] = []
    for text in drifts:
        mark = _mark(text)
        if marks and mark.at <= marks[-1].at:
            raise SettingError(
                f"drift {text!r} does not lie behind the one before it, at {marks[-1].at}; "
                "give them in order"
            )
        marks.append(mark)
    return tuple(marks)


def _mark(text: str) -> Mark:
    form = _FORM.fullmatch(text)
    if not form:
        raise SettingError(
            f"drift {text!r} must read like abrupt@15000, gradual@30000+2000 or recurring@45000"
        )
    kind, at, width = form[1], int(form[2]), int(form[3] or 1)
    if kind not in KINDS:
        raise SettingError(f"there is no drift {kind!r}{suggestion(kind, KINDS)}")
    if kind == "abrupt" and form[3]:
        raise SettingError(
            f"drift {text!r} has a width, but an abrupt one has none; write gradual or leave "
            f"+{form[3]} away"
        )
    if kind == "gradual" and width < 2:
        raise SettingError(
            f"drift {text!r} needs a width of 2 or more, as in gradual@30000+2000"
        )
    if at < 1 or width < 1:
        raise SettingError(f"drift {text!r} must lie at row 1 or later and be 1 or more wide")
    return Mark(kind, at, width)


def concepts(marks: Sequence[Mark], known: int | None) -> list[int]:
    """Return the number of the concept before the first drift and after each.

    A recurring drift goes back to the first concept, any other on to one not yet seen, or,
    when all `known` were, round. Raises `SettingError` when a drift would change nothing.

    >>> concepts(schedule(["abrupt@10", "abrupt@20", "recurring@30", "abrupt@40"]), None)
    [0, 1, 2, 0, 3]
    """
    path, newest = [0], 0
    for mark in marks:
        if mark.kind == "recurring":
            if path[-1] == 0:
                raise SettingError(
                    f"drift 'recurring@{mark.at}' has nothing to come back from: the first "
                    "concept is still there; put another drift before it"
                )
            path.append(0)
            continue
        newest += 1
        if known and newest % known == path[-1]:
            newest += 1
        path.append(newest % known if known else newest)
    return path


def drifting(
    sources: Sequence[Iterator[T]], marks: Sequence[Mark], *, seed: int
) -> Iterator[T]:
    """Yield of `sources[0]`, after the first drift of `sources[1]`, and so on.

    One iterator may stand in several places: a concept that recurs goes on where it stopped.
    """
    mixed = sources[0]
    for number, (mark, after) in enumerate(zip(marks, sources[1:], strict=True)):
        if mark.width == 1:
            mixed = chain(islice(mixed, mark.at), after)
        else:
            rng = random.Random(seed + number)
            mixed = _blend(mixed, after, mark.at, mark.width, rng)
    return mixed


def _blend(
    before: Iterator[T], after: Iterator[T], position: int, width: int, rng: random.Random
) -> Iterator[T]:
    """Yield of both, by the sigmoid and the order of draws of River's ConceptDriftStream.

    River's own raises OverflowError where the position lies more than 177 widths ahead.
    """
    for t in count(1):
        v = -4.0 * (t - position) / width
        chance = 1.0 / (1.0 + math.exp(v)) if v < 700 else 0.0
        if chance == 1.0:
            break
        # A source that ends within the transition ends the stream.
        drawn = next(before if rng.random() > chance else after, None)
        if drawn is None:
            return
        yield drawn
    yield from after
