"""What to copy of other topics and how, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from stream.classes import check_classes
from stream.errors import SettingError
from stream.mapping import FieldMap
from stream.records import Label
from stream.topic import Retention

KINDS = ("kafka:", "sqlite:")
"""How a source begins that is a topic."""
_LABEL = FieldMap(id="id", y="y", x=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """What to copy, and how.

    `source` is the address of a topic, `kafka://HOST:PORT/TOPIC`, or `sqlite:PATH` for the
    samples of another embedded log. `mapping` says what stands where in its records; None is
    for records of our own form, commands and marks among them. `labels` is the address of a
    topic whose records are labels of those samples, by `labels_mapping`; without, `id` and `y`
    stand in front. `until_end` stops at the end as it stands at the start.

    `classes` are declared to a stream that has no record yet. `partitions` and `retention`
    are for a topic that is not there yet. Raises `SettingError` for labels of samples without
    an id.
    """

    source: str
    labels: str | None = None
    mapping: FieldMap | None = None
    labels_mapping: FieldMap | None = None
    until_end: bool = False
    classes: Sequence[Label] | None = None
    partitions: int = 1
    retention: Retention = field(default_factory=Retention)

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        check_classes(self.classes)
        if self.partitions < 1:
            raise SettingError(
                f"partitions must be a whole number of 1 or more, got {self.partitions}"
            )
        if self.labels is None and self.labels_mapping is not None:
            raise SettingError("labels_mapping is for labels, and there are none; name a topic")
        if self.labels is None:
            return
        for what, mapping in (("mapping", self.mapping), ("labels_mapping", self.label_map)):
            if mapping is not None and mapping.id is None:
                raise SettingError(
                    f"labels find their samples by id, and {what} has none; give its path"
                )

    @property
    def label_map(self) -> FieldMap:
        """What stands where in the records of labels."""
        return self.labels_mapping or _LABEL


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """What one run of a copy wrote.

    `samples` are records with features, `questions` those of them without a label, `labels`
    came alone; `unmatched` of them had no sample among the last there were. `skipped` counts
    records that could not be read, by reason. `cursor` is where the next run goes on, in the
    topics of samples and labels.
    """

    source: str
    samples: int
    questions: int
    labels: int
    unmatched: int
    skipped: Mapping[str, int]
    partitions: int
    cursor: Mapping[str, Mapping[int, int]]
    seconds: float
    samples_per_second: float
    stopped: bool


def is_topic(source: str) -> bool:
    """Return whether a source is a topic.

    >>> is_topic("kafka://127.0.0.1:9092/orders"), is_topic("orders.csv")
    (True, False)
    """
    return source.startswith(KINDS)
