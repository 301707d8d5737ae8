"""driftline predictions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from driftline.lines import Format, left_out, write
from driftline.options import Place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stream.topic import Topic

COLUMNS = ("offset", "id", "y_pred", "p", "at")


def predictions(
    *, common: Place | None = None, name: str = "main", format: Format = "csv"
) -> int:
    """Write every answer to a question, one line each, in order, each question once.

    The columns are offset (of the answer), id, y_pred, p and at, which says where the question
    stands; a topic of several partitions has the partition in front.

    Parameters
    ----------
    name
        Name of the learner.
    format
        csv or jsonl.
    """
    return write(common, name, "predictions", COLUMNS, lines, format)


def lines(topic: Topic, partition: int) -> Iterator[dict[str, Any]]:
    """Yield the answers of a partition; one given again after a restart is left out.

    What is no answer is told of, and left out.
    """
    start, stop = topic.first()[partition], topic.end()[partition]
    seen: set[str] = set()
    for entry in topic.scan(partition, start, stop):
        try:
            found = json.loads(entry.value)
            at = found["at"]
        except (ValueError, LookupError, TypeError):
            left_out(topic, partition, entry.offset, "answer")
            continue
        if at not in seen:
            seen.add(at)
            values = {"offset": entry.offset, **found}
            yield {column: values.get(column) for column in COLUMNS}
