"""The last rows of a learner one by one, and which of them went wrong."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, NamedTuple

from monitor.tally import ANOMALY, REGRESSION, Added
from stream.errors import CursorExpired, RecordError
from stream.records import UNSET, Value, decode
from stream.texts import shown
from stream.topic import Topic

ROWS = 1000
"""Rows of a partition among which a mistake is looked for."""
SHOWN = 6
"""Mistakes shown, at most."""
FEATURES = 40
"""Features of a sample that are shown, at most."""
_COLUMNS = ("offset", "of", "id", "y", "y_pred", "p_pred", "errors")
_TEXT = 80
"""Characters of a feature's name, or of its value."""


class Miss(NamedTuple):
    """A guess that went wrong, or was the furthest off; the fields are those of `Rows`."""

    partition: int
    offset: int
    of: int
    id: int | str
    y: Any
    y_pred: Any
    p_pred: float | None
    error: float


class Mistake(NamedTuple):
    """A guess that went wrong, and the features of its sample; None where nobody can tell.

    `looked` is False as long as nobody has looked for the sample.
    """

    miss: Miss
    x: dict[str, Value] | None
    looked: bool = True


class Lately:
    """The last scored rows of each partition, as many as `rows`.

    Kept in the columns in which they come: to look for mistakes is left to who wants to see.
    """

    def __init__(self, rows: int) -> None:
        self._rows = min(rows, ROWS)
        self._kept: dict[int, list[Added]] = {}

    def take(self, partition: int, added: Iterable[Added]) -> None:
        """Take in what a turn has added."""
        kept = self._kept.setdefault(partition, [])
        kept += [each for each in added if each.offset]
        enough = 0
        for at in range(len(kept) - 1, -1, -1):
            if (enough := enough + len(kept[at].offset)) >= self._rows:
                del kept[:at]
                break

    def forget(self, partition: int) -> None:
        """Forget the rows of a partition."""
        self._kept.pop(partition, None)

    def misses(self, task: str | None) -> list[Miss]:
        """Return the newest wrong guesses, newest first; of numbers the furthest off.

        Of scores of anomalies the normal rows that scored highest.
        """
        rows = [row for partition in self._kept for row in self._last(partition)]
        if task == ANOMALY:
            rows = [row for row in rows if not row.y and _finite(row.y_pred)]
            return sorted(rows, key=lambda row: -row.y_pred)[:SHOWN]
        if task == REGRESSION:
            return sorted(rows, key=lambda row: -row.error)[:SHOWN]
        wrong = [row for row in rows if row.error]
        return sorted(wrong, key=lambda row: -row.offset)[:SHOWN]

    def _last(self, partition: int) -> list[Miss]:
        rows = [
            Miss(partition, *row)
            for it in self._kept[partition]
            for row in zip(*(getattr(it, name) for name in _COLUMNS), strict=True)
        ]
        return rows[-self._rows :]


def features(samples: Topic, miss: Miss, *, within: float) -> dict[str, Value] | None:
    """Return what the sample of a mistake held, cut to size; None where it is not kept.

    Reads one record, beside whatever else is read of the topic. Raises `TopicTimeout` after
    `within` seconds without an answer.
    """
    scan = samples.scan(miss.partition, miss.of, miss.of + 1, within=within)
    try:
        entry = next(scan, None)
        x = None if entry is None else decode(entry.value).x
    except (CursorExpired, RecordError):
        return None
    if x is None or x is UNSET:
        return None
    return {
        shown(name, _TEXT): shown(value, _TEXT) if isinstance(value, str) else value
        for name, value in list(x.items())[:FEATURES]
    }


def _finite(guess: Any) -> bool:
    return guess is not None and math.isfinite(guess)
