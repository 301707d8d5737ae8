"""driftline outcomes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from driftline.lines import Format, left_out, write
from driftline.options import Place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stream.topic import Topic

COLUMNS = ("offset", "of", "id", "ts", "y", "y_pred", "p_true", "p_pred", "arm", "flag")
"""Of `stream.records.Rows`, those that are written; events come after them."""


def outcomes(
    *,
    common: Place | None = None,
    name: str = "main",
    format: Format = "csv",
) -> int:
    """Write every outcome, one line each, in order, each position once.

    The columns are offset, of, id, ts, y, y_pred, p_true, p_pred, arm, flag, events; a
    topic of several partitions has the partition in front. Flags: 0 scored, 1 no guess yet,
    2 correction, 3 guess not finite. In csv a control character stands
    as Python writes it; jsonl keeps every text as it was.

    Parameters
    ----------
    name
        Name of the learner.
    format
        csv or jsonl.
    """
    return write(common, name, "outcomes", (*COLUMNS, "events"), lines, format)


def lines(topic: Topic, partition: int) -> Iterator[dict[str, Any]]:
    """Yield the outcomes of a partition, each position once, with the events that fell there.

    An event between two outcomes goes with the next one, one after the last with the last.
    What is no message of outcomes is told of, and left out.
    """
    from stream.errors import RecordError
    from stream.records import decode_outcomes

    start, stop = topic.first()[partition], topic.end()[partition]
    high = -1
    held: dict[str, Any] | None = None
    events: list[Any] = []
    for entry in topic.scan(partition, start, stop):
        try:
            message = decode_outcomes(entry.value)
        except RecordError:
            left_out(topic, partition, entry.offset, "message of outcomes")
            continue
        events += [event for event in message.events if event[0] > high]
        columns = [getattr(message.rows, name) for name in COLUMNS]
        for values in zip(*columns, strict=True):
            offset = values[0]
            if offset <= high:
                continue
            if held is not None:
                yield held
            here = [event for event in events if event[0] <= offset]
            events = [event for event in events if event[0] > offset]
            held = {**dict(zip(COLUMNS, values, strict=True)), "events": here}
        high = max(high, message.last)
    if held is not None:
        yield {**held, "events": held["events"] + events}
