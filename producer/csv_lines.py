"""Lines of CSV as they come: no line can wait for others to learn the types of its columns."""

from __future__ import annotations

import csv
from collections.abc import Mapping

from producer.columns import SAID, text_value
from producer.sources.source import unknown
from stream.errors import RecordError, SettingError
from stream.mapping import FieldMap, shaper
from stream.paths import path_of, steps_of
from stream.records import Record, Value, check_bounds, check_size, check_strings


class CsvLines:
    """Makes records of lines of CSV, each a row; the first names the columns.

    `mapping` names columns, by the paths that `column` gives; `types` are theirs. Raises
    `SettingError` at the first line when a column is not there.
    """

    def __init__(self, mapping: FieldMap, types: Mapping[str, str]) -> None:
        self._mapping, self._types = mapping, types
        self._names: list[str] = []
        self._delimiter = ","

    def __call__(self, line: bytes) -> Record | None:
        """Return the record of a line, None for the first. Raises `RecordError`."""
        if not self._names:
            self._open(line)
            return None
        check_size(line)
        values = self._split(line)
        if len(values) != len(self._names):
            raise RecordError(
                "malformed_csv", f"{len(values)} values for {len(self._names)} columns"
            )
        found = map(self._value, self._names, values)
        record = self._shape(dict(zip(self._names, found, strict=True)))
        check_bounds(record)
        check_strings(record)
        return record

    def _open(self, line: bytes) -> None:
        text = line.removeprefix(b"\xef\xbb\xbf")
        self._delimiter = next((it for it in ",;\t|" if it.encode() in text), ",")
        try:
            # Left out, it would make names of the first row.
            check_size(line)
            self._names = names = self._split(text)
        except RecordError as error:
            raise SettingError(
                f"the first line of standard input names no columns: {error}"
            ) from error
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise SettingError(
                f"standard input names the column {twice[0]!r} twice; rename one"
            )
        for name in self._types:
            if name not in names:
                raise unknown("column for a type", name, names)
        self._shape = shaper(self._mapping)
        mapping = self._mapping
        named = [("label", mapping.y), ("id", mapping.id), ("time", mapping.ts)]
        for setting, path in [*named, *(("drop", path) for path in mapping.drop)]:
            column_meant = _column(path)
            if column_meant is not None and column_meant not in names:
                raise unknown(
                    f"column for {setting} in standard input called", column_meant, names
                )
        self._id = _column(mapping.id)

    def _split(self, line: bytes) -> list[str]:
        try:
            (row,) = csv.reader([line.decode()], delimiter=self._delimiter, strict=True)
        except UnicodeDecodeError as error:
            raise RecordError("not_utf8", f"line is not UTF-8: {error.reason}") from None
        except (csv.Error, ValueError) as error:
            raise RecordError("malformed_csv", f"line is not CSV: {error}") from None
        return row

    def _value(self, name: str, text: str) -> Value:
        if name == self._id:
            return text.strip() or None
        kind = self._types.get(name)
        if kind is None:
            try:
                return text_value(text)
            except ValueError as error:
                raise RecordError("number_range", f"in column {name!r}, {error}") from None
        try:
            return SAID[kind](text)
        except ValueError as error:
            raise RecordError(
                "wrong_type", f"column {name!r} is of type {kind}, and {error}"
            ) from None


def _column(path: str | None) -> str | None:
    return None if path is None else str(steps_of(path, "column")[0])


def column(name: str) -> str:
    """Return the path that leads to a column of this name, whatever is in it."""
    return path_of((name,))
