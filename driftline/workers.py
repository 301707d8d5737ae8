"""Several workers of one learner on this machine: they share its partitions, and end together.

On Kafka each is a member of the group with a name of its own, and the group shares out. A log
that does not is claimed once, here, and each worker has a fixed part of the partitions. Each
answers over HTTP at a port of its own, as Prometheus wants it of processes.
"""

from __future__ import annotations

import contextlib
import logging
import signal
from collections.abc import Iterator
from dataclasses import dataclass, replace
from multiprocessing import connection, get_context
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import TYPE_CHECKING

from driftline.worker import Order, work
from stream.errors import SettingError, TopicMissing
from stream.topic import Crew, Log, group_of, heeding, samples_of

if TYPE_CHECKING:
    from driftline.console import Stop
    from learner.config import Config
    from learner.run import Run
    from learner.summary import Summary

_log = logging.getLogger("driftline.workers")
MOST = 256
"""Workers of one learner on one machine, at most."""
_LAST_PORT = 65_535
_LOOK = 0.2
"""Seconds between two looks whether to stop."""


def learn(
    log: Log,
    address: str,
    config: Config,
    run: Run,
    *,
    workers: int,
    verbose: bool,
    stop: Stop,
) -> tuple[Summary, int]:
    """Learn with so many processes; return what all of them come to, and the exit code.

    `log` is that at `address`, where each worker opens it as well. When one fails the others
    are stopped, and none is started again: that is for whoever started this. Raises the
    errors of `learner.loop.learn` that show before one is started.
    """
    from learner.keys import key_of
    from learner.learner import Learner
    from learner.summary import pooled

    check(workers, run)
    Learner(config, 0, 0)  # a model that cannot be is said once, not by each
    # All sign with one key; on one machine the folder's own is as good as one given.
    key_of(run.state, run.key_file, anew=run.rebuild or run.fresh)
    run = replace(run, key_file=run.key_file or Path(run.state) / "key")
    with heeding(log, stop):
        claim = log.claim(group_of(log.stream, run.name))
        _say(log, config.topic or samples_of(log.stream), workers)
        order = Order(address, config, run, verbose)
        crew = [Crew(number, workers, claim or 0) for number in range(workers)]
        with _started(order, crew) as started:
            code = _attend(started, stop, until_end=run.until_end)
    found = [each.summary for each in started if each.summary is not None]
    return pooled(log, run.name, found, workers=workers), code


def check(workers: int, run: Run) -> None:
    """Refuse what workers cannot do. Raises `SettingError`."""
    if not 1 <= workers <= MOST:
        raise SettingError(f"workers must be a whole number from 1 to {MOST}, got {workers!r}")
    if run.past is not None:
        raise SettingError("--workers share what comes; a range of the past is for one")
    if run.port is not None and run.port + workers - 1 > _LAST_PORT:
        raise SettingError(
            f"--workers {workers} take the ports from {run.port} on, which ends beyond "
            f"{_LAST_PORT}; give a lower --port"
        )


def _say(log: Log, topic: str, workers: int) -> None:
    with contextlib.suppress(TopicMissing):
        count = log.topic(topic).partitions
        if workers > count:
            _log.warning(
                "workers=%d, but topic %s has %d partitions: the others stand by",
                *(workers, topic, count),
            )


@dataclass(slots=True)
class _Worker:
    """A process, the way to it, and what it came to."""

    number: int
    process: SpawnProcess
    way: connection.Connection
    summary: Summary | None = None

    def tell_to_stop(self) -> None:
        with contextlib.suppress(OSError):
            self.way.send("stop")

    def hear(self) -> None:
        """Take the summary, if that is what has come."""
        with contextlib.suppress(EOFError, OSError):
            while self.way.poll():
                self.summary = self.way.recv()

    @property
    def end(self) -> str:
        """How it ended, in words."""
        code = self.process.exitcode
        if code is not None and code < 0:
            return f"was ended by {signal.Signals(-code).name}"
        return f"left with {code}"


@contextlib.contextmanager
def _started(order: Order, crew: list[Crew]) -> Iterator[list[_Worker]]:
    """Start the workers; at the end none is left, whatever happened."""
    started: list[_Worker] = []
    try:
        started.extend(_start(order, place) for place in crew)
        yield started
    finally:
        for each in started:
            if each.process.is_alive():
                each.process.kill()
            each.process.join()
            each.way.close()


def _start(order: Order, place: Crew) -> _Worker:
    own = str(place.worker)
    member = own if order.run.member is None else f"{order.run.member}-{own}"
    # A port of 0 is a free one for each; any other is the first worker's.
    port = order.run.port and order.run.port + place.worker
    order = replace(order, run=replace(order.run, member=member, crew=place, port=port))
    spawn = get_context("spawn")
    mine, its = spawn.Pipe()
    process = spawn.Process(
        target=work,
        args=(place.worker, order, its),
        name=f"driftline worker {own}",
        daemon=True,
    )
    # Ctrl-C goes to all of a terminal's processes, also to one that cannot answer it yet.
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        process.start()
    finally:
        signal.signal(signal.SIGINT, before)
    its.close()
    _log.info("worker=%s pid=%s", own, process.pid)
    return _Worker(place.worker, process, mine)


def _attend(workers: list[_Worker], stop: Stop, *, until_end: bool) -> int:
    """Wait until all have ended; return 0, or the code of the first that failed."""
    failed, asked, living = 0, False, list(workers)
    while living:
        connection.wait([each.process.sentinel for each in living], _LOOK)
        if stop() and not asked:
            asked = True
            for each in living:
                each.tell_to_stop()
        for each in [each for each in living if each.process.exitcode is not None]:
            living.remove(each)
            each.hear()
            code = each.process.exitcode or 0
            # One that is stopped by itself leaves partitions that nobody else would take.
            if code or not (asked or until_end):
                failed = failed or (code if code > 0 else 1)
                rest = "; ending the others" if living and not asked else ""
                _log.error("worker=%d %s%s", each.number, each.end, rest)
                stop.set()
        for each in living:
            each.hear()
    return failed
