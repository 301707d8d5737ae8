"""Reading turns: what is there at once, else what comes, answering meanwhile who asks."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from learner.batches import joined
from learner.commits import Commits
from learner.opening import Stopping
from learner.places import Part
from stream.topic import Batch, Cursor, Topic

if TYPE_CHECKING:
    from learner.serving.clerk import Clerk

_STEP = 0.005
"""Seconds between two looks whether more of a turn has come."""
_WAIT = 0.5
"""Seconds a read waits for records before the learner looks whether it should stop."""
_LOOK = 0.003
"""Seconds between two looks for records of a learner that may be asked meanwhile."""


class Reader:
    """Reads the samples of `parts`, at most `limit` records a turn.

    Less than a turn holds is given `seconds` for more to come. With a `clerk` whoever asks
    gets an answer while records, or the end of a commit, are waited for.
    """

    def __init__(
        self,
        samples: Topic,
        parts: Mapping[int, Part],
        commits: Commits,
        clerk: Clerk | None,
        stopping: Stopping,
        *,
        limit: int,
        seconds: float,
    ) -> None:
        self._samples, self._parts = samples, parts
        self._commits, self._clerk, self._stopping = commits, clerk, stopping
        self._limit, self._seconds = limit, seconds
        self._met = False

    def read(self, cursors: Cursor) -> Sequence[Batch]:
        """Return what is there, else wait for it, with nothing under way meanwhile."""
        limit = self._limit
        batches = self._samples.read(cursors, limit=limit, wait=0)
        if not batches:
            self.settle()
            batches = self._wait_for(cursors)
        deadline = time.monotonic() + self._seconds
        while batches:
            cursors = {**cursors, **{batch.partition: batch.next for batch in batches}}
            room = limit - sum(len(batch.entries) for batch in batches)
            left = deadline - time.monotonic()
            reached = all(cursor >= self._parts[p].stop for p, cursor in cursors.items())
            if room <= 0 or left <= 0 or reached or self._stopping():
                break
            self.rest(min(left, _STEP))
            batches = joined(batches, self._samples.read(cursors, limit=room, wait=0))
        return batches

    def settle(self) -> None:
        """Wait for the commit under way, and answer meanwhile who asks."""
        if self._clerk is not None:
            self._clerk.look_up()
            while self._commits.busy:
                self._clerk.wait(_WAIT)
        self._commits.settle()

    def _wait_for(self, cursors: Cursor) -> Sequence[Batch]:
        """Return what comes within a while, and answer meanwhile who asks."""
        limit = self._limit
        if self._clerk is None or not self._met:
            # To be let in by a broker may take longer than a look.
            self._met = True
            return self._samples.read(cursors, limit=limit, wait=_WAIT)
        deadline, over = time.monotonic() + _WAIT, False
        batches: Sequence[Batch] = []
        while not batches and not over:
            self._clerk.wait(_LOOK)
            # Only one who waits looks round for a broker that is gone.
            over = time.monotonic() >= deadline
            batches = self._samples.read(cursors, limit=limit, wait=_LOOK if over else 0)
        return batches

    def rest(self, seconds: float) -> None:
        """Wait, and answer meanwhile who asks."""
        if self._clerk is None:
            time.sleep(seconds)
        else:
            self._clerk.wait(seconds)
