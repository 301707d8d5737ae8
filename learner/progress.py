"""What a learner tells a person: a curve that never floods, and a line for each event.

Lines come at samples 1, 2, 4, 8 … and then every 100,000, after Vowpal Wabbit's manner:
average error since the start, and since the last line.
"""

from __future__ import annotations

import logging
from operator import ne

from learner.learner import Learner
from learner.turn import Turn
from stream.records import NO_GUESS

_EVERY = 100_000
_log = logging.getLogger("driftline.learner")
_UNSAID = ("improvement", "calm", "mark", "declare", "forget")
"""Kinds of events that need nobody's attention, or that somebody has brought about."""


class Progress:
    """Says how one partition's learner does."""

    def __init__(self, learner: Learner) -> None:
        self._partition, self._task = learner.partition, learner.task
        self._count = learner.scores.totals.scored
        self._total = learner.scores.totals.absolute_error
        if self._task == "classification":
            self._total = float(self._count - learner.scores.totals.correct)
        self._since_total, self._since_count = 0.0, 0
        self._next = 1
        while self._next <= self._count:
            self._next = _after(self._next)
        self._reasons = set(learner.scores.totals.dead)

    def say(self, turn: Turn) -> None:
        """Say what is worth saying of a turn."""
        ys, guesses, flags = (turn.transposed()[n] for n in (4, 5, 9))
        quiet = self._count + len(ys) < self._next and not any(flags)
        if quiet and self._task == "classification":
            wrong = sum(map(ne, ys, guesses))
            self._count += len(ys)
            self._total += wrong
            self._since_total += wrong
            self._since_count += len(ys)
        for y, guess, flag in () if quiet else zip(ys, guesses, flags, strict=True):
            if flag == NO_GUESS:
                continue
            if self._task == "classification":
                error = float(flag != 0 or y != guess)
            elif self._task == "anomaly":
                error = guess if flag == 0 else 0.0
            else:
                error = abs(y - guess) if flag == 0 else 0.0
            self._count += 1
            self._total += error
            self._since_total += error
            self._since_count += 1
            if self._count == self._next:
                self._line()
        for offset, kind, details in turn.events:
            if kind not in _UNSAID:
                said = " ".join(f"{key}={_short(value)}" for key, value in details.items())
                _log.info("%s partition=%d offset=%d %s", kind, self._partition, offset, said)
        for offset, _, refusal in turn.dead:
            if refusal.reason not in self._reasons:
                self._reasons.add(refusal.reason)
                _log.warning(
                    "first dead letter of its kind: reason=%s samples[%d]@%d: %s",
                    refusal.reason,
                    self._partition,
                    offset,
                    refusal,
                )

    def _line(self) -> None:
        where = f"scored={self._count} partition={self._partition}"
        since_last = self._since_total / self._since_count
        if self._task == "anomaly":
            _log.info("%s average_score_since_last=%.4f", where, since_last)
        else:
            average = self._total / self._count
            _log.info("%s average_error=%.4f since_last=%.4f", where, average, since_last)
        self._since_total, self._since_count = 0.0, 0
        self._next = _after(self._next)


def _after(count: int) -> int:
    return count * 2 if count * 2 <= _EVERY else (count // _EVERY + 1) * _EVERY


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
