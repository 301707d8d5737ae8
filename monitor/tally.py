"""What one partition's outcomes come to; pure, and deaf to whatever it is told twice."""

from __future__ import annotations

import logging
from bisect import bisect_right
from collections.abc import Sequence
from itertools import compress
from operator import ne, or_, sub
from typing import Any, NamedTuple

from monitor.sums import Sums
from monitor.windows import Window
from stream.records import NOT_FINITE, SCORED, Outcomes, Rows, Totals

lines = logging.getLogger(__name__)

REGRESSION = "regression"
"""The task in which labels are numbers with a distance."""
ANOMALY = "anomaly"
"""The task in which a label says whether a sample was one, and the guess is a score."""
HELD = 1_000_000
"""Rows of one turn, at most: as many records as a learner's turn can have."""
_COLUMNS = (
    "offset",
    "of",
    "id",
    "y",
    "y_pred",
    "p_true",
    "p_pred",
    "no_change_error",
    "majority_error",
    "flag",
)


class Added(NamedTuple):
    """The scored rows that one message has added, in columns, oldest first.

    The first five are those of `stream.records.Rows`, `errors` and `lost` those of
    `monitor.windows.Window`; `lost` is None where every guess was finite.
    """

    offset: list[int]
    of: list[int]
    id: list[int | str]
    y: list[Any]
    y_pred: list[Any]
    p_pred: list[float | None]
    no_change: list[float]
    majority: list[float]
    errors: list[float]
    lost: list[bool] | None


INPUT_DRIFT = "input-drift"
"""The kind of event of which there may be very many: a feature that has moved."""


class Noted(NamedTuple):
    """An event, and how many rows of its partition had been scored when it came."""

    partition: int
    offset: int
    kind: str
    details: dict[str, Any]
    scored: int


