"""Follow the outcomes of some learners: catch up from behind, then read on as they come."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Sequence

from monitor.board import Board
from monitor.look import Look
from monitor.past import Past
from monitor.tally import Tally
from stream.errors import (
    CursorExpired,
    RecordError,
    TopicMissing,
    TopicReplaced,
    TopicTimeout,
)
from stream.records import Outcomes, decode_outcomes
from stream.topic import Entry, Log, Topic, topic_of

lines = logging.getLogger(__name__)

LIMIT = 64
"""Messages read at once, at most; each has up to 512 KiB."""
FIRST_STEP = 8
"""Messages that the first step backwards takes; each further step reaches four times as far."""
LOOK = 1.0
"""Seconds between two looks at the samples' end."""
REMIND = 5.0
"""Seconds between two lines about the same thing that is waited for."""

Clock = Callable[[], float]


class Follower:
    """Keeps the boards of some learners up to date; `step` is to be called again and again.

    `clock` is in seconds and never goes back, `hour` in seconds of the epoch; `pause` waits
    for some seconds, while no topic is there that could be waited on.

    Begun at any time it shows what one that never ended shows, but for rate and lag. Only
    beside a learner that says again what it said before its crash (which it does where the
    log is not `exactly_once`) a monitor begun then shows the repeated place, until the
    learner is beyond where it was.
    """

    def __init__(
        self,
        log: Log,
        names: Sequence[str],
        windows: Sequence[int],
        *,
        clock: Clock = time.monotonic,
        hour: Clock = time.time,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self.watched: Callable[[], bool] = lambda: False
        """Whether somebody looks at more than the figures: at the whole curve, at samples."""
        self._trails = [
            Trail(log, name, windows, clock, hour, lambda: self.watched()) for name in names
        ]
        self.stream = log.stream
        self._clock, self._pause = clock, pause
        self._reminded: float | None = None

    @property
    def boards(self) -> list[Board]:
        """The boards, in order of the names; a board may be replaced by a newer one."""
        return [trail.board for trail in self._trails]

    @property
    def caught_up(self) -> dict[str, bool]:
        """Whether each learner's outcomes have been read to their end once."""
        return {trail.name: trail.caught_up for trail in self._trails}

    @property
    def recalled(self) -> list[float]:
        """How much of each learner's past has been read for the curve, from 0 to 1."""
        return [trail.past.read if trail.past else 0.0 for trail in self._trails]

    def catch_up(self) -> None:
        """Read as much as the figures need, up to the end as it stands now.

        Raises `TopicMissing` when a learner has no outcomes yet.
        """
        for trail in self._trails:
            trail.catch_up()

    def recall(self) -> None:
        """Read all of the past that is kept, for the curve, and the samples of mistakes."""
        for trail in self._trails:
            trail.recall()

    def step(self, wait: float = 0.0) -> int:
        """Take in what has come and return how many messages that was.

        Waits up to `wait` seconds for the first. A topic that is missing, or a log that does
        not answer, is tried again at the next step, with a line now and then.
        """
        taken = 0
        for trail in self._trails:
            try:
                taken += trail.step(wait / len(self._trails))
            except (TopicMissing, TopicTimeout) as error:
                self._remind(error)
                self._pause(wait / len(self._trails))
        return taken

    def _remind(self, error: Exception) -> None:
        now = self._clock()
        if self._reminded is None or now - self._reminded >= REMIND:
            self._reminded = now
            lines.info("waiting for=%r", str(error))


class Trail:
    """One learner's outcomes: where we stand in them, and the board they fill."""

    def __init__(
        self,
        log: Log,
        name: str,
        windows: Sequence[int],
        clock: Clock,
        hour: Clock,
        watched: Callable[[], bool],
    ) -> None:
        self.name, self.caught_up = name, False
        self.past: Past | None = None
        self._watched = watched
        self._log, self._windows, self._clock, self._hour = log, windows, clock, hour
        self._topic: Topic | None = None
        self._cursor: dict[int, int] = {}
        self._looked: float | None = None
        self._looks = Look(log, name, clock)
        self.board = Board(log.stream, name, windows, clock=clock)

    def step(self, wait: float) -> int:
        """Take in what has come; return how many messages that was."""
        topic = self._topic or self.catch_up()
        past = self.past if self.past and self.past.left and self._watched() else None
        try:
            batches = topic.read(self._cursor, limit=LIMIT, wait=0.0 if past else wait)
        except (CursorExpired, TopicReplaced) as error:
            self._start_over(str(error))
            return 0
        taken = 0
        for partition, entries, following in batches:
            for offset, value in entries:
                if outcomes := self._decode(self.board, partition, offset, value):
                    self.board.feed(partition, outcomes)
            if entries:
                self.board.look(seen_at={partition: self._hour()})
            self._cursor[partition] = following
            taken += len(entries)
        if self._looked is None or self._clock() - self._looked >= LOOK:
            self._look(topic, idle=not taken)
        if past:
            past.step()
        return taken

    def recall(self) -> None:
        """Read the whole past."""
        while self.past and self.past.left:
            self.past.step()
        self._looks.into(self.board, seconds=math.inf)

    def catch_up(self) -> Topic:
        """Fill a blank board with as little of the topic's past as gives the same figures."""
        topic = self._log.topic(topic_of(self._log.stream, self.name, "outcomes"))
        board = Board(self._log.stream, self.name, self._windows, clock=self._clock)
        cursor = topic.end()
        board.expect(cursor)
        for partition, end in cursor.items():
            for message in self._tail(topic, board, partition, end):
                board.feed(partition, message, live=False)
        self.board, self._cursor, self._topic = board, cursor, topic
        self.past = Past(topic, cursor, board)
        if not self.caught_up:
            lines.info("learner=%s caught_up=true partitions=%d", self.name, topic.partitions)
        self.caught_up = True
        self._look(topic, idle=True)
        return topic

    def _tail(self, topic: Topic, board: Board, partition: int, end: int) -> list[Outcomes]:
        """Return the messages up to `end` that fill the longest window, if so many are kept.

        The cumulative figures stand in the newest totals, and so need no reading back.
        """
        messages: list[Outcomes] = []
        newest: Entry | None = None
        start, reach = end, FIRST_STEP
        while True:
            stop, start = start, max(topic.first()[partition], end - reach)
            try:
                older = list(topic.scan(partition, start, stop)) if start < stop else []
            except CursorExpired:
                start = stop  # retention was quicker: ask again what the oldest is
                continue
            found = [self._decode(board, partition, it.offset, it.value) for it in older]
            messages[:0] = [outcomes for outcomes in found if outcomes]
            newest = newest or (older[-1] if older else None)
            trial = Tally(partition, max(self._windows))
            for message in messages:
                trial.feed(message)
            if start <= topic.first()[partition] or len(trial.window) == trial.window.longest:
                break
            reach *= 4
        if newest:
            board.look(seen_at={partition: newest.timestamp})
            self._looks.at(board, partition, newest, end)
        return messages

    def _decode(
        self, board: Board, partition: int, offset: int, value: bytes
    ) -> Outcomes | None:
        try:
            return decode_outcomes(value)
        except RecordError as error:
            self._looks.refuse(board, partition, offset, error)
            return None

    def _look(self, topic: Topic, *, idle: bool) -> None:
        """Learn what outcomes do not tell: how far the samples reach."""
        try:
            topic.refresh()
        except TopicReplaced as error:
            self._start_over(str(error))
            return
        # Partitions that came later are read from their first record on.
        ends = topic.end()
        self._cursor |= {p: 0 for p in ends if p not in self._cursor}
        self.board.expect(self._cursor)
        # A topic made anew gives nothing where the old one had come to.
        if idle and any(end < self._cursor[p] for p, end in ends.items()):
            self._start_over("the topic was made anew")
            return
        self._looks.around(self.board, topic, self._cursor, idle=idle)
        if self._watched():
            self._looks.into(self.board)
        # After the answer: one that is slow to come leaves time to read.
        self._looked = self._clock()

    def _start_over(self, why: str) -> None:
        lines.warning("learner=%s starting_over=%r", self.name, why)
        self._topic = None
        self._looks = Look(self._log, self.name, self._clock)
