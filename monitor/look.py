"""What outcomes do not tell: how far the samples reach, and what a learner takes up."""

from __future__ import annotations

import contextlib
import logging
import math
from collections.abc import Callable, Mapping

from monitor.board import Board
from monitor.lately import Miss, Mistake, features
from monitor.resources import about_of, resources_of
from stream.errors import RecordError, TopicMissing, TopicReplaced, TopicTimeout
from stream.records import decode
from stream.topic import Cursor, Entry, Log, Topic, group_of, samples_of, topic_of

lines = logging.getLogger(__name__)

SPENT = 0.2
"""Seconds of one look after which no further sample is asked for; each may take a consumer."""
WITHIN = 1.0
"""Seconds in which one sample must come."""
REST = 20.0
"""Seconds without looking for samples, after one that did not come."""


class Look:
    """Looks, beside the outcomes of one learner, at the newest records, now and then.

    Headers are read of the newest outcomes alone: with all of them every row would pay.
    """

    def __init__(self, log: Log, name: str, clock: Callable[[], float]) -> None:
        self.name, self._clock = name, clock
        self._log = log
        self._source = samples_of(log.stream)
        self._samples: Topic | None = None
        self._told: dict[int, int] = {}
        self._dated: dict[int, int] = {}
        self._mistakes: dict[Miss, Mistake] = {}
        self._rests_until = -math.inf

    def around(self, board: Board, topic: Topic, cursor: Cursor, *, idle: bool) -> None:
        """Tell a board that has read `topic` up to `cursor`; `idle` when nothing had come."""
        for partition, place in cursor.items():
            if self._told.get(partition) == place:
                continue
            self._told[partition] = place
            if newest := topic.newest(partition):
                self.at(board, partition, newest, place)
        with contextlib.suppress(TopicMissing):
            self._samples = self._fresh(self._samples) or self._log.topic(self._source)
            ends = self._samples.end()
            board.look(lag=self._lag(board, self._samples, ends, cursor, idle=idle))
            self._look_at_event_time(board, self._samples, ends)

    def into(self, board: Board, *, seconds: float = SPENT) -> None:
        """Show a board's last mistakes with the features of their samples.

        Samples are looked for as long as `seconds` have not gone by; the rest is left for the
        next time, and that comes later where the log does not answer: the figures go on.
        Of somebody else's topic only the learner can read the records.
        """
        ours = self._source == samples_of(self._log.stream)
        samples = self._samples if ours else None
        known, self._mistakes = self._mistakes, {}
        until = self._clock() + seconds
        for miss in board.misses():
            found = known.get(miss, Mistake(miss, None, looked=samples is None))
            if samples and not found.looked and self._may(until):
                found = self._sample(samples, found)
            self._mistakes[miss] = found
        board.look(mistakes=[*self._mistakes.values()])

    def _may(self, until: float) -> bool:
        return self._rests_until <= self._clock() <= until

    def _sample(self, samples: Topic, mistake: Mistake) -> Mistake:
        try:
            return Mistake(mistake.miss, features(samples, mistake.miss, within=WITHIN))
        except TopicTimeout as error:
            lines.info("learner=%s sample=none why=%r", self.name, str(error))
            self._rests_until = self._clock() + REST
            return mistake

    @staticmethod
    def _fresh(samples: Topic | None) -> Topic | None:
        """Return a topic as it is by now, or None if another has taken its name."""
        with contextlib.suppress(TopicReplaced):
            if samples is not None:
                samples.refresh()
            return samples
        return None

    def at(self, board: Board, partition: int, newest: Entry, place: int) -> None:
        """Tell a board what the headers of the newest outcomes before `place` say."""
        self._told[partition] = place
        source = newest.headers.get("topic", b"").decode(errors="replace")
        if source and source != self._source:
            self._source, self._samples = source, None
        if about := about_of(newest.headers):
            board.look(about=about)
        try:
            if found := resources_of(newest.headers):
                board.look(resources={partition: found})
        except RecordError as error:
            self.refuse(board, partition, newest.offset, error)

    def refuse(self, board: Board, partition: int, offset: int, error: RecordError) -> None:
        """Count outcomes that cannot be read, and say which and why."""
        board.refused += 1
        place = topic_of(self._log.stream, self.name, "outcomes")
        lines.warning("refused=%s[%d]@%d why=%r", place, partition, offset, str(error))

    def _look_at_event_time(self, board: Board, samples: Topic, ends: Cursor) -> None:
        """Learn the event time of the newest sample of each partition that has moved."""
        if self._source != samples_of(self._log.stream):
            return  # somebody else's topic, whose records only its learner can read
        for partition, end in ends.items():
            if board.resources(partition).event_time is None:
                continue
            if self._dated.get(partition) == end:
                continue
            self._dated[partition] = end
            # What is no record has no time; the learner will say why.
            with contextlib.suppress(RecordError):
                newest = samples.newest(partition)
                if newest and (ts := decode(newest.value).ts) is not None:
                    board.look(newest={partition: ts})

    def _lag(
        self, board: Board, samples: Topic, ends: Cursor, cursor: Cursor, *, idle: bool
    ) -> Mapping[int, int]:
        first = samples.first()
        done = {}
        for p in cursor:
            last = board.place(p)
            done[p] = first.get(p, 0) if last is None else last + 1
        if idle and any(done[p] < ends.get(p, 0) for p in done):
            # Where offsets are taken up by a transaction's end no outcome can account for
            # them; the cursor that the learner commits steps over them.
            for p, committed in self._log.committed(
                group_of(self._log.stream, self.name)
            ).items():
                done[p] = max(done.get(p, 0), committed)
        return {p: max(0, ends[p] - done[p]) for p in cursor if p in ends}
