"""From dicts to arrays.

The features are those of the first samples it is fitted to, in order of first appearance:
numbers and truth values get a column each, a feature with text gets one column for each of
its values. What appears later is ignored and counted; what is missing is NaN.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import starmap
from operator import itemgetter
from struct import Struct
from struct import error as StructError

import numpy as np
from numpy.typing import NDArray

from stream.records import Features, Value

LARGEST = 1e30
"""Numbers are cut to ± this: their squares must stay finite, or one sample spoils a scaler."""

Array = NDArray[np.float64]


class Vectorizer:
    """Turns samples into rows of shape `(n_samples, n_columns)`.

    `late` counts the values ignored because their feature or category came too late.
    """

    def __init__(self, xs: Sequence[Features]) -> None:
        values: dict[str, dict[Value, None]] = {}
        for x in xs:
            for name, value in x.items():
                values.setdefault(name, {})[value] = None
        self.late = 0
        self.whole = False
        """Whether the last samples were numbers throughout, so that nothing was ignored."""
        self._numbers = [n for n, seen in values.items() if not _has_text(seen)]
        self._categories: dict[tuple[str, Value], int] = {
            (name, value): column
            for column, (name, value) in enumerate(
                (
                    (name, value)
                    for name, seen in values.items()
                    if _has_text(seen)
                    for value in seen
                    if isinstance(value, str)
                ),
                start=len(self._numbers),
            )
        }
        self._known = set(values)
        self.columns = len(self._numbers) + len(self._categories)

    def transform(self, xs: Sequence[Features], *, count: bool = False) -> Array:
        """Return one row a sample. With `count`, add to `late` what had to be ignored."""
        if not self._categories and self._numbers:
            try:
                array = self._all_numbers(xs)
            except (KeyError, StructError):
                pass  # something is missing, late, or text: the slow way knows what
            else:
                self.whole = True
                return array
        self.whole = False
        return self._row_by_row(xs, count)

    def _all_numbers(self, xs: Sequence[Features]) -> Array:
        width = len(self._numbers)
        if set(map(len, xs)) != {width}:
            raise KeyError("another number of features")
        rows = map(itemgetter(*self._numbers), xs)
        # Raises for a text, which NumPy would read as a number where it looks like one.
        pack = Struct(f"{width}d").pack
        packed = b"".join(map(pack, rows) if width == 1 else starmap(pack, rows))
        return np.clip(np.frombuffer(packed).reshape(len(xs), width), -LARGEST, LARGEST)

    def _row_by_row(self, xs: Sequence[Features], count: bool) -> Array:
        array = np.zeros((len(xs), self.columns))
        array[:, : len(self._numbers)] = np.nan
        column = {name: i for i, name in enumerate(self._numbers)}
        late = 0
        for row, x in zip(array, xs, strict=True):
            for name, value in x.items():
                if value is None:
                    late += name not in self._known
                elif name in column and not isinstance(value, str):
                    row[column[name]] = min(max(value, -LARGEST), LARGEST)
                elif (name, value) in self._categories:
                    row[self._categories[name, value]] = 1.0
                else:
                    late += 1
        self.late += late if count else 0
        return array


def _has_text(values: dict[Value, None]) -> bool:
    return any(isinstance(value, str) for value in values)
