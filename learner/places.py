"""The partitions that are a learner's own by now, and their state."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from learner.checkpoint import Checkpoints
from learner.config import Config
from learner.counts import Counts
from learner.learner import Learner
from learner.lookout import Lookout
from learner.progress import Progress
from learner.start import begin
from stream.span import Span
from stream.topic import Cursor, Log, Seat, Share, Topic

_log = logging.getLogger("driftline.learner")


@dataclass
class Part:
    """A partition at work."""

    learner: Learner
    store: Checkpoints
    said: int
    """Up to here all was said and committed; a learner behind it replays in silence."""
    stop: float
    progress: Progress
    parameters: int | None
    """Numbers that the model of the newest checkpoint held."""
    before: int
    """Samples that the learner had taken before it came here."""

    @property
    def spoken(self) -> int:
        """Up to where outcomes have been said; a replay lies behind it."""
        return max(self.learner.cursor, self.said)

    @property
    def over(self) -> bool:
        """Whether the learner stands where it should stop."""
        return self.learner.cursor >= self.stop


class Places:
    """The `parts` of a learner, as its seat's share has them; `store` gives checkpoints.

    With a `span` only its partitions are taken up, each from its start on. With `rebuild` or
    `fresh` the partitions of the first share begin in that way; those that
    come later are other learners' work.
    """

    def __init__(
        self,
        log: Log,
        samples: Topic,
        seat: Seat,
        lookout: Lookout,
        config: Config,
        store: Callable[[int], Checkpoints],
        end: Cursor,
        counts: Counts,
        *,
        span: Span | None = None,
        rebuild: bool,
        fresh: bool,
    ) -> None:
        self.parts: dict[int, Part] = {}
        self._log, self._samples, self._seat = log, samples, seat
        self._lookout, self._span = lookout, span
        self._config, self._store, self._end = config, store, end
        self._rebuild, self._fresh = rebuild, fresh
        self._round: int | None = None
        self._counts = counts

    @property
    def begun(self) -> bool:
        """Whether a first share was taken up."""
        return self._round is not None

    def take(self, share: Share) -> None:
        """Let go of the partitions of others, and take up those that are new here.

        What has been ours all along stays in memory. So does what was another's meanwhile,
        if that one said nothing: then all is as we left it. Nothing may be under way.
        """
        if share.round == self._round or not self._known(share.partitions):
            return
        mine = share.partitions
        if self._span is not None:
            mine &= self._span.start.keys()
        committed = self._seat.committed(mine)
        self._let_go(mine, committed)
        begun = {p: self._begin(p) for p in sorted(mine - self.parts.keys())}
        self.parts |= begun
        # From here on retention knows that somebody still needs these records.
        spoken = {p: part.spoken for p, part in begun.items()}
        if self._seat.exactly_once and any(committed.get(p) != c for p, c in spoken.items()):
            self._seat.writer.commit(spoken)
        self._say(mine)
        self._round = share.round
        self._counts.shared(len(self.parts))

    def _known(self, partitions: frozenset[int]) -> bool:
        """Return whether all of them are there; the group may have heard of them first."""
        last = max(partitions, default=-1)
        if last >= self._lookout.partitions:
            self._lookout.look(now=True)
        return last < self._lookout.partitions

    def _let_go(self, mine: frozenset[int], committed: Cursor) -> None:
        for p, part in list(self.parts.items()):
            if p not in mine:
                _log.info("partition=%d is another learner's now", p)
                del self.parts[p]
            elif self._seat.exactly_once and committed.get(p) != part.said:
                _log.info("partition=%d was another learner's meanwhile", p)
                del self.parts[p]

    def _begin(self, p: int) -> Part:
        store = self._store(p)
        learner, said = begin(
            self._log,
            self._samples,
            store,
            self._config,
            seat=self._seat,
            at=None if self._span is None else self._span.start[p],
            rebuild=self._rebuild and not self.begun,
            fresh=self._fresh and not self.begun,
        )
        self._counts.taken_up(store.account)
        # At the end that was asked for a partition that came later had no records.
        stop = float(self._end.get(p, 0 if self._end else "inf"))
        before = learner.totals.samples
        return Part(learner, store, said, stop, Progress(learner), None, before)

    def _say(self, mine: frozenset[int]) -> None:
        count = self._samples.partitions
        if count > 1 and not self.begun:
            _log.info("topic %s has %d partitions: one model each", self._samples.name, count)
        if len(mine) < count or self.begun:
            _log.info("partitions=%s of %d are this learner's", sorted(mine), count)
        if not mine:
            _log.info("more learners than partitions: this one stands by")
