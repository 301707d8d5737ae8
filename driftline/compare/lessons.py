"""The labelled samples of a range, as a model takes them."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from driftline.compare.records import Records
from learner.models.model import Model
from learner.reading import Reading
from learner.refusing import WITH_TEXTS
from stream.errors import RecordError, SettingError
from stream.mapping import FieldMap
from stream.records import UNSET, Declare, Features, Label, Record, decode_command


@dataclass(slots=True)
class Lessons:
    """Features and labels side by side, in the order in which the labels came.

    `classes` are those that the stream declares before its first sample. `refused` counts
    the records that are none.
    """

    xs: list[Features] = field(default_factory=list)
    ys: list[Label] = field(default_factory=list)
    classes: Sequence[Label] | None = None
    refused: int = 0


def lessons(records: Records, mapping: FieldMap | None = None) -> Lessons:
    """Return all labelled samples of a range, partition after partition."""
    found, read = Lessons(), Reading(mapping).any
    with contextlib.closing(records.open()) as log:
        for p in records.span.start:
            asked: dict[str, Features] = {}
            if mapping is None:
                found.classes = found.classes or records.declared(log, p) or None
            for batch in records.batches(log, p):
                for _, value in batch.entries:
                    try:
                        _take(read(value), value, asked, found)
                    except RecordError:
                        found.refused += 1
    return found


def _take(record: Record, value: bytes, asked: dict[str, Features], found: Lessons) -> None:
    x, y, id_ = record.x, record.y, str(record.id)
    if record.command is not None:
        command = decode_command(value)
        if isinstance(command, Declare) and not found.xs and not asked:
            found.classes = command.classes
    elif record.forget:
        asked.pop(id_, None)
    elif y is None and x is not UNSET:
        asked[id_] = x
    elif y is not None:
        waited = asked.pop(id_, None)
        x = x if waited is None else waited
        if x is UNSET:
            raise RecordError("unknown_id", f"no sample of id {id_} waits")
        found.xs.append(x)
        found.ys.append(y)


def fitted(xs: Sequence[Features], model: Model, name: str) -> list[Features]:
    """Return features as a model is shown them.

    Raises `SettingError` for a text, where it takes none.
    """
    if model.numbers_only:
        texts = (key for x in xs for key, value in x.items() if isinstance(value, str))
        if (text := next(texts, None)) is not None:
            raise SettingError(
                f"feature {text!r} is a text, and model {name!r} takes numbers only; "
                f"{WITH_TEXTS[model.task]}"
            )
    if not model.skips_missing:
        return [*xs]
    return [{k: v for k, v in x.items() if v is not None} for x in xs]
