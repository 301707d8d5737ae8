"""What came of the records of one turn, before it goes on the wire."""

from __future__ import annotations

from collections.abc import Iterable
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
    added: list[Row] = field(default_factory=list)
    """Outcomes that are not in columns yet: append one here, or many by `extend`."""
    events: list[Event] = field(default_factory=list)
    predictions: list[Prediction] = field(default_factory=list)
    dead: list[tuple[int, bytes, RecordError]] = field(default_factory=list)
    decided: list[int] = field(default_factory=list)
    """At which offset each of `dead` was decided; a grain is refused at its end."""
    errors: tuple[list[float], list[float]] = field(default_factory=lambda: ([], []))
    """What the no-change and the majority baseline would have suffered, one a row each."""
    timed: Timed = field(default_factory=Timed, compare=False)
    """What some of its guesses and lessons took; no part of what came of them."""
    _columns: list[list[Any]] = field(default_factory=lambda: [[] for _ in range(_COLUMNS)])

    def extend(self, columns: Iterable[Iterable[Any]]) -> None:
        """Add outcomes in columns, all those of `Row`, which costs less than one by one."""
        for mine, more in zip(self.transposed(), columns, strict=True):
            mine.extend(more)

    def transposed(self) -> list[list[Any]]:
        """Return the outcomes there are, in columns."""
        if self.added:
            for mine, more in zip(self._columns, zip(*self.added, strict=True), strict=True):
                mine.extend(more)
            self.added.clear()
        return self._columns

    @property
    def rows(self) -> list[Row]:
        """The outcomes there are, one by one; made anew for each who asks."""
        return [*zip(*self.transposed(), strict=True)]

    def settle(self) -> None:
        """Put the dead letters in the order in which they were decided, however found."""
        order = sorted(range(len(self.dead)), key=self.decided.__getitem__)
        self.dead = [self.dead[i] for i in order]
        self.decided.sort()

    def columns(self, start: int, stop: int) -> Rows:
        """Return the rows from `start` to before `stop` in columns."""
        columns = [*self.transposed(), *self.errors]
        return Rows(*(column[start:stop] for column in columns))
