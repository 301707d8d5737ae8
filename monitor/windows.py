"""The last scored rows of a partition.

Every accuracy and mean error here is prequential: each guess was made before its label was
known (Dawid, "Statistical theory: the prequential approach", J. R. Statist. Soc. A 147,
1984). Over a sliding window, and with a fading factor, as in Gama, Sebastião and Rodrigues,
"On evaluating stream learning algorithms", Machine Learning 90, 2013.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence
from typing import Any, NamedTuple

from monitor.classes import Codes, Key
from monitor.sums import Sums, total

_MANY = 1000
"""Classes from which on it is worth a look which of them are still in the window."""


class Recent(NamedTuple):
    """The last scored rows of one partition, in columns, oldest first; a copy.

    `y` and `guess` are codes of `keys` where labels are classes, else numbers; a guess that
    is not there, and a probability, is NaN. `lost` has 1 where the guess was not finite.
    Where labels are numbers `p_true` and `p_pred` are empty.
    """

    keys: Sequence[Key]
    errors: Sequence[float]
    lost: bytes
    y: Sequence[Any]
    guess: Sequence[Any]
    p_true: Sequence[float]
    p_pred: Sequence[float]

    def last(self, n: int) -> Recent:
        """Return the last `n` of these rows."""
        start = max(0, len(self.lost) - n)
        columns = (self.y, self.guess, self.p_true, self.p_pred)
        return Recent(
            self.keys,
            self.errors[start:],
            self.lost[start:],
            *(column[start:] for column in columns),
        )


class Window:
    """The last `longest` scored rows of one partition, in columns.

    Labels are `classes`, or else numbers. Adding is a copy of memory, without a sum; a sum
    is taken over the window itself when it is asked for, so that no rounding is ever
    carried along.

    >>> window = Window(3)
    >>> window.extend("abab", "bbab", [1, 0, 0, 0], no_change=[0, 0, 1, 1], majority=[1] * 4)
    >>> window.last(2)
    Sums(scored=2, lost=0, error=0.0, squared=0.0, no_change=2.0, majority=2.0)
    >>> window.last(5).scored
    3
    """

    def __init__(self, longest: int, *, classes: bool = True) -> None:
        self.longest, self._classes = longest, classes
        self._codes = Codes()
        self._errors = array("d")
        self._no_change = array("d")
        self._majority = array("d")
        self._lost = bytearray()
        self._y = array("i" if classes else "d")
        self._guess = array("i" if classes else "d")
        self._p_true = array("d")
        self._p_pred = array("d")

    def __len__(self) -> int:
        return min(len(self._lost), self.longest)

    def extend(
        self,
        y: Sequence[Any],
        guess: Sequence[Any],
        errors: Sequence[float],
        *,
        no_change: Sequence[float],
        majority: Sequence[float],
        lost: Sequence[int] | None = None,
        p_true: Sequence[float | None] | None = None,
        p_pred: Sequence[float | None] | None = None,
    ) -> None:
        """Add rows, oldest first; `lost` has 1 where a guess was not finite.

        Probabilities are kept where labels are classes. Raises `TypeError` or `ValueError`
        for what is no label or number, and for columns of unequal length; nothing is then
        added.
        """
        rows = len(errors)
        fresh: list[Any] = [_floats(errors), _floats(no_change), _floats(majority)]
        fresh += [
            bytes(rows) if lost is None else bytes(lost),
            self._kept(y),
            self._kept(guess),
        ]
        if self._classes:
            fresh += [_probabilities(p_true, rows), _probabilities(p_pred, rows)]
        if any(len(column) != rows for column in fresh):
            raise ValueError("the columns of the rows differ in length")
        for column, more in zip(self._columns(), fresh, strict=True):
            column.extend(more)
        # Twice the length at least between two removals: each row is moved once at most.
        if (surplus := len(self._lost) - self.longest) > self.longest:
            for column in self._columns():
                del column[:surplus]
            self._forget_classes()

    def last(self, n: int) -> Sums:
        """Return the sums over the last `n` rows, exact to the last digit.

        Over fewer rows while there are no more, never over more than `longest`.
        """
        kept = len(self._lost)
        start = kept - min(n, self.longest, kept)
        errors = self._errors[start:]
        return Sums(
            scored=kept - start,
            lost=self._lost.count(1, start),
            error=total(errors),
            squared=total([error * error for error in errors]),
            no_change=total(self._no_change[start:]),
            majority=total(self._majority[start:]),
        )

    def recent(self) -> Recent:
        """Return a copy of all rows of the window."""
        start = len(self._lost) - len(self)
        columns = (self._y, self._guess, self._p_true, self._p_pred)
        return Recent(
            self._codes.keys_by_code,
            self._errors[start:],
            bytes(self._lost[start:]),
            *(column[start:] for column in columns),
        )

    def _columns(self) -> list[Any]:
        columns = [self._errors, self._no_change, self._majority, self._lost]
        columns += [self._y, self._guess]
        return [*columns, self._p_true, self._p_pred] if self._classes else columns

    def _kept(self, labels: Sequence[Any]) -> array[Any]:
        if self._classes:
            return array("i", map(self._codes.__getitem__, labels))
        return _floats(labels)

    def _forget_classes(self) -> None:
        """Let go of classes that no row has any more, lest a stream of names fill memory."""
        if len(self._codes.keys_by_code) < _MANY:
            return
        used = sorted({*self._y, *self._guess})
        codes = Codes()
        for code in used:
            codes[self._codes.keys_by_code[code]]
        moved = {old: new for new, old in enumerate(used)}
        for column in (self._y, self._guess):
            column[:] = array("i", map(moved.__getitem__, column))
        self._codes = codes


def _floats(values: Sequence[float | None]) -> array[float]:
    """Return numbers as they are, and NaN for None."""
    made = array("d")
    listed: list[Any] = values if isinstance(values, list) else list(values)
    try:
        made.fromlist(listed)
    except TypeError:
        made.fromlist([math.nan if value is None else value for value in listed])
    return made


def _probabilities(values: Sequence[float | None] | None, rows: int) -> array[float]:
    if values is None or (values and values[0] is None and values.count(None) == rows):
        return array("d", [math.nan]) * rows
    return _floats(values)
