"""The outcomes that a monitor has not read as they came, told to a board bit by bit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice

from monitor.board import Board
from monitor.tally import Tally
from stream.errors import CursorExpired, RecordError
from stream.records import Outcomes, decode_outcomes
from stream.topic import Entry, Topic

MESSAGES = 16
"""Messages of one step; each has a turn's rows, or 512 KiB."""


class Past:
    """Reads a topic from its oldest message up to `stop`, in order, for the board's curve.

    A message that cannot be read is passed over; whoever reads the newest ones counts it.
    """

    def __init__(self, topic: Topic, stop: Mapping[int, int], board: Board) -> None:
        self._topic, self._board = topic, board
        self._first, self._stop = topic.first(), dict(stop)
        self._at = {p: min(self._first.get(p, 0), end) for p, end in self._stop.items()}
        self._tallies: dict[int, Tally] = {}
        self._entries: Iterator[Entry] | None = None

    @property
    def read(self) -> float:
        """How much of it has been read, from 0 to 1."""
        whole = sum(end - min(self._first.get(p, 0), end) for p, end in self._stop.items())
        left = sum(end - self._at[p] for p, end in self._stop.items())
        return 1.0 if not whole else 1 - left / whole

    @property
    def left(self) -> bool:
        """Whether there is something left to read."""
        return any(self._at[p] < end for p, end in self._stop.items())

    def step(self) -> None:
        """Read a little more. Raises `TopicTimeout`; the next step then tries again."""
        partition = next((p for p, end in self._stop.items() if self._at[p] < end), None)
        if partition is None:
            return
        stop = self._stop[partition]
        # One way through a partition: on Kafka each is a connection of its own.
        entries, self._entries = self._entries, None
        entries = entries or self._topic.scan(partition, self._at[partition], stop)
        try:
            some = list(islice(entries, MESSAGES))
        except CursorExpired:
            self._at[partition] = min(self._topic.first()[partition], stop)
            return
        for entry in some:
            if outcomes := _decoded(entry):
                self._tell(partition, outcomes)
        if len(some) < MESSAGES or some[-1].offset + 1 >= stop:
            self._at[partition] = stop
        else:
            self._at[partition], self._entries = some[-1].offset + 1, entries

    def _tell(self, partition: int, outcomes: Outcomes) -> None:
        # One row is enough: the curve takes what each turn adds, and no window.
        tally = self._tallies.setdefault(partition, Tally(partition, 1))
        before = tally.totals
        noted = tally.feed(outcomes)
        if tally.totals is before:
            return
        self._board.recall(tally, noted)


def _decoded(entry: Entry) -> Outcomes | None:
    try:
        return decode_outcomes(entry.value)
    except RecordError:
        return None
