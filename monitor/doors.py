"""Everything that a follower shows over HTTP, for a server of one's own."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from monitor.details import load
from monitor.exporter import page, registry
from monitor.follow import Follower
from monitor.live import Live
from monitor.page import pages
from monitor.picture import picture, whole
from stream.pages import routes

lines = logging.getLogger(__name__)

LATER = 2.0
"""Seconds after which the libraries of the details come in: the first picture needs none."""


class Doors:
    """The routes of a follower; `close` ends the pages that still follow it.

    Until River and scikit-learn are in, a picture says that it is not `detailed`. A scrape
    has all figures and waits for them.
    """

    def __init__(self, follower: Follower, checks: Callable[[], Mapping[str, bool]]) -> None:
        scraped = registry(lambda: follower.boards)
        names = list(follower.caught_up)
        self._lives = {
            name: Live(partial(self._state, follower, at), partial(_past, follower, at))
            for at, name in enumerate(names)
        }
        follower.watched = lambda: any(live.watched for live in self._lives.values())
        self.routes = [
            *routes(lambda accept: page(scraped, accept), checks),
            *pages(self._lives),
        ]
        self._detailed = False
        self._later = threading.Timer(LATER, self._load)
        self._later.daemon = True
        self._later.start()

    def close(self) -> None:
        """Let go of every page that is open."""
        self._later.cancel()
        for live in self._lives.values():
            live.close()

    def _load(self) -> None:
        try:
            load()
        except ImportError:
            lines.exception("the page will have no more figures than it has")
        else:
            self._detailed = True

    def _state(self, follower: Follower, at: int) -> dict[str, Any]:
        """Return what the page shows of a learner, and how much of its past has been read."""
        board = follower.boards[at]
        caught_up = follower.caught_up[board.learner]
        reading = {"caught_up": caught_up, "recalled": follower.recalled[at]}
        shown = picture(board, detailed=self._detailed)
        return {**shown, **reading, "learners": list(follower.caught_up)}


def _past(follower: Follower, at: int) -> dict[str, Any]:
    recalled = follower.recalled[at]
    return {**whole(follower.boards[at]), "recalled": recalled}
