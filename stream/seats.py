"""The seat of one who has a group to itself."""

from __future__ import annotations

from collections.abc import Iterable

from stream.topic import Log, Share, Topic


class Alone:
    """A seat with every partition of a topic, for ever; see `stream.topic.Seat`.

    The writer has the group's name, so that of two seats the newer one fences the older
    where a writer can be fenced.
    """

    def __init__(self, log: Log, group: str, topic: Topic, *, exactly_once: bool) -> None:
        self.exactly_once = exactly_once
        self.writer = log.writer(group, atomic=exactly_once)
        self._log, self._group = log, group
        self._share = Share(0, frozenset(range(topic.partitions)))

    def share(self, *, wait: float = 0.0) -> Share:
        """Return all partitions, always in the same round."""
        return self._share

    def committed(self, partitions: Iterable[int]) -> dict[int, int]:
        """Return the cursors that the group last committed."""
        found = self._log.committed(self._group)
        return {p: found[p] for p in partitions if p in found}

    def close(self) -> None:
        """Let go of the writer."""
        self.writer.close()
