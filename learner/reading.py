"""How a learner reads the records of its topic."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from stream.errors import RecordError
from stream.mapping import FieldMap, reader
from stream.records import UNSET, Record, decode, decode_full, decode_numbers

Decode = Callable[[bytes], Record]
DecodeMany = Callable[[Sequence[bytes]], list[Record]]


class Reading:
    """What makes records of bytes: of ours as they stand, of somebody else's by a mapping.

    `any` takes every record there can be. `full` takes many at once in which no feature is
    missing, `numbers` many in which all are numbers or truth values; both are the faster for
    it. All raise `RecordError` for what they do not take.
    """

    def __init__(self, mapping: FieldMap | None) -> None:
        self._mapping = mapping
        self.any: Decode = decode
        self.full: DecodeMany = decode_full
        self.numbers: DecodeMany = decode_numbers
        if mapping is not None:
            self.any = reader(mapping)
            self.full, self.numbers = self._full, self._numbers

    def __reduce__(self) -> tuple[type[Reading], tuple[FieldMap | None]]:
        """Pickle the mapping alone; the rest follows from it."""
        return type(self), (self._mapping,)

    def _full(self, values: Sequence[bytes]) -> list[Record]:
        records = [*map(self.any, values)]
        for record in records:
            if record.x is not UNSET and None in record.x.values():
                raise RecordError("wrong_type", "a value is missing")
        return records

    def _numbers(self, values: Sequence[bytes]) -> list[Record]:
        records = self._full(values)
        for record in records:
            if record.x is not UNSET and str in map(type, record.x.values()):
                raise RecordError("wrong_type", "a value is a text")
        return records
