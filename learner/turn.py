"""What came of the records of one turn, before it goes on the wire."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from learner.resources import Timed
from stream.errors import RecordError
from stream.records import Event, Prediction, Rows

Row = tuple[int, int, Any, float | None, Any, Any, float | None, float | None, str, int]
"""One outcome, in the order of the columns of `Rows` up to `flag`."""
_COLUMNS = 10


@dataclass(slots=True)
class Turn:
    """What came of some records: the range read, outcomes, events, answers, dead letters."""

    first: int
    next: int
    rows: list[Row] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    predictions: list[Prediction] = field(default_factory=list)
    dead: list[tuple[int, bytes, RecordError]] = field(default_factory=list)
    decided: list[int] = field(default_factory=list)
    """At which offset each of `dead` was decided; a grain is refused at its end."""
    errors: tuple[list[float], list[float]] = field(default_factory=lambda: ([], []))
    """What the no-change and the majority baseline would have suffered, one a row each."""
    timed: Timed = field(default_factory=Timed, compare=False)
    """What some of its guesses and lessons took; no part of what came of them."""
    _columns: list[Sequence[Any]] = field(default_factory=list)

    def transposed(self) -> list[Sequence[Any]]:
        """Return all rows in columns; kept, so call it when there will be no more."""
        if not self._columns:
            rows = self.rows
            self._columns = [*zip(*rows, strict=True)] if rows else [()] * _COLUMNS
        return self._columns

    def settle(self) -> None:
        """Put the dead letters in the order in which they were decided, however found."""
        order = sorted(range(len(self.dead)), key=self.decided.__getitem__)
        self.dead = [self.dead[i] for i in order]
        self.decided.sort()

    def columns(self, start: int, stop: int) -> Rows:
        """Return the rows from `start` to before `stop` in columns."""
        columns = [*self.transposed(), *self.errors]
        return Rows(*(list(column[start:stop]) for column in columns))
