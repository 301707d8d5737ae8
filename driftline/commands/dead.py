"""driftline dead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from driftline.lines import Format, left_out, write
from driftline.options import Place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stream.topic import Entry, Topic

COLUMNS = ("offset", "reason", "message", "size", "record")


def dead(*, common: Place | None = None, name: str = "main", format: Format = "csv") -> int:
    r"""Write every dead letter, one line each: what was refused, and why.

    The columns are offset (of the refused sample), reason, message, size in bytes, and the
    record itself, cut at 64 KiB, with bytes that are no text as \xNN; a topic of several
    partitions has the partition in front.

    Parameters
    ----------
    name
        Name of the learner.
    format
        csv or jsonl.
    """
    return write(common, name, "dead", COLUMNS, lines, format)


def lines(topic: Topic, partition: int) -> Iterator[dict[str, Any]]:
    """Yield the dead letters of a partition; one filed again after a restart is left out."""
    start, stop = topic.first()[partition], topic.end()[partition]
    seen: set[tuple[int, str]] = set()
    for entry in topic.scan(partition, start, stop):
        try:
            offset, reason = int(_text(entry, "offset") or -1), _text(entry, "reason")
            size = int(_text(entry, "size") or len(entry.value))
        except ValueError:
            left_out(topic, partition, entry.offset, "dead letter")
            continue
        if (offset, reason) in seen:
            continue
        seen.add((offset, reason))
        yield {
            "offset": offset,
            "reason": reason,
            "message": _text(entry, "message"),
            "size": size,
            "record": entry.value.decode(errors="backslashreplace"),
        }


def _text(entry: Entry, header: str) -> str:
    return entry.headers.get(header, b"").decode(errors="replace")
