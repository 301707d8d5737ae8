"""The breaker: where most records are refused, a learner had better wait for a person."""

from __future__ import annotations

import logging
import time
from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from stream.errors import RecordError, SettingError

if TYPE_CHECKING:
    from learner.serving.desk import Desk

RECENT = 1000
"""Records of a partition that are judged, the last ones."""
_CODES = 3
"""Reason codes that a line names, the commonest."""
_SAY = 5.0
"""Seconds between two lines of a learner that is paused."""
_log = logging.getLogger("driftline.learner")

Share = float | Literal["off"]
"""Above which share of dead letters a learner pauses, in (0, 1]; off for never."""


class Recent:
    """Which of the last 1,000 records of a partition are dead letters, and for what reason.

    A part of a learner's state: whoever starts from a checkpoint knows what went before. A
    lesson that failed counts where its record stood, not where the grain ended.
    """

    def __init__(self) -> None:
        self._offsets: deque[int] = deque(maxlen=RECENT)
        self.dead: dict[int, str] = {}
        """Offset and reason of each."""

    def take(
        self,
        entries: Sequence[tuple[int, bytes]],
        dead: Iterable[tuple[int, bytes, RecordError]],
    ) -> None:
        """Take the records of a batch, and what was refused while it was learned."""
        self._offsets.extend([offset for offset, _ in entries[-RECENT:]])
        self.dead.update({offset: error.reason for offset, _, error in dead})
        if self.dead:
            first = self._offsets[0] if self._offsets else 0
            self.dead = {at: why for at, why in self.dead.items() if at >= first}


class Breaker:
    """Tells when a learner is to pause, and says so every few seconds while it does.

    Open when more than `share` of the last 1,000 records of a partition are dead letters. It
    moves no outcome: a learner that goes on says what it would have said at once.
    """

    def __init__(self, share: Share, desk: Desk | None = None) -> None:
        self._most = RECENT if share == "off" else share * RECENT
        self._desk = desk
        self._said: float | None = None

    @staticmethod
    def check(share: Share) -> None:
        """Raise `SettingError` for a share that cannot be meant."""
        if share != "off" and not 0 < share <= 1:
            raise SettingError(f"breaker must be off, or above 0 and at most 1, got {share!r}")

    def open(self, recent: Recent) -> bool:
        """Return whether too many of a partition's last records were refused."""
        return len(recent.dead) > self._most

    def why(self, partitions: Mapping[int, Recent]) -> str | None:
        """Return why these must not go on, None if they may; /readyz says it as well."""
        stuck = (
            _sentence(p, recent.dead) for p, recent in partitions.items() if self.open(recent)
        )
        why = next(stuck, None)
        if why is None:
            self._said = None
        if self._desk is not None:
            self._desk.paused = why
        return why

    def say(self, why: str) -> bool:
        """Say it, unless it was said a moment ago; return whether this is the first time."""
        now, before = time.monotonic(), self._said
        if before is None or now - before >= _SAY:
            self._said = now
            _log.error("paused: %s", why)
        return before is None


def _sentence(p: int, dead: Mapping[int, str]) -> str:
    codes = Counter(dead.values()).most_common(_CODES)
    newest = max(at for at, reason in dead.items() if reason == codes[0][0])
    return (
        f"{len(dead)} of the last {RECENT} records of partition {p} are dead letters "
        f"({', '.join(f'{reason} {count}' for reason, count in codes)}), as {codes[0][0]} of "
        f"samples[{p}]@{newest}; see 'driftline dead', mend what writes them, and go on with "
        "--breaker off"
    )
