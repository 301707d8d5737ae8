"""The monitor as a service: follow the outcomes, answer scrapes, sum up at the end."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Any

from monitor.follow import Follower
from stream.errors import SettingError
from stream.topic import Log, check_name, heeding

lines = logging.getLogger(__name__)

WINDOWS = (1_000, 10_000)
"""Scored rows a window has, in each partition."""
LONGEST = 1_000_000
"""Rows of the longest window, at most: 50 to 100 MB a partition, and seconds a scrape."""
MOST = 8
"""Windows, at most: each is a set of series."""
HOST = "127.0.0.1"
PORT = 8000
WAIT = 0.5
"""Seconds a step waits for outcomes, at most; so long can an end take."""


def monitor(
    log: Log,
    *,
    names: Sequence[str] = ("main",),
    windows: Sequence[int] = WINDOWS,
    host: str = HOST,
    port: int = PORT,
    until_end: bool = False,
    stopping: Callable[[], bool] = lambda: False,
    announce: Callable[[str], None] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> dict[str, Any]:
    """Follow the outcomes of learners `names` until `stopping()`; return a summary.

    `windows` are in scored rows of each partition. `announce` is told the address once it
    answers; port 0 takes a free one. Outcomes that are not there yet are waited for. With
    `until_end` nothing is served: what is there now is read and summed up, and
    `TopicMissing` is raised when there is nothing. Raises `SettingError` for a name, window,
    host or port that cannot be.
    """
    # What serves takes a moment to come in, and the end of a stream is read without it.
    from monitor.doors import Doors
    from stream.web import Server

    names = list(dict.fromkeys(check_name(name, "learner") for name in names))
    with heeding(log, stopping):
        follower = Follower(log, names, check_windows(windows), clock=clock)
        if until_end:
            follower.catch_up()
            return summary(follower)
        doors = Doors(follower, lambda: checks(follower, stopping))
        with Server(doors.routes, host=host, port=port) as server, closing(doors):
            lines.info("page=%s/ metrics=%s/metrics", server.url, server.url)
            if announce:
                announce(server.url)
            while not stopping():
                follower.step(WAIT)
        return summary(follower)


def check_windows(windows: Sequence[int]) -> tuple[int, ...]:
    """Return the windows as given, once each, or raise `SettingError`."""
    once = tuple(dict.fromkeys(windows))
    if not 1 <= len(once) <= MOST:
        raise SettingError(f"--window must be given 1 to {MOST} times, got {len(once)}")
    for n in once:
        if not 1 <= n <= LONGEST:
            raise SettingError(f"--window must be 1 to {LONGEST} rows, got {n!r}")
    return once


def checks(follower: Follower, stopping: Callable[[], bool] = lambda: False) -> dict[str, bool]:
    """Return what must be true before the figures can be relied on, and to the end."""
    if stopping():
        return {"goes on": False}
    return {f"{name} caught up": done for name, done in follower.caught_up.items()}


def summary(follower: Follower) -> dict[str, Any]:
    """Return the figures of every learner, as `--json` prints them."""
    from monitor.summary import summed_up

    return {
        "stream": follower.stream,
        "learners": {board.learner: summed_up(board.figures()) for board in follower.boards},
    }
