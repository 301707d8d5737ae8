"""A source with types: its schema, and its rows."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from producer.columns import CONVERTERS, kind_of, plain
from producer.labels import Labels
from producer.rows import (
    Shape,
    as_it_is,
    check_size,
    fits,
    full_row_maker,
    ready_row_maker,
    row_maker,
    whole_maker,
)
from producer.schema import Row, Schema
from producer.sources.source import Flaw, Mark, Pair, Source, is_label, unknown
from stream.errors import SettingError
from stream.records import MAX_FIELDS, Label, text_of
from stream.texts import shown

HEAD = 1000
"""Rows from which the types of columns are inferred."""
_KINDS = 20
"""Kinds of flaws that are told of, at most."""
_QUOTED = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|\d+""")
MANY_CLASSES = 1000
"""Classes beyond which none are declared: such a label is rather a name."""


class Feed:
    """The rows of a source, each column with one type throughout.

    Types come of the first `HEAD` rows, unless `types` says otherwise: integer, number,
    boolean, category or datetime; of one that is said to be of integers, a row with a
    fraction does not fit. `id` names the column of ids, which is then no feature;
    without, a row's number from 0 is its id. `time` names the column of event time, which
    stays a feature; `drop` names those that do not. `task` is inferred from the label: one
    that is not a whole number, or has more than 50 values, is for regression. Behind the
    first rows a number with a fraction is a flaw, unless more than 1 % of all rows have one.
    `classes` are the labels that will come; else a first pass finds them, where the source is
    finite and no file beyond 256 MiB.

    A row that does not fit is left out and counted in `skipped`; `flaws` tell of the first of
    each kind.
    Raises `SettingError` when a column is not there, a type or task is unknown or does not
    fit, or no row can be used.
    """

    def __init__(
        self,
        source: Source,
        *,
        id: str | None = None,
        time: str | None = None,
        task: str | None = None,
        types: Mapping[str, str] | None = None,
        drop: Sequence[str] = (),
        classes: Sequence[Label] | None = None,
    ) -> None:
        self.marks: tuple[Mark, ...] = source.marks
        self.skipped, self._flaws = 0, dict[str, str]()
        self._source, self._number = source, 0
        time = time or source.time
        head = _head(source)
        kinds = _kinds(source, head, types or {})
        _check_columns(
            source, kinds, [("id", id), ("time", time), *(("drop", it) for it in drop)]
        )
        self._columns = {k: v for k, v in kinds.items() if k != id and k not in drop}
        self._shape = _shape(source, head, kinds, self._columns, id, time)
        said = {name for name, kind in (types or {}).items() if kind == "integer"}
        if whole := said & self._columns.keys():
            self._shape = whole_maker(self._shape, whole)
        self._labels = Labels(
            source.label,
            [plain(y) for _, y in head],
            texts=source.tabular,
            kind=(
                (types or {}).get(source.label or "") or source.kinds.get(source.label or "")
            ),
            task=task or source.task,
        )
        rows, known = source.rows_known, classes or source.classes
        if self._labels.task == "classification" and source.finite and not known:
            rows, known = self._scan()
        if self._labels.task != "classification" or not 0 < len(known or ()) <= MANY_CLASSES:
            known = None
        self.schema = Schema(
            source.name, self._labels.task, source.label, id, time, self._columns, known, rows
        )

    @property
    def flaws(self) -> Sequence[str]:
        """What was wrong with the first row of each kind that was left out; at most 20."""
        return [*self._flaws.values()]

    def read(self) -> Iterator[Row]:
        """Yield the rows of one pass; a further pass goes on counting them.

        Raises `SettingError` at the end where none could be used.
        """
        label, shape, used = self._labels.of, self._shape, False
        for raw in self._source.rows():
            number = self._number
            self._number += 1
            try:
                if isinstance(raw, Flaw):
                    raise raw
                row = shape(raw[0], label(raw[1]), number)
                check_size(row)
            except ValueError as flaw:
                self.skipped += 1
                self._note(raw, flaw, number)
            else:
                used = True
                yield row
        if not used:
            raise _no_row(self._source.name, *self.flaws[:1])

    def _note(self, raw: Pair | Flaw, flaw: ValueError, number: int) -> None:
        """Keep a sentence on a flaw, unless there is one of its kind."""
        kind, sentence = self._say(raw, flaw, number)
        if len(self._flaws) < _KINDS:
            self._flaws.setdefault(kind, shown(sentence))

    def _say(self, raw: Pair | Flaw, flaw: ValueError, number: int) -> tuple[str, str]:
        """Return a kind of flaw, and which value of a row is wrong, and where it stands."""
        # Two are of a kind if they differ in what they quote and count.
        kind = _QUOTED.sub("", str(flaw)).partition(": ")[0].partition(" but ")[0]
        if isinstance(raw, Flaw):
            return kind, str(flaw)
        place = self._source.place
        where = place() if place else f"{self._source.name} row {number}"
        for name, type_ in self._columns.items():
            try:
                CONVERTERS[type_](raw[0].get(name))
            except ValueError as error:
                said = f"{where}: column {name!r} is of type {type_}, and {error}"
                return f"column {name}", said
        return kind, f"{where}: {flaw}"

    def _scan(self) -> tuple[int, list[Label]]:
        """Return the number of rows, and all labels there are, in order.

        Beyond `MANY_CLASSES` of them it is enough to know that they are so many.
        """
        rows, odd = 0, 0
        found: set[Label] = set()
        for rows, value in enumerate(_labels(self._source), 1):  # noqa: B007
            if isinstance(value, Flaw) or len(found) > MANY_CLASSES:
                continue
            with contextlib.suppress(ValueError):
                if (y := self._labels.survey(value)) is not None:
                    found.add(y)
                    odd += isinstance(y, float)
        self._labels.reconsider(found, odd / max(rows, 1))
        # A number with a fraction is no class.
        known = [y for y in found if not isinstance(y, float)]
        if all(isinstance(y, int) for y in known):
            return rows, sorted(known)
        return rows, sorted(known, key=text_of)


