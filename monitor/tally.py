"""What one partition's outcomes come to; pure, and deaf to whatever it is told twice."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any, NamedTuple

from monitor.windows import Sums, Window
from stream.records import NOT_FINITE, SCORED, Outcomes, Rows, Totals


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
        self.totals: Totals | None = None
        self.last: int | None = None
        """The last offset of the samples that these figures account for."""
        self._row = -1
        self._held: list[Outcomes] = []

    def feed(self, outcomes: Outcomes) -> list[Noted]:
        """Take in one message; return the events that are news."""
        # Who begins again says all of it again: what is held from there on is double.
        self._held = [held for held in self._held if held.first < outcomes.first]
        self._held.append(outcomes)
        if outcomes.totals is None:
            return []
        turn, self._held = self._held, []
        return self._close(turn, outcomes.totals, outcomes.last)

    def sums(self, n: int | None) -> Sums:
        """Return the sums over the last `n` scored rows, or over all since the start."""
        if n is not None:
            return self.window.last(n)
        if (totals := self.totals) is None:
            return Sums()
        wrong = float(totals.scored - totals.correct)
        number = is_regression(totals)
        return Sums(
            scored=totals.scored,
            lost=totals.not_finite,
            error=totals.absolute_error if number else wrong,
            squared=totals.squared_error if number else wrong,
            no_change=totals.no_change_error,
            majority=totals.majority_error,
        )

    def full(self, n: int) -> bool:
        """Return whether the last `n` rows are all here, or all there ever were."""
        return len(self.window) >= min(n, self.totals.scored if self.totals else 0)

    def _close(self, turn: Sequence[Outcomes], totals: Totals, last: int) -> list[Noted]:
        if self.totals is not None and self.totals.task != totals.task:
            self.window = Window(self.window.longest)
        before = -1 if self.last is None else self.last
        offsets: list[int] = []
        news = []
        for message in turn:
            # A message left over from before a crash may reach beyond this turn; whatever
            # does will be said again.
            offsets += self._score(message.rows, last, regression=is_regression(totals))
            news += [event for event in message.events if before < event[0] <= last]
            before = max(before, message.last)
        if self.last is None or last > self.last:
            self.totals, self.last = totals, last
        return [
            Noted(self.partition, offset, kind, details, self._scored_at(offset, offsets))
            for offset, kind, details in news
        ]

    def _score(self, rows: Rows, last: int, *, regression: bool) -> list[int]:
        """Add the rows up to `last` that are news; return the offsets of the scored."""
        start, stop = bisect_right(rows.offset, self._row), bisect_right(rows.offset, last)
        if start >= stop:
            return []
        self._row = rows.offset[stop - 1]
        columns: list[list[Any]] = [
            column[start:stop]
            for column in (
                rows.offset,
                rows.y,
                rows.y_pred,
                rows.no_change_error,
                rows.majority_error,
                rows.flag,
            )
        ]
        if any(columns[-1]):
            keep = [i for i, flag in enumerate(columns[-1]) if flag in (SCORED, NOT_FINITE)]
            columns = [[column[i] for i in keep] for column in columns]
        offsets, y, guess, no_change, majority, flags = columns
        lost = [flag == NOT_FINITE for flag in flags]
        pairs = zip(guess, y, lost, strict=True)
        if regression:
            errors = [0.0 if gone else abs(g - label) for g, label, gone in pairs]
        else:
            errors = [gone or g != label for g, label, gone in pairs]
        self.window.extend(errors, no_change=no_change, majority=majority, lost=lost)
        return offsets

    def _scored_at(self, offset: int, offsets: list[int]) -> int:
        scored = self.totals.scored if self.totals else 0
        return max(0, scored - (len(offsets) - bisect_right(offsets, offset)))


def is_regression(totals: Totals) -> bool:
    """Return whether labels are numbers with a distance, not classes."""
    return totals.task == "regression"
