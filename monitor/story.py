"""What happened along the curve: true drifts, what heard them and how late, what was done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from monitor.sentences import group, sentence, short
from monitor.tally import INPUT_DRIFT, Noted
from stream.texts import shown

Placed = tuple[int, Noted]
"""An event, and its place along the curve."""
MOVED = 12
"""Features shown that have moved, at most."""
_NAME = 80


def story(events: Sequence[Placed]) -> list[dict[str, Any]]:
    """Return events in order, each with its words, and a drift with its delay.

    What inputs do is left to `moved`.

    A delay is how many rows of its partition were scored between a true drift and the first
    alarm after it; None for what is no first alarm.
    """
    delays = _delays(events)
    return [
        {
            "x": x,
            "partition": event.partition,
            "offset": event.offset,
            "kind": shown(event.kind, _NAME),
            "group": found,
            "says": sentence(event),
            "delay": delays.get(at),
        }
        for at, (x, event) in enumerate(events)
        if event.kind != INPUT_DRIFT and (found := group(event.kind))
    ]


def _delays(events: Iterable[Placed]) -> dict[int, int]:
    """Return the delay of the first alarm after each true drift, by its place in the list."""
    waiting: dict[int, int] = {}
    found = {}
    for at, (_, event) in enumerate(events):
        if event.kind == "mark":
            waiting[event.partition] = event.scored
        elif event.kind == "drift" and event.partition in waiting:
            found[at] = event.scored - waiting.pop(event.partition)
    return found


def moved(events: Sequence[Placed]) -> list[dict[str, Any]]:
    """Return which features have moved among these events: how often, and the last time.

    The one that moved last comes first; of a text, each value has a row of its own.
    """
    rows: dict[tuple[str, str | None], dict[str, Any]] = {}
    times: Counter[tuple[str, str | None]] = Counter()
    for x, event in events:
        if event.kind != INPUT_DRIFT:
            continue
        value = event.details.get("value")
        name = shown(str(event.details.get("feature")), _NAME)
        key = (name, None if value is None else shown(str(value), _NAME))
        times[key] += 1
        rows.pop(key, None)
        before, after = event.details.get("before"), event.details.get("after")
        rows[key] = {"feature": name, "value": key[1], "x": x, "offset": event.offset}
        rows[key] |= {"before": short(before), "after": short(after)}
    latest = list(reversed(rows.items()))[:MOVED]
    return [{**row, "times": times[key]} for key, row in latest]
