"""What the rows of a source are, once their columns have types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from stream.records import Features, Label, text_of

_SHOWN = 12


class Row(NamedTuple):
    """One sample. `y` is None without a label; `ts` is in seconds of the epoch, or None."""

    x: Features
    y: Label | None
    ts: float | None
    id: int | str


@dataclass(frozen=True, slots=True)
class Schema:
    """What the rows are.

    `task` is classification or regression, None without a label. `columns` are the features,
    each with its type. `classes` are None where they are not known beforehand, `rows` where
    the number of rows of one pass is not.
    """

    source: str
    task: str | None
    label: str | None
    id: str | None
    time: str | None
    columns: Mapping[str, str]
    classes: Sequence[Label] | None
    rows: int | None

    def sentence(self) -> str:
        """Return the schema in one line; of many columns or classes it names the first.

        >>> columns = {"age": "integer", "car": "category", "loan": "integer"}
        >>> Schema("a.csv", "regression", "y", None, None, columns, None, 9).sentence()
        "a.csv: regression of 'y' by category car, integer age, loan"
        """
        kinds: dict[str, list[str]] = {}
        for name, kind in self.columns.items():
            kinds.setdefault(kind, []).append(name)
        columns = ", ".join(f"{kind} {_some(kinds[kind])}" for kind in sorted(kinds))
        if self.task is None:
            return f"{self.source}: no label, so that all samples are questions, with {columns}"
        classes = f" ({_some([text_of(it) for it in self.classes])})" if self.classes else ""
        return f"{self.source}: {self.task} of {self.label!r}{classes} by {columns}"


def _some(names: Sequence[str]) -> str:
    more = f", … {names[-1]} ({len(names)} in all)" if len(names) > _SHOWN else ""
    return ", ".join(names[: 3 if more else None]) + more
