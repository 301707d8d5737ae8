"""A learner at work: read a turn, learn it, say it, and from time to time save the state."""

from __future__ import annotations

import contextlib
import gc
import logging
import socket
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from learner.checkpoint import Checkpoints, key_of
from learner.commits import Commits
from learner.config import Config
from learner.learner import Learner
from learner.messages import Topics, send
from learner.models.model import Model
from learner.progress import Progress
from learner.resources import event_time, header
from learner.start import begin
from learner.summary import Summary, summarize
from learner.turn import Turn
from stream.errors import SettingError, TopicMissing
from stream.topic import Batch, Cursor, Log, Retention, Topic, check_name, group_of, samples_of

if TYPE_CHECKING:
    from learner.serving.clerk import Clerk
    from learner.serving.desk import Desk

_log = logging.getLogger("driftline.learner")
_DAY = 86_400.0
_OUTCOMES = Retention(seconds=90 * _DAY)
_SHORT = Retention(seconds=7 * _DAY)
_SHARE = 0.01
"""Of the time, at most so much goes into checkpoints."""
_AGAIN = 5.0
"""Seconds until a checkpoint that could not be written is tried again."""
_SAY = 5.0
"""Seconds between two lines of a learner that waits."""
_TURN = 1_000_000
"""Records of one commit, at most: all of them wait in memory."""
_ANSWERS = ("asked", "all", "none")
_TURNS = 0.0005
"""Seconds a thread works while another waits for its turn."""
_WAIT = 0.5
"""Seconds a read waits for records before the learner looks whether it should stop."""
_LOOK = 0.003
"""Seconds between two looks for records of a learner that may be asked meanwhile."""

Stopping = Callable[[], bool]
Moved = Callable[[Cursor], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """How a learner runs; nothing of it enters its state.

    `turn` bounds the records of one commit. `until_end` stops at the end of the stream as
    it stood at the start. `rebuild` replays the stream from the old start into a new state,
    saying nothing that was said before; `fresh` begins with a new state where the old one
    stood. `answer` says which samples get a prediction: asked, all, none. With a `port`, 0
    for a free one, it can be asked over HTTP while it learns; see `learner.serving`.
    """

    name: str = "main"
    state: Path
    key_file: Path | None = None
    turn: int = 2000
    until_end: bool = False
    rebuild: bool = False
    fresh: bool = False
    answer: str = "asked"
    host: str = "127.0.0.1"
    port: int | None = None

    def __post_init__(self) -> None:
        """Refuse values that cannot be meant. Raises `SettingError`."""
        if not 1 <= self.turn <= _TURN:
            raise SettingError(
                f"turn must be a whole number from 1 to {_TURN}, got {self.turn!r}"
            )
        if self.answer not in _ANSWERS:
            raise SettingError(f"answer must be {' or '.join(_ANSWERS)}, got {self.answer!r}")
        if self.rebuild and self.fresh:
            raise SettingError("rebuild and fresh are two ways on; leave one away")


def learn(
    log: Log,
    config: Config,
    run: Run,
    *,
    stopping: Stopping = lambda: False,
    moved: Moved = lambda _: None,
) -> Summary:
    """Learn a stream until `stopping`, or until its end; return the sums.

    `moved` is told the cursors after each turn. Raises `SettingError`, `CheckpointError` and
    the other errors of a stream; what was committed before is then still there, and a new
    start goes on from it.
    """
    check_name(run.name, "learner")
    # A wrong setting is said before anything is opened or waited for.
    model = Learner(config, 0, 0).policy.model
    topic = config.topic or samples_of(log.stream)
    with _asked_over_http(run) as (desk, port):
        samples = _samples(log, topic, run, stopping)
        if samples is None:
            summary = summarize([], 0.0, 0)
        else:
            with _hot(), _one_thread(model):
                summary = _Work(log, samples, config, run, stopping, moved, desk).run()
    if desk is None:
        return summary
    _log.info("asked=%d refused=%d", desk.asked, desk.refused)
    return replace(summary, port=port, asked=desk.asked, refused=desk.refused)


@contextlib.contextmanager
def _asked_over_http(run: Run) -> Iterator[tuple[Desk | None, int | None]]:
    """Open the port, if there is to be one, and give the desk where questions are left."""
    if run.port is None:
        yield None, None
        return
    from learner.serving.desk import Desk
    from learner.serving.routes import routes
    from stream.web import Server

    desk = Desk(run.name)
    with Server(routes(desk), host=run.host, port=run.port) as server:
        _log.info("predict=%s/predict", server.url)
        try:
            yield desk, server.port
        finally:
            desk.close()


def _samples(log: Log, name: str, run: Run, stopping: Stopping) -> Topic | None:
    """Return the samples topic, waiting for it unless the run is to end by itself."""
    since = said = time.monotonic()
    while not stopping():
        try:
            return log.topic(name)
        except TopicMissing:
            if run.until_end:
                raise
        if time.monotonic() - said >= _SAY or said == since:
            said = time.monotonic()
            _log.info(
                "waiting for topic %s, %.0f s; 'driftline produce' on this --stream makes it",
                name,
                said - since,
            )
        time.sleep(_WAIT)
    return None


@contextlib.contextmanager
def _hot() -> Iterator[None]:
    """Let the garbage collector look less often while rows are made by the thousand.

    And let the thread that commits have its turns soon: each of its steps would else wait
    for the 5 ms that Python gives the one at work.
    """
    before, interval = gc.get_threshold(), sys.getswitchinterval()
    gc.collect()
    gc.freeze()  # what is there now need not be looked at again by `_save`
    gc.set_threshold(100_000, 50, 100)
    sys.setswitchinterval(_TURNS)
    try:
        yield
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)
        sys.setswitchinterval(interval)


