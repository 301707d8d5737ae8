"""How a learner reads the records of its topic."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from stream.mapping import FieldMap, reader
from stream.records import Record, decode, decode_full, decode_numbers

Decode = Callable[[bytes], Record]
DecodeMany = Callable[[Sequence[bytes]], list[Record]]
"""Decodes many records at once, or raises `RecordError` where any needs a look of its own."""


class Reading:
    """What makes records of bytes: of ours as they stand, of somebody else's by a mapping.

    `any` takes every record there can be, or raises `RecordError`.
    """

    def __init__(self, mapping: FieldMap | None) -> None:
        self._mapping = mapping
        self.any: Decode = decode if mapping is None else reader(mapping)

    def __reduce__(self) -> tuple[type[Reading], tuple[FieldMap | None]]:
        """Pickle the mapping alone; the rest follows from it."""
        return type(self), (self._mapping,)

    def many(self, *, numbers_only: bool) -> DecodeMany | None:
        """Return what is faster where no feature is missing, or where all are numbers.

        None for records that are mapped: these are read one by one in any case.
        """
        if self._mapping is not None:
            return None
        return decode_numbers if numbers_only else decode_full
