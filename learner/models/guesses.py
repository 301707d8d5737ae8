"""Guesses for classes in columns, as they come from a matrix of probabilities."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from learner.models.model import Guess
from learner.models.vectors import Array
from stream.records import Label


class ClassGuesses(Sequence[Guess]):
    """Guesses with their probabilities, of shape `(n_guesses, n_classes)`.

    `codes` has the column of each class, in their order, and `said` those of the guesses. A
    dict is made for a guess only once somebody looks at it: who scores many samples needs
    two numbers of each.
    """

    def __init__(
        self,
        codes: Mapping[Label, int],
        said: Sequence[int],
        p: Array,
    ) -> None:
        self.labels: list[Label] = [*map([*codes].__getitem__, said)]
        self._codes, self._said, self._p = codes, said, p

    def p_of(self, labels: Sequence[Label] | None = None) -> list[float]:
        """Return what each guess gave the label beside it, or the one it is.

        Each must be one of the classes.
        """
        columns = self._said if labels is None else [*map(self._codes.__getitem__, labels)]
        found: list[float] = self._p[np.arange(len(columns)), columns].tolist()
        return found

    @cached_property
    def _each(self) -> list[Guess]:
        rows = (dict(zip(self._codes, row, strict=True)) for row in self._p.tolist())
        return [*zip(self.labels, rows, strict=True)]

    def __getitem__(self, at: Any) -> Any:
        """Return one guess, or a list of some."""
        return self._each[at]

    def __iter__(self) -> Iterator[Guess]:
        """Go over all guesses."""
        return iter(self._each)

    def __len__(self) -> int:
        """Count the guesses."""
        return len(self.labels)

    def __repr__(self) -> str:
        """Show what a list of the same guesses would."""
        return repr(self._each)

    def __eq__(self, other: object) -> bool:
        """Compare with other guesses, in a list or not."""
        return isinstance(other, Sequence) and self._each == [*other]

    __hash__ = None  # type: ignore[assignment]
