"""Emissions on their way into a topic: at their pace, each once, in commits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from producer.emissions import DECLARE, LABEL, QUESTION, SAMPLE, Emission
from producer.pace import Pace
from stream.errors import SettingError
from stream.records import Record, encode
from stream.topic import Topic, Writer, partition_of

BATCH, PACED_BATCH = 10_000, 1_000
"""Emissions of one commit at most, at full speed and paced."""
WITHIN, PACED_WITHIN = 0.5, 0.05
"""Seconds that an emission waits for its commit at most, at full speed and paced."""
_SLEEP = 0.1
"""Seconds slept at a time, so that a wish to stop is soon heard."""
_NEAR = 0.001
"""Seconds too short to sleep for."""
_TIMED = frozenset([SAMPLE, QUESTION, LABEL])


class Delivery:
    """What brings emissions into a topic.

    Each has a number, which the log keeps as the writer's row; `rows` are the last by
    partition. Emissions come in order and a commit is whole, so that all up to `last`, the
    highest of them, are there already, also where partitions that were added since would
    take some of them now. `sent` counts by kind what this one wrote, `resumed` what it found;
    `samples` are those of both, `pending` those that the next commit holds. `stopped` tells
    that it ended before the emissions did. `headers` are given to the first record that a
    commit brings to a partition.
    """

    def __init__(
        self,
        topic: Topic,
        writer: Writer,
        *,
        pace: Pace | None,
        stopping: Callable[[], bool],
        committed: Callable[[], None],
        clock: Callable[[], float],
        sleep: Callable[[float], None],
        now: Callable[[], float],
        headers: Mapping[str, bytes] | None = None,
    ) -> None:
        self.sent: Counter[str] = Counter()
        self.resumed, self.samples, self.stopped = 0, 0, False
        self.rows = writer.rows(topic.name)
        self.last = max(self.rows.values(), default=-1)
        self._partitions = topic.partitions
        self._new = [p for p, end in topic.end().items() if not end]
        self._topic, self._writer, self._pace = topic, writer, pace
        self._stopping, self._report = stopping, committed
        self._clock, self._sleep, self._now = clock, sleep, now
        self._batch, self._within = (PACED_BATCH, PACED_WITHIN) if pace else (BATCH, WITHIN)
        self.pending, self._since = 0, clock()
        self._headers, self._headed = headers, set[int]()

    def send(self, emissions: Iterable[Emission], first: int) -> None:
        """Write `emissions`, numbered from `first` on; all of them are committed at the end.

        Raises what the emissions raise; the ones before it are committed then.
        """
        try:
            for number, emission in enumerate(emissions, first):
                if self._stopping() or not self._one(number, emission):
                    self.stopped = True
                    break
        except SettingError:
            self._commit()
            raise
        self._commit()

    def _one(self, number: int, emission: Emission) -> bool:
        """Write one emission where it is missing; return False when asked to stop instead."""
        kind, message, key, moment = emission
        places: Sequence[int] = ()
        if number > self.last:
            whole = range(self._partitions)
            places = whole if key is None else (partition_of(key, self._partitions),)
        elif kind == DECLARE:
            # A partition that was added begins with the classes, as the others do.
            places = self._new
        if not places:
            self.resumed += 1
            if self.resumed % BATCH == 0:
                self._report()
            self.samples += kind in (SAMPLE, QUESTION)
            return True
        if self._pace and kind in _TIMED and not self._wait(self._pace, moment):
            return False
        if isinstance(message, Record) and message.ts is None and kind != LABEL:
            message.ts = self._now()
        value = encode(message)
        for p in places:
            headers = None
            if self._headers and p not in self._headed:
                headers = self._headers
                self._headed.add(p)
            self._writer.append(
                self._topic.name, value, partition=p, key=key, headers=headers, row=number
            )
        self.sent[kind] += 1
        self.samples += kind in (SAMPLE, QUESTION)
        self.pending += 1
        if self.pending >= self._batch or self._clock() - self._since > self._within:
            self._commit()
        return True

    def _wait(self, pace: Pace, moment: float | None) -> bool:
        """Sleep until the next emission is due; return False when asked to stop meanwhile."""
        now = self._clock()
        seconds = pace(now, moment)
        due = now + seconds
        while seconds > _NEAR:
            # What is pending must not wait for one that comes much later.
            if self.pending and max(seconds, now - self._since) > self._within:
                self._commit()
            else:
                self._sleep(min(seconds, _SLEEP))
            if self._stopping():
                return False
            now = self._clock()
            seconds = due - now
        return True

    def _commit(self) -> None:
        if self.pending:
            self._writer.commit()
            self.pending = 0
            self._headed.clear()
            self._report()
        self._since = self._clock()
