"""When a learner's partitions are saved, and what nobody needs again after that."""

from __future__ import annotations

import gc
import logging
import time
from collections.abc import Mapping

from learner.counts import Counts
from learner.models.size import parameters
from learner.places import Part
from stream.topic import Log, Seat

_log = logging.getLogger("driftline.learner")
_SHARE = 0.01
"""Of the time, at most so much goes into checkpoints."""
_AGAIN = 5.0
"""Seconds until a checkpoint that could not be written is tried again."""
_COMPLAIN = 60.0
"""Seconds between two lines about it."""


class Saves:
    """Saves partitions from time to time, so that it takes a small share of the time.

    A restart replays what came since, so how often matters to nothing but the length of a
    restart.
    """

    def __init__(self, log: Log, group: str, seat: Seat, counts: Counts) -> None:
        self._log, self._group, self._seat, self._counts = log, group, seat, counts
        self._next = 0.0
        self._complained, self._failures = -_COMPLAIN, 0

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
                self._counts.checkpoint("skipped")
                continue  # never ahead of what was said
            try:
                self._save(part)
                oldest = part.store.oldest()
            except OSError as error:
                self._counts.checkpoint("failed")
                self._complain(p, error)
                failed = True
                continue
            shown[p] = part.learner.cursor
            if oldest is not None:
                held[p] = oldest
        self._counts.kept(part.store.account for part in parts.values())
        if not failed:
            self._relieve()
        self._log.hold(self._group, held)
        if not self._seat.exactly_once:
            self._log.show(self._group, shown)
        # The learners that were replaced go round in circles, and would stay for hours.
        gc.collect()
        now = time.monotonic()
        self._next = now + max((now - began) / _SHARE, _AGAIN if failed else 0.0)

    def _save(self, part: Part) -> None:
        if part.store.account.cursor == part.learner.cursor:
            self._counts.checkpoint("unchanged")
            return
        began = time.monotonic()
        part.learner = part.store.save(part.learner)
        self._counts.checkpoint("saved", seconds=time.monotonic() - began)
        part.parameters = parameters(part.learner.policy.model.parts)

    def _complain(self, partition: int, error: OSError) -> None:
        """Say that a checkpoint could not be written, but not each time it is tried."""
        self._failures += 1
        if time.monotonic() - self._complained < _COMPLAIN:
            return
        self._complained = time.monotonic()
        _log.warning(
            "no checkpoint of partition %d: %s; going on, and trying again every %.0f s: make "
            "room or give rights, for a restart replays all that came since the last one",
            *(partition, error, _AGAIN),
        )

    def _relieve(self) -> None:
        if self._failures:
            _log.info("checkpoints are written again, after %d failures", self._failures)
        self._complained, self._failures = -_COMPLAIN, 0
