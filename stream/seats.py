"""The seat of one who has a group to itself."""

from __future__ import annotations

from collections.abc import Iterable

from stream.topic import Crew, Log, Share, Topic


class Alone:
    """A seat with every partition of a topic, for ever; see `stream.topic.Seat`.

    Or with those of its place in a `crew`. The writer has the group's name, so that of two
    seats the newer one fences the older where a writer can be fenced.
    """

    def __init__(
        self, log: Log, group: str, topic: Topic, *, exactly_once: bool, crew: Crew | None
    ) -> None:
        self.exactly_once = exactly_once
        claim = crew.claim if crew is not None else None
        self.writer = log.writer(group, atomic=exactly_once, claim=claim)
        self._log, self._group, self._topic = log, group, topic
        self._first, self._step = (crew.worker, crew.workers) if crew is not None else (0, 1)

    def share(self, *, wait: float = 0.0) -> Share:
        """Return the partitions that the topic has by now; a round ends when some come."""
        count = self._topic.partitions
        return Share(count, frozenset(range(self._first, count, self._step)))

    def committed(self, partitions: Iterable[int]) -> dict[int, int]:
        """Return the cursors that the group last committed."""
        found = self._log.committed(self._group)
        return {p: found[p] for p in partitions if p in found}

    def close(self) -> None:
        """Let go of the writer."""
        self.writer.close()