class Tally:
    """All that is known of one partition, as it stood at the end of a turn.

    A turn's messages wait in `held` until the one with its totals has come, so that windows
    and totals never speak of two places. After a learner's crash messages may come again,
    cut in another way: rows, events and totals are then recognised by their offsets.
    """

    def __init__(self, partition: int, longest: int) -> None:
        self.partition = partition
        self.window = Window(longest)
        """The last scored rows; begun anew when the task changes."""
        self.totals: Totals | None = None
        self.refused = 0
        """Messages whose rows were none of this task."""
        self.last: int | None = None
        """The last offset of the samples that these figures account for."""
        self.added: list[Added] = []
        """What the last turn has added; its last row is row `totals.scored` of them all."""
        self.first = 0
        """The first offset of the samples that the last turn spoke of."""
        self.anew = False
        """Whether the last turn is of a learner begun anew, and those before of another."""
        self.read = self.counted = 0
        """Messages that came, and those of them that these figures account for."""
        self._row = -1
        self._held: list[Outcomes] = []

    def feed(self, outcomes: Outcomes) -> list[Noted]:
        """Take in one message; return the events that are news."""
        self.read += 1
        # Who begins again says all of it again: what is held from there on is double.
        self._held = [held for held in self._held if held.first < outcomes.first]
        self._held.append(outcomes)
        if outcomes.totals is None:
            self._let_go()
            return []
        turn, self._held = self._held, []
        self.counted += len(turn)
        return self._close(turn, outcomes.totals, outcomes.last)

    @property
    def waiting(self) -> int:
        """How many messages wait for the end of their turn."""
        return len(self._held)

    def _let_go(self) -> None:
        """Refuse what is held once it is longer than any learner's turn, and never ends."""
        if sum(max(1, len(each.rows.offset)) for each in self._held) <= HELD:
            return
        first, last = self._held[0].first, self._held[-1].last
        self._held = []
        self.refused += 1
        lines.warning(
            "refused=rows[%d]@%d..%d why='no totals come'", self.partition, first, last
        )

    def sums(self, n: int | None) -> Sums:
        """Return the sums over the last `n` scored rows, or over all since the start."""
        if n is not None:
            return self.window.last(n)
        if (totals := self.totals) is None:
            return Sums()
        error = squared = 0.0
        if totals.task == REGRESSION:
            error, squared = totals.absolute_error, totals.squared_error
        elif totals.task != ANOMALY:
            error = squared = float(totals.scored - totals.correct)
        return Sums(
            scored=totals.scored,
            lost=totals.not_finite,
            error=error,
            squared=squared,
            no_change=totals.no_change_error,
            majority=totals.majority_error,
        )

    def full(self, n: int) -> bool:
        """Return whether the last `n` rows are all here, or all there ever were."""
        return len(self.window) >= min(n, self.totals.scored if self.totals else 0)

    def _close(self, turn: Sequence[Outcomes], totals: Totals, last: int) -> list[Noted]:
        if self.totals is None or self.totals.task != totals.task:
            classes = totals.task not in (REGRESSION, ANOMALY)
            self.window = Window(self.window.longest, classes=classes)
        before = -1 if self.last is None else self.last
        self.added, self.first = [], turn[0].first
        news = []
        for message in turn:
            # A message left over from before a crash may reach beyond this turn; whatever
            # does will be said again.
            self._score(message.rows, last, totals.task)
            news += [event for event in message.events if before < event[0] <= last]
            before = max(before, message.last)
        self.anew = False
        if self.last is None or last > self.last:
            self.anew = self._begun_anew(totals)
            self.totals, self.last = totals, last
        offsets = [offset for rows in self.added for offset in rows.offset]
        return [
            Noted(self.partition, offset, kind, details, self._scored_at(offset, offsets))
            for offset, kind, details in news
        ]

    def _begun_anew(self, totals: Totals) -> bool:
        """Return whether a turn's first row has a place that another row had before.

        The count of rows alone cannot tell: a new learner's first turn may bring more of them
        than the old one had in all.
        """
        if (before := self.totals) is None:
            return False
        place = totals.scored - sum(len(each.offset) for each in self.added)
        return place < before.scored or totals.task != before.task

    def _score(self, rows: Rows, last: int, task: str) -> None:
        """Add the rows up to `last` that are news."""
        start, stop = bisect_right(rows.offset, self._row), bisect_right(rows.offset, last)
        if start >= stop:
            return
        self._row = rows.offset[stop - 1]
        try:
            offsets, of, ids, y, guess, p_true, p_pred, no_change, majority, flags = _scored(
                rows, start, stop
            )
            lost = [flag == NOT_FINITE for flag in flags] if any(flags) else None
            errors = _errors(task, y, guess, lost)
            self.window.extend(
                y,
                guess,
                errors,
                no_change=no_change,
                majority=majority,
                lost=lost,
                p_true=p_true,
                p_pred=p_pred,
            )
        except (TypeError, ValueError, OverflowError) as error:
            # No learner of ours says such rows, but whoever can write to the topic can.
            self.refused += 1
            where = (self.partition, rows.offset[start], rows.offset[stop - 1])
            lines.warning("refused=rows[%d]@%d..%d why=%r", *where, str(error))
            return
        columns = (offsets, of, ids, y, guess, p_pred, no_change, majority, errors, lost)
        self.added.append(Added(*columns))

    def _scored_at(self, offset: int, offsets: list[int]) -> int:
        scored = self.totals.scored if self.totals else 0
        return max(0, scored - (len(offsets) - bisect_right(offsets, offset)))


def _scored(rows: Rows, start: int, stop: int) -> list[list[Any]]:
    """Return the columns of the scored among these rows, in the order of `_COLUMNS`."""
    whole: list[list[Any]] = [getattr(rows, name) for name in _COLUMNS]
    if len({*map(len, whole)}) > 1:
        raise ValueError("the columns of the rows differ in length")
    columns = [column[start:stop] for column in whole]
    flags = columns[-1]
    if not any(flags):
        return columns
    keep = [flag in (SCORED, NOT_FINITE) for flag in flags]
    return [[*compress(column, keep)] for column in columns]


def _errors(
    task: str, y: Sequence[Any], guess: Sequence[Any], lost: Sequence[bool] | None
) -> list[float]:
    """Return 0 or 1 for a class, the absolute error of a number, always 0 for an anomaly."""
    if task == ANOMALY:
        return [0.0] * len(y)
    if task != REGRESSION:
        wrong = [*map(ne, guess, y)]
        return wrong if lost is None else [*map(or_, wrong, lost)]
    if lost is None:
        return [*map(abs, map(sub, guess, y))]
    triples = zip(guess, y, lost, strict=True)
    return [0.0 if gone else abs(g - label) for g, label, gone in triples]
