"""A seat's work: read a turn, learn it, say it, and from time to time save the state."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from learner.batches import since, until
from learner.breaker import Breaker
from learner.checkpoint import Checkpoints
from learner.commits import Commits
from learner.config import Config
from learner.counts import Counts
from learner.keys import key_of
from learner.lookout import Lookout
from learner.messages import Topics
from learner.opening import Stopping
from learner.places import Places
from learner.reader import Reader
from learner.run import Run
from learner.saves import Saves
from learner.summary import Summary, summarize
from learner.telling import Teller
from stream.errors import BreakerOpen, SeatLost
from stream.span import Span
from stream.topic import Batch, Cursor, Log, Topic, group_of

if TYPE_CHECKING:
    from learner.serving.clerk import Clerk
    from learner.serving.desk import Desk

_WAIT = 0.5
"""Seconds for which a share is waited for before the learner looks whether to stop."""
_LONGEST_WAIT = 4.0
"""Such seconds where the group is slow to share out."""
_UNREST = 30.0
"""Seconds in which a group comes to rest, or a seat in it is given up for another."""

Moved = Callable[[Cursor], None]


class Work:
    """One run: the partitions, and the turn that brings them on together."""

    def __init__(
        self,
        log: Log,
        samples: Topic,
        config: Config,
        run: Run,
        span: Span | None,
        end: Cursor,
        stopping: Stopping,
        moved: Moved,
        desk: Desk | None,
        counts: Counts,
    ) -> None:
        self._log, self._samples, self._how = log, samples, run
        self._end = end
        self._stopping, self._moved = stopping, moved
        self._started: float | None = None
        self._topics = Topics.of(log.stream, run.name)
        self._group = group_of(log.stream, run.name)
        self._seconds, self._counts = 0.0, counts
        self._lookout = Lookout(log, samples, run.name)
        key = key_of(run.state, run.key_file, anew=run.rebuild or run.fresh)

        def store(p: int) -> Checkpoints:
            return Checkpoints.at(
                *(run.state, log.stream, run.name, p, samples.identity, key),
                any_version=run.accept_versions,
            )

        # The seat first: from here on no other of this name can move the cursors.
        once = run.delivery == "exactly-once"
        self._seat = log.join(
            self._group, samples, member=run.member, exactly_once=once, crew=run.crew
        )
        counts.joined()
        self._writer = self._seat.writer
        over = desk.wake if desk else None
        self._commits = Commits(self._writer, self._committed, over)
        self._teller = Teller(samples, self._topics, self._writer, counts)
        self._places = Places(
            log,
            samples,
            self._seat,
            self._lookout,
            config,
            store,
            end,
            counts,
            span=span,
            rebuild=run.rebuild,
            fresh=run.fresh,
        )
        self._parts = self._places.parts
        self._saves = Saves(log, self._group, self._seat, counts)
        self._desk, self._clerk = desk, self._clerk_at(desk)
        self._breaker = Breaker(run.breaker, desk)
        self._reader = Reader(
            samples,
            self._parts,
            self._commits,
            self._clerk,
            stopping,
            limit=run.turn,
            seconds=run.turn_seconds,
        )

    def _clerk_at(self, desk: Desk | None) -> Clerk | None:
        if desk is None:
            return None
        from learner.serving.clerk import Clerk

        return Clerk(
            desk,
            self._log,
            self._topics.predictions,
            lambda: {p: part.learner for p, part in self._parts.items()},
            lambda: self._samples.partitions,
        )

    @property
    def begun(self) -> bool:
        """Whether partitions were taken up; from then on nothing is rebuilt or made fresh."""
        return self._places.begun

    def _look(self) -> bool:
        """Hear which partitions are ours by now; return whether that is known.

        Only with nothing under way. Waits while the group shares partitions out, unless the
        learner is to stop.
        """
        self._lookout.look()
        wait, deadline = _WAIT, time.monotonic() + _UNREST
        while (share := self._seat.share(wait=wait)) is None:
            if self._stopping():
                return False
            # Members may push each other out of every round; who comes anew breaks the tie.
            if time.monotonic() > deadline:
                raise SeatLost(f"{self._how.name!r} has not come to rest within {_UNREST:g} s")
            # What a slow group begins within a wait, and does not end, is begun anew.
            wait = min(2 * wait, _LONGEST_WAIT)
        self._places.take(share)
        # Who asks need not wait for the next record to hear whose a partition is.
        self._show()
        return True

    def _show(self) -> None:
        """Let who answers questions know the partitions, and how far each is."""
        if self._clerk is not None:
            self._clerk.know({p: part.said for p, part in self._parts.items()})

    def run(self) -> Summary:
        """Take turns until told to stop, then save and sum up."""
        with contextlib.closing(self._seat), self._commits:
            if self._look():
                self._done({p: part.learner.cursor for p, part in self._parts.items()})
                self._turns()
            if self._desk is not None:
                self._desk.close()
            self._save()
        new = sum(part.learner.totals.samples - part.before for part in self._parts.values())
        learners = [part.learner for part in self._parts.values()]
        return summarize(learners, self._seconds, new)

    def _turns(self) -> None:
        while not self._stopping():
            if self._paused():
                continue
            cursors = {p: part.learner.cursor for p, part in self._parts.items()}
            cursors = {p: c for p, c in cursors.items() if not self._parts[p].over}
            if not cursors and self._ended():
                return
            if batches := self._reader.read(cursors):
                self._started = self._started or time.monotonic()
                self._turn(batches)
                if self._saves.due:
                    self._save()
            else:
                self._look()

    def _paused(self) -> bool:
        """Wait for a while if the breaker is open; return whether it is.

        Who only replays goes on: that was let through before.
        """
        judged = {
            p: part.learner.recent
            for p, part in self._parts.items()
            if not part.over and part.learner.cursor >= part.said
        }
        why = self._breaker.why(judged)
        if why is None:
            return False
        self._reader.settle()
        if self._breaker.say(why):
            self._save()
        if self._how.until_end:
            raise BreakerOpen(why)
        self._reader.rest(_WAIT)
        self._look()
        return True

    def _ended(self) -> bool:
        """Return whether all is done; who has no partition waits for those who have."""
        if not self._how.until_end:
            return False
        if self._parts:
            return True
        committed = self._seat.committed(self._end)
        return all(committed.get(p, 0) >= stop for p, stop in self._end.items())

    def _turn(self, batches: Sequence[Batch]) -> None:
        """Learn some batches, and begin to commit what came of them with the cursors after.

        The commit before has the time of the learning to come to its end.
        """
        told = []
        self._counts.began(sum(len(batch.entries) for batch in batches))
        for batch in batches:
            part = self._parts[batch.partition]
            batch = until(batch, part.stop)
            silent, spoken = until(batch, part.said), since(batch, part.said)
            learner = part.learner
            between = self._clerk.between(batch.partition) if self._clerk else None
            if silent.next > learner.cursor:
                learner.learn(silent, between=between)
                self._counts.replayed(len(silent.entries))
                if learner.cursor >= part.said:
                    self._saves.hurry()  # so that a crash need not replay this again
            # What a replay comes to may be what its learner was paused at.
            if spoken.next > learner.cursor and not self._breaker.open(learner.recent):
                began = time.perf_counter()
                turn = learner.learn(spoken, answer=self._how.answer, between=between)
                told.append((part, spoken, turn, time.perf_counter() - began))
            batch = until(batch, learner.cursor)  # where a breaker opened, less than all
            part.store.note(batch.entries)
            if self._clerk and batch.entries:
                self._clerk.note(batch, learner.reading.any)
        self._reader.settle()
        if not self._look():
            return
        told = [each for each in told if self._parts.get(each[0].learner.partition) is each[0]]
        reached = {p: part.learner.cursor for p, part in self._parts.items()}
        if not told:
            self._counts.done(None)
            self._done(reached)
            return
        commit = self._commits.seconds
        for part, batch, turn, seconds in told:
            paused = self._breaker.open(part.learner.recent)
            self._teller.tell(part, batch, turn, seconds, commit=commit, paused=paused)
        # One partition may still replay while another speaks: its cursor must not go back.
        self._commits.start({p: part.spoken for p, part in self._parts.items()}, reached)

    def _committed(self, reached: Cursor) -> None:
        self._counts.done(self._commits.seconds)
        self._done(reached)

    def _done(self, reached: Cursor) -> None:
        """Note how far all is committed."""
        if self._started is not None:
            self._seconds = time.monotonic() - self._started
        for p, cursor in reached.items():
            part = self._parts[p]
            part.said = max(part.said, cursor)
        self._show()
        self._moved(reached)

    def _save(self) -> None:
        """Save every partition that has moved, with nothing under way."""
        self._reader.settle()
        self._saves.save(self._parts)
