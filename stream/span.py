"""A range of a topic: from which record on, and up to which, in each partition."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from stream.errors import CursorExpired, SettingError
from stream.topic import Cursor, Topic

_PLACE = re.compile(r"(?:([0-9]+):)?([0-9]+)")


@dataclass(frozen=True, slots=True)
class Span:
    """The offsets of some partitions: `start` is the first, `stop` the one after the last."""

    start: Mapping[int, int]
    stop: Mapping[int, int]

    def text(self) -> str:
        """Return the range for a person, partition by partition.

        >>> Span({0: 5, 1: 0}, {0: 9, 1: 4}).text()
        '0:5–9, 1:0–4'
        """
        return ", ".join(f"{p}:{start}–{self.stop[p]}" for p, start in self.start.items())


def offsets(text: str | None, setting: str, partitions: int) -> dict[int, int]:
    """Return the offset of each partition in `OFFSET`, or `PARTITION:OFFSET,…`.

    An offset alone is for a topic of one partition. Raises `SettingError` for anything else.

    >>> offsets("12", "--from", 1), offsets("0:12,2:7", "--to", 3)
    ({0: 12}, {0: 12, 2: 7})
    """
    found: dict[int, int] = {}
    for part in (text or "").split(",") if text is not None else ():
        place = _PLACE.fullmatch(part.strip())
        if place is None:
            raise SettingError(
                f"{setting} {text!r} must be OFFSET, or PARTITION:OFFSET with commas between"
            )
        if place[1] is None and partitions > 1:
            raise SettingError(
                f"{setting} {text!r} names no partition, and the topic has {partitions}; write "
                "PARTITION:OFFSET with commas between"
            )
        p = int(place[1] or 0)
        if p >= partitions:
            raise SettingError(
                f"{setting} {text!r} names partition {p}, and the topic has {partitions}, "
                "counted from 0"
            )
        if p in found:
            raise SettingError(f"{setting} {text!r} names partition {p} twice; take one away")
        found[p] = int(place[2])
    return found


def span(topic: Topic, begin: str | None, end: str | None) -> Span:
    """Return the range of a topic from `begin` up to, but without, `end`.

    Both as `offsets` reads them. A partition that one of the two names begins at its oldest
    record, and ends where it ends now, unless the other says otherwise; where none is named
    the range is of all partitions. Raises `SettingError` for a range that cannot be, and
    `CursorExpired` where its beginning is no longer kept.
    """
    starts = offsets(begin, "--from", topic.partitions)
    stops = offsets(end, "--to", topic.partitions)
    first, last = topic.first(), topic.end()
    partitions = sorted({*starts, *stops} or range(topic.partitions))
    found = Span(
        {p: starts.get(p, first[p]) for p in partitions},
        {p: stops.get(p, last[p]) for p in partitions},
    )
    _check(topic, found, first, last)
    return found


def _check(topic: Topic, wanted: Span, first: Cursor, last: Cursor) -> None:
    for p, start in wanted.start.items():
        stop, where = wanted.stop[p], f"{topic.name}[{p}]"
        if stop > last[p]:
            raise SettingError(
                f"--to {p}:{stop} lies beyond the end of {where}, which is {last[p]}; there is "
                "no such record yet"
            )
        if start < first[p]:
            raise CursorExpired.gap(topic.name, p, start, first[p])
        if start > stop or (start == stop and first[p] < last[p]):
            raise SettingError(
                f"--from {p}:{start} does not lie before the end of the range, {stop}; the "
                f"records of {where} go from {first[p]} to before {last[p]}"
            )
