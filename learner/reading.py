"""How a learner reads the records of its topic."""

from __future__ import annotations

from collections.abc import Callable

from stream.errors import RecordError
from stream.mapping import FieldMap, reader
from stream.records import Record, decode, decode_full

Decode = Callable[[bytes], Record]


class Reading:
    """What makes a record of bytes: ours as it stands, somebody else's by a mapping.

    `full` refuses what `any` accepts where a feature is null, and is the faster for it. Both
    raise `RecordError` for what is no record.
    """

    def __init__(self, mapping: FieldMap | None) -> None:
        self._mapping = mapping
        self.any: Decode = decode
        self.full: Decode = decode_full
        if mapping is not None:
            self.any = reader(mapping)
            self.full = self._without_null

    def __reduce__(self) -> tuple[type[Reading], tuple[FieldMap | None]]:
        """Pickle the mapping alone; the rest follows from it."""
        return type(self), (self._mapping,)

    def _without_null(self, value: bytes) -> Record:
        if b"null" in value:
            raise RecordError("wrong_type", "a value may be missing")
        return self.any(value)
