"""Everything a replay has to say, in order: a function of its settings and nothing else."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta
from itertools import count, islice
from typing import NamedTuple

from producer.delays import held_back
from producer.feed import Feed
from producer.schema import Row
from producer.sources.source import Mark
from stream.records import Declare, Label, Record

SHUFFLED = 100_000
"""Rows held at once while shuffling; a source with no more is shuffled as a whole."""

SAMPLE, QUESTION, LABEL, MARK, DECLARE = "sample", "question", "label", "mark", "declare"


class Emission(NamedTuple):
    """One message: `kind` is sample, question, label, mark or declare.

    Without a `key` it goes to every partition. `moment` is the event time at which it is
    due, in seconds of the epoch, where it has one.
    """

    kind: str
    message: Record | Declare | dict[str, object]
    key: bytes | None
    moment: float | None


def emissions(
    feed: Feed,
    *,
    loop: int = 1,
    limit: int | None = None,
    shuffle: bool = False,
    seed: int = 1,
    delay: int | timedelta | None = None,
    key: str | None = None,
) -> Iterator[Emission]:
    """Yield the classes, where they are known, then samples and marks, each at its place.

    With a `delay` each sample comes as a question and later as a label. `loop` is the number
    of passes, 0 for ever; `limit` the number of samples; `key` names the feature whose text
    is the key, else it is the id's.
    """
    if feed.schema.classes:
        yield Emission(DECLARE, _declare(feed.schema.classes), None, None)
    rows = islice(_passes(feed, loop, seed if shuffle else None), limit)
    key_of = _key_of(key)
    told = _labelled(rows, key_of) if delay is None else _delayed(rows, key_of, delay)
    yield from _marked(told, feed.marks)


def _declare(classes: Sequence[Label]) -> Declare:
    return Declare([label for label in classes if not isinstance(label, float)])


def _passes(feed: Feed, loop: int, seed: int | None) -> Iterator[Row]:
    """Yield the rows of every pass; each is shuffled anew."""
    for turn in range(loop) if loop else count():
        rows = feed.read()
        if seed is not None:
            from producer.sources.river import shuffle

            rows = shuffle(rows, SHUFFLED, seed + turn)
        yield from rows


def _key_of(name: str | None) -> Callable[[Row], bytes]:
    if name is None:
        return lambda row: str(row.id).encode()
    return lambda row: str(row.x.get(name)).encode()


def _labelled(rows: Iterable[Row], key_of: Callable[[Row], bytes]) -> Iterator[Emission]:
    for row in rows:
        x, y, ts, id = row
        kind = QUESTION if y is None else SAMPLE
        yield Emission(kind, Record(id, ts, x, y), key_of(row), ts)


def _delayed(
    rows: Iterable[Row], key_of: Callable[[Row], bytes], delay: int | timedelta
) -> Iterator[Emission]:
    later = delay.total_seconds() if isinstance(delay, timedelta) else None
    for row, answer in held_back(rows, delay):
        x, y, ts, id = row
        if answer:
            due = None if later is None or ts is None else ts + later
            yield Emission(LABEL, Record(id, y=y), key_of(row), due)
        else:
            yield Emission(QUESTION, Record(id, ts, x), key_of(row), ts)


def _marked(told: Iterable[Emission], marks: Sequence[Mark]) -> Iterator[Emission]:
    """Put each mark right before the sample it speaks of."""
    if not marks:
        yield from told
        return
    waiting, samples = deque(marks), 0
    for emission in told:
        if emission.kind != LABEL:
            while waiting and waiting[0].at <= samples:
                yield _mark(waiting.popleft())
            samples += 1
        yield emission


def _mark(mark: Mark) -> Emission:
    said = {"mark": "drift", "kind": mark.kind, "at": mark.at, "width": mark.width}
    return Emission(MARK, said, None, None)