def _labels(source: Source) -> Iterator[Any]:
    """Yield the labels as they are found, and flaws, at least cost."""
    if source.labels is not None:
        return source.labels()
    return (raw if isinstance(raw, Flaw) else raw[1] for raw in source.rows())


def _head(source: Source) -> list[Pair]:
    first = list(islice(source.rows(), HEAD))
    head = [raw for raw in first if not isinstance(raw, Flaw)]
    if not head:
        raise _no_row(source.name, *map(str, first[:1]))
    if source.label is not None and source.columns is None and all(y is None for _, y in head):
        raise unknown("label", source.label, {name for x, _ in head for name in x})
    return head


def _no_row(name: str, *flaw: str) -> SettingError:
    return SettingError(": ".join([f"{name!r} has no row that can be used", *flaw]))


def _kinds(source: Source, head: list[Pair], types: Mapping[str, str]) -> dict[str, str]:
    """Return the type of each column that is no label."""
    names = list(source.columns or dict.fromkeys(name for x, _ in head for name in x))
    # Where rows lack columns, there may be any number of them in all.
    width = len(names) if source.columns is not None else max(len(x) for x, _ in head)
    if width > MAX_FIELDS:
        raise SettingError(
            f"{source.name!r} has {width} columns, {MAX_FIELDS} are allowed; take some out"
        )
    for name, kind in types.items():
        if kind not in CONVERTERS:
            raise unknown(f"type for column {name!r} called", kind, CONVERTERS)
        if name != source.label and name not in names:
            raise unknown("column for a type", name, names)
    return {
        name: types.get(name)
        or source.kinds.get(name)
        or kind_of((x.get(name) for x, _ in head), texts=source.tabular)
        for name in names
    }


def _check_columns(
    source: Source, kinds: Mapping[str, str], wanted: Sequence[tuple[str, str | None]]
) -> None:
    for setting, name in wanted:
        if name is not None and name not in kinds:
            if name == source.label:
                raise is_label(setting, name, source.name)
            raise unknown(f"column for {setting} in {source.name!r} called", name, kinds)


def _shape(
    source: Source,
    head: list[Pair],
    kinds: Mapping[str, str],
    columns: Mapping[str, str],
    id: str | None,
    time: str | None,
) -> Shape:
    if source.tabular:
        return full_row_maker(kinds, columns, id, time)
    if source.ready:
        ready = {name for name in source.ready if kinds.get(name) == source.kinds[name]}
        return ready_row_maker(kinds, columns, id, time, ready)
    as_found = source.uniform and time is None and len(columns) == len(kinds)
    if as_found and all(fits(x, kinds) for x, _ in head):
        return as_it_is
    return row_maker(kinds, columns, id, time)