def _one_thread(model: Model) -> contextlib.AbstractContextManager[None]:
    if model.one_by_one:
        return contextlib.nullcontext()  # it multiplies no matrices
    from learner.models.sklearn import one_thread

    return one_thread()


@dataclass
class _Part:
    """A partition at work."""

    learner: Learner
    store: Checkpoints
    said: int
    """Up to here all was said before this start; the records before it are replayed."""
    stop: float
    progress: Progress
    size: int | None
    """Bytes of the newest checkpoint."""

    @property
    def spoken(self) -> int:
        """Up to where outcomes have been said; a replay lies behind it."""
        return max(self.learner.cursor, self.said)

    @property
    def over(self) -> bool:
        """Whether the learner stands where it should stop."""
        return self.learner.cursor >= self.stop


class _Work:
    """One run: the partitions, and the turn that brings them on together."""

    def __init__(
        self,
        log: Log,
        samples: Topic,
        config: Config,
        run: Run,
        stopping: Stopping,
        moved: Moved,
        desk: Desk | None = None,
    ) -> None:
        self._log, self._samples, self._how = log, samples, run
        self._stopping, self._moved = stopping, moved
        self._started: float | None = None
        self._met = False
        self._topics = Topics.of(log.stream, run.name)
        self._group = group_of(log.stream, run.name)
        self._seconds = 0.0
        self._next_save = 0.0
        for name, retention in (
            (self._topics.outcomes, _OUTCOMES),
            (self._topics.predictions, _SHORT),
            (self._topics.dead, _SHORT),
        ):
            log.create(name, partitions=samples.partitions, retention=retention)
        # The writer first: from here on no other of this name can move the cursors.
        self._writer = log.writer(self._group, atomic=log.exactly_once)
        over = desk.wake if desk else None
        self._commits = Commits(self._writer, self._done, over)
        self._parts = self._begin(config)
        self._new = {p: part.learner.totals.samples for p, part in self._parts.items()}
        self._desk, self._clerk = desk, self._clerk_at(desk)

    def _clerk_at(self, desk: Desk | None) -> Clerk | None:
        if desk is None:
            return None
        from learner.serving.clerk import Clerk

        return Clerk(
            desk,
            self._log,
            self._topics.predictions,
            lambda: {p: part.learner for p, part in self._parts.items()},
        )

    def _begin(self, config: Config) -> dict[int, _Part]:
        how, samples = self._how, self._samples
        anew = how.rebuild or how.fresh
        key = key_of(how.state, how.key_file, anew=anew)
        end = samples.end() if how.until_end else {}
        parts = {}
        for p in range(samples.partitions):
            store = Checkpoints.at(
                how.state, self._log.stream, how.name, p, samples.identity, key
            )
            learner, said = begin(
                self._log, samples, store, config, rebuild=how.rebuild, fresh=how.fresh
            )
            stop = float(end.get(p, "inf"))
            parts[p] = _Part(learner, store, said, stop, Progress(learner), store.size())
        if self._log.exactly_once:
            # From here on retention knows that somebody still needs these records.
            self._writer.commit({p: part.spoken for p, part in parts.items()})
        if len(parts) > 1:
            _log.info("topic %s has %d partitions: one model each", samples.name, len(parts))
        return parts

    def run(self) -> Summary:
        """Take turns until told to stop, then save and sum up."""
        origin = {
            "host": socket.gethostname().encode(),
            "topic": self._samples.name.encode(),
        }
        with self._commits:
            self._done({p: part.learner.cursor for p, part in self._parts.items()})
            while not self._stopping():
                cursors = {
                    p: part.learner.cursor for p, part in self._parts.items() if not part.over
                }
                if not cursors:
                    break
                if batches := self._read(cursors):
                    self._started = self._started or time.monotonic()
                    self._turn(batches, origin)
                    if time.monotonic() >= self._next_save:
                        self._save()
            if self._desk is not None:
                self._desk.close()
            self._save()
        self._writer.close()
        new = sum(p.learner.totals.samples - self._new[n] for n, p in self._parts.items())
        learners = [part.learner for part in self._parts.values()]
        return summarize(learners, self._seconds, new)

    def _read(self, cursors: Cursor) -> Sequence[Batch]:
        """Return what is there, else wait for it, with nothing under way meanwhile."""
        limit = self._how.turn
        if batches := self._samples.read(cursors, limit=limit, wait=0):
            return batches
        self._settle()
        if self._clerk is None:
            return self._samples.read(cursors, limit=limit, wait=_WAIT)
        if not self._met:
            # To be let in by a broker may take longer than a look.
            self._met = True
            return self._samples.read(cursors, limit=limit, wait=_WAIT)
        until, over = time.monotonic() + _WAIT, False
        while not batches and not over:
            self._clerk.wait(_LOOK)
            # Only one who waits looks round for a broker that is gone.
            over = time.monotonic() >= until
            batches = self._samples.read(cursors, limit=limit, wait=_LOOK if over else 0)
        return batches

    def _settle(self) -> None:
        """Wait for the commit under way, and answer meanwhile who asks."""
        if self._clerk is not None:
            self._clerk.look_up()
            while self._commits.busy:
                self._clerk.wait(_WAIT)
        self._commits.settle()

    def _turn(self, batches: Sequence[Batch], origin: dict[str, bytes]) -> None:
        """Learn some batches, and begin to commit what came of them with the cursors after.

        The commit before has the time of the learning to come to its end.
        """
        told = []
        for batch in batches:
            part = self._parts[batch.partition]
            batch = _until(batch, part.stop)
            silent, spoken = _until(batch, part.said), _from(batch, part.said)
            learner = part.learner
            between = self._clerk.between(batch.partition) if self._clerk else None
            if silent.next > learner.cursor:
                learner.learn(silent, between=between)
                if learner.cursor >= part.said:
                    self._next_save = 0.0  # so that a crash need not replay this again
            if spoken.next > learner.cursor:
                began = time.perf_counter()
                turn = learner.learn(spoken, answer=self._how.answer, between=between)
                told.append((part, spoken, turn, time.perf_counter() - began))
            if self._clerk and batch.entries:
                self._clerk.note(batch.entries[-1][1])
        self._settle()
        reached = {p: part.learner.cursor for p, part in self._parts.items()}
        if not told:
            self._done(reached)
            return
        for part, batch, turn, seconds in told:
            resources = header(
                turn.timed,
                event_time(batch.entries, part.learner.reading.any),
                turn=seconds,
                commit=self._commits.seconds,
                model_bytes=part.size,
            )
            self._tell(part, turn, {**origin, "resources": resources})
        # One partition may still replay while another speaks: its cursor must not go back.
        self._commits.start({p: part.spoken for p, part in self._parts.items()}, reached)

    def _tell(self, part: _Part, turn: Turn, origin: dict[str, bytes]) -> None:
        """Append what came of a partition's turn, and say of it what a person wants to know."""
        learner = part.learner
        headers = {
            **origin,
            "start": str(learner.start).encode(),
            "config": learner.config.hash.encode(),
        }
        send(turn, learner.totals, learner.partition, self._topics, self._writer, headers)
        part.progress.say(turn)

    def _done(self, reached: Cursor) -> None:
        """Note how far all is committed."""
        if self._started is not None:
            self._seconds = time.monotonic() - self._started
        if self._clerk is not None:
            self._clerk.know({p: part.said for p, part in self._parts.items()})
        self._moved(reached)

    def _save(self) -> None:
        """Save every partition that has moved, and let go of records nobody needs again.

        How often is chosen so that saving takes a small share of the time; a restart
        replays what came since, so it matters to nothing but the length of a restart.
        """
        self._settle()
        began = time.monotonic()
        held, shown, failed = {}, {}, False
        for p, part in self._parts.items():
            paths = part.store.paths()
            if not paths or int(paths[-1].name) != part.learner.cursor:
                try:
                    part.learner = part.store.save(part.learner)
                    part.size = part.store.size()
                except OSError as error:
                    _log.warning("no checkpoint of partition %d: %s; going on", p, error)
                    failed = True
                    continue
            shown[p] = part.learner.cursor
            if (oldest := part.store.oldest()) is not None:
                held[p] = oldest
        self._log.hold(self._group, held)
        self._log.show(self._group, shown)
        # The learners that were replaced go round in circles, and would stay for hours.
        gc.collect()
        now = time.monotonic()
        self._next_save = now + max((now - began) / _SHARE, _AGAIN if failed else 0.0)


def _until(batch: Batch, stop: float) -> Batch:
    """Return the part of a batch before an offset."""
    if batch.next <= stop:
        return batch
    return Batch(batch.partition, [e for e in batch.entries if e[0] < stop], int(stop))


def _from(batch: Batch, start: int) -> Batch:
    """Return the part of a batch from an offset on."""
    if not batch.entries or batch.entries[0][0] >= start:
        return batch
    return Batch(batch.partition, [e for e in batch.entries if e[0] >= start], batch.next)
