"""When a learner's partitions are saved, and what nobody needs again after that."""

from __future__ import annotations

import gc
import logging
import time
from collections.abc import Mapping

from learner.places import Part
from stream.topic import Log, Seat

_log = logging.getLogger("driftline.learner")
_SHARE = 0.01
"""Of the time, at most so much goes into checkpoints."""
_AGAIN = 5.0
"""Seconds until a checkpoint that could not be written is tried again."""


class Saves:
    """Saves partitions from time to time, so that it takes a small share of the time.

    A restart replays what came since, so how often matters to nothing but the length of a
    restart.
    """

    def __init__(self, log: Log, group: str, seat: Seat) -> None:
        self._log, self._group, self._seat = log, group, seat
        self._next = 0.0

    @property
    def due(self) -> bool:
        """Whether it is time to save."""
        return time.monotonic() >= self._next

    def hurry(self) -> None:
        """Save at the next opportunity."""
        self._next = 0.0

    def save(self, parts: Mapping[int, Part]) -> None:
        """Save every partition that has moved, and let go of records nobody needs again.

        Only with nothing under way.
        """
        began = time.monotonic()
        held, shown, failed = {}, {}, False
        for p, part in parts.items():
            if part.learner.cursor > part.said:
                continue  # never ahead of what was said
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
        if not self._seat.exactly_once:
            self._log.show(self._group, shown)
        # The learners that were replaced go round in circles, and would stay for hours.
        gc.collect()
        now = time.monotonic()
        self._next = now + max((now - began) / _SHARE, _AGAIN if failed else 0.0)
