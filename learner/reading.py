"""How a learner reads the records of its topic."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence

from learner.models.model import Model
from learner.models.presets import Spec
from learner.refusing import check_numbers, refuse_missing
from stream.errors import RecordError
from stream.mapping import FieldMap, reader
from stream.records import UNSET, Record, decode, decode_full, decode_numbers

Entries = Sequence[tuple[int, bytes]]
"""Offsets and the records at them."""
Columns = tuple[Sequence[int], Sequence[bytes], Sequence[Record]]
"""Offsets, the records at them as they came, and decoded."""
Decode = Callable[[bytes], Record]
DecodeMany = Callable[[Sequence[bytes]], list[Record]]
"""Decodes many records at once, or raises `RecordError` where any needs a look of its own."""
Refuse = Callable[[int, bytes, RecordError], None]
Between = Callable[[int], None]
PIECE = 32
"""Records decoded at a time."""


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

    def columns(self, entries: Entries, model: Model, *, spec: Spec, refuse: Refuse) -> Columns:
        """Decode records for a model, made of `spec`; `refuse` takes each that is none."""
        offsets, values = zip(*entries, strict=True)
        read = self._many(numbers_only=model.numbers_only)
        if read is not None:
            with contextlib.suppress(RecordError):
                return offsets, values, read(values)
        found = []
        for offset, value in entries:
            try:
                found.append((offset, value, self._one(value, model, spec)))
            except RecordError as error:
                refuse(offset, value, error)
        return [o for o, _, _ in found], [v for _, v, _ in found], [r for _, _, r in found]

    def _many(self, *, numbers_only: bool) -> DecodeMany | None:
        """Return what is faster where no feature is missing, or where all are numbers.

        None for records that are mapped: these are read one by one in any case.
        """
        if self._mapping is not None:
            return None
        return decode_numbers if numbers_only else decode_full

    def _one(self, value: bytes, model: Model, spec: Spec) -> Record:
        """Decode a record that may be refused, or have a feature that is missing."""
        record = self.any(value)
        if (x := record.x) is UNSET:
            return record
        if model.numbers_only:
            check_numbers(x, spec, model.task)
        if None in x.values():
            if model.skips_missing:
                record.x = {name: each for name, each in x.items() if each is not None}
            elif model.numbers_only:
                refuse_missing(x, spec)
        return record


def pieces_of(entries: Entries) -> Iterator[Entries]:
    """Cut entries into pieces: many at once cost less, all at once leave the CPU's cache."""
    return (entries[i : i + PIECE] for i in range(0, len(entries), PIECE))


def with_breaks(pieces: Iterable[Entries], between: Between) -> Iterator[Entries]:
    """Yield the pieces, and stop before each: all records before it are learned by then."""
    for piece in pieces:
        between(piece[0][0])
        yield piece
