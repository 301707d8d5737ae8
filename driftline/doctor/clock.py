"""Whether the clocks that meet in a stream agree."""

from __future__ import annotations

import datetime
import time
from collections.abc import Iterator

from driftline.doctor.finding import Case, Finding, Skipped, failed, ok, warn
from driftline.doctor.topics import newest, read
from stream.errors import RecordError

_BORN = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC).timestamp()
"""No clock is right that shows a time before this was written."""
_DAY = 86_400.0
_SKEW = 1.0
"""Seconds by which clocks may disagree before there is a warning."""
_AHEAD = 60.0
"""Seconds by which a record's time may lie before us in the future."""


def clock(case: Case) -> Iterator[Finding]:
    """Look at this machine's clocks, then at the times in the newest records."""
    began = time.monotonic()
    time.sleep(0.01)
    if time.monotonic() <= began:
        yield failed("the monotonic clock stands still", "look after the machine")
    now = time.time()
    shown = datetime.datetime.fromtimestamp(now, datetime.UTC).isoformat(timespec="seconds")
    if now < _BORN:
        yield failed(f"the clock shows {shown}", "set the clock")
    else:
        yield ok(f"the clock shows {shown}")
    yield from _records(case, now)
    if case.on_kafka:
        yield from _broker(case, now)


def _broker(case: Case, now: float) -> Iterator[Finding]:
    """Look at the time that the broker gave the newest commit, by its own clock."""
    from stream.kafka import KafkaLog
    from stream.kafka_marks import last_mark

    try:
        log, samples = case.reached(), case.samples()
    except Skipped:
        return
    if not isinstance(log, KafkaLog):
        return
    ends = samples.end()
    found = [last_mark(log.cluster, samples.name, p, ends[p]) for p in ends]
    marks = [mark for mark in found if mark is not None]
    if not marks:
        return
    newest = max(marks, key=lambda mark: mark.committed)
    ahead, behind = newest.committed - now, newest.written - newest.committed
    advice = "set the clocks of brokers, writers and this machine by one source (NTP)"
    if ahead > _SKEW:
        yield warn(f"the broker's clock is {ahead:.1f} s or more ahead of this one", advice)
    elif behind > _SKEW:
        yield warn(f"the broker's clock is {behind:.1f} s or more behind the writer's", advice)
    else:
        yield ok("the broker's clock shows nothing later than this one, nor before a writer's")


def _records(case: Case, now: float) -> Iterator[Finding]:
    try:
        tail = newest(case.samples())
    except Skipped:
        return
    if not tail:
        return
    stored = max(entry.timestamp for entry in tail)
    if stored > now + _AHEAD:
        yield warn(
            f"the newest record was stored {stored - now:.0f} s in the future",
            "set the clocks of the writer, the broker and this machine",
        )
    else:
        yield ok(f"the newest record was stored {now - stored:.0f} s ago")
    events = []
    for entry in tail:
        try:
            record = read(case, entry)
        except RecordError:
            continue
        if record.ts is not None:
            events.append(record.ts)
    if not events:
        return
    skew = now - max(events)
    if abs(skew) > _DAY:
        side = "before" if skew > 0 else "after"
        yield warn(
            f"the newest event time is {abs(skew) / _DAY:,.1f} days {side} now",
            "nothing for a replay of old data; else mend the clock or unit of what writes ts",
        )
    else:
        yield ok(f"the newest event time is {skew:.0f} s ago")
