"""A mapping, held against real records: what it names that none of them has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress

from driftline.doctor.finding import Finding, warn
from stream.errors import RecordError
from stream.mapping import FieldMap, reader
from stream.records import UNSET, Features
from stream.sought import Sought
from stream.topic import Entry

_LOST = {
    "id": "a learner refuses such records",
    "ts": "they have no event time",
    "y": "all are questions, unless labels come later",
    "x": "it brings no feature",
    "drop": "it leaves nothing out",
}
"""What becomes of records in which a part is nowhere."""


def unfound(mapping: FieldMap, entries: Sequence[Entry]) -> Iterator[Finding]:
    """Warn of what the mapping names and none of the entries has."""
    sought, samples = Sought(mapping), list[Features]()
    read = reader(mapping, sought.look)
    for entry in entries:
        with suppress(RecordError):
            if (x := read(entry.value).x) is not UNSET:
                samples.append(x)
    for part, path, there in sought.unfound():
        yield warn(
            f"{part}: none of the last {sought.objects} records has {path!r}, so {_LOST[part]}",
            f"correct the path, if that is not meant; {there}",
        )
    yield from _of_features(mapping, samples)


def _of_features(mapping: FieldMap, samples: Sequence[Features]) -> Iterator[Finding]:
    if samples and not any(samples):
        yield warn(
            f"none of the last {len(samples)} samples has a feature",
            "correct x and drop of the mapping; there is nothing to learn from",
        )
    elif samples:
        for old, new in mapping.rename.items():
            if not any(new in x for x in samples):
                yield warn(
                    f"rename: none of the last {len(samples)} samples has a feature {old!r}",
                    "correct its name; the features of a record are shown above",
                )
