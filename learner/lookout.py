"""What may become of a topic while a learner reads it: partitions added, a name taken anew."""

from __future__ import annotations

import logging
import time

from learner.messages import Topics
from stream.errors import TopicFailed, TopicMissing, TopicTimeout
from stream.topic import Log, Retention, Topic

_log = logging.getLogger("driftline.learner")
_EVERY = 5.0
"""Seconds between two looks at the topic, at least."""
_DAY = 86_400.0
_OUTCOMES = Retention(seconds=90 * _DAY)
_SHORT = Retention(seconds=7 * _DAY)


class Lookout:
    """Looks now and then at the topic of `samples`, and keeps the learner's own as wide."""

    def __init__(self, log: Log, samples: Topic, learner: str) -> None:
        self._log, self._samples = log, samples
        self._topics = Topics.of(log.stream, learner)
        self._next = time.monotonic() + _EVERY
        self.partitions = 0
        """Partitions of the samples for which there is room in the learner's topics."""
        self._make()

    def _make(self) -> None:
        """Make the learner's topics, with a partition for each of the samples'."""
        wanted = self.partitions = self._samples.partitions
        for name, retention in (
            (self._topics.outcomes, _OUTCOMES),
            (self._topics.predictions, _SHORT),
            (self._topics.dead, _SHORT),
        ):
            made = self._log.create(name, partitions=wanted, retention=retention)
            if made.partitions < wanted:
                self._log.widen(name, wanted)

    def look(self, *, now: bool = False) -> None:
        """Look at the topic if it is time, or `now`; what has been added is made room for.

        Raises `TopicReplaced` where another topic has taken the name.
        """
        if not now and time.monotonic() < self._next:
            return
        self._next = time.monotonic() + _EVERY
        before = self.partitions
        try:
            self._samples.refresh()
        except TopicMissing as error:
            _log.warning("%s; waiting for it", error)
        except (TopicFailed, TopicTimeout):
            return  # who reads waits for the log, and says so
        if self._samples.partitions > before:
            self._make()
            _log.warning(
                "topic %s has grown from %d to %d partitions: each new one gets a model of its "
                "own from its first record on; a key may now go to another partition than "
                "before, where its past is not known",
                *(self._samples.name, before, self._samples.partitions),
            )


def replaced(samples: str, learner: str) -> str:
    """Return the sentence about a learner whose topic was deleted and made anew."""
    return (
        f"topic {samples!r} was deleted and made anew, and what learner {learner!r} has said "
        "is of the old one; go on under another --name, or delete this learner's topics as "
        "well and start it with --fresh"
    )
