"""What a learner has said, one line each: as CSV, or as JSON lines."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal

from driftline.console import set_up_logging, tell
from driftline.options import Place
from driftline.settings import open_stream
from stream.texts import escaped

if TYPE_CHECKING:
    from stream.topic import Topic

Format = Literal["csv", "jsonl"]
Line = dict[str, Any]


def write(
    common: Place | None,
    name: str,
    kind: str,
    columns: Sequence[str],
    lines: Callable[[Topic, int], Iterator[Line]],
    form: Format,
) -> int:
    """Write all that a learner has said of one kind, partition by partition.

    `lines` gives those of a partition, each with all `columns`; a topic of several has the
    partition in front. Raises `SettingError` where there is no such learner's name, or log.
    """
    from stream.topic import check_name, topic_of

    common = common or Place()
    set_up_logging(verbose=common.verbose)
    check_name(name, "learner")
    log = open_stream(common.address, create=False)
    try:
        topic = log.topic(topic_of(log.stream, name, kind))
        front = ("partition",) if topic.partitions > 1 else ()
        put = _csv((*front, *columns)) if form == "csv" else _jsonl
        for partition in range(topic.partitions):
            for line in lines(topic, partition):
                put({"partition": partition, **line} if front else line)
    finally:
        log.close()
    return 0


def left_out(topic: Topic, partition: int, offset: int, what: str) -> None:
    """Say that a message is not of the kind that a learner writes there."""
    tell(f"driftline: {topic.name}[{partition}]@{offset} is no {what}, and left out")


def _csv(columns: Sequence[str]) -> Callable[[Line], None]:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(columns)

    def put(line: Line) -> None:
        writer.writerow([_field(line[name]) for name in columns])

    return put


def _field(value: Any) -> Any:
    """Return a value as it stands in CSV; what has parts stands there as JSON, if any."""
    if value is None:
        return ""
    if isinstance(value, str):
        # A terminal obeys what stands in an id, and a line may not break within one.
        return escaped(value)
    if isinstance(value, list | dict):
        return json.dumps(value) if value else ""
    return json.dumps(value) if isinstance(value, bool) else value


def _jsonl(line: Line) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
