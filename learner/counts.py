"""What a learner counts of its own work, for whoever scrapes it; of the stream tells a monitor.

Counted once a turn, a commit or a checkpoint, never once a sample.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from learner.account import Account
from learner.turn import Turn
from stream.metrics import Computed, Described, Instruments, Told, page, registry

_RECORDS = "driftline_learner_records"
_CHECKPOINT = "driftline_learner_checkpoint"

COUNTED = (
    Described(f"{_RECORDS}_in_total", "Records read, those that are learned again too."),
    Described(
        f"{_RECORDS}_replayed_total",
        "Records learned again in silence, as what came of them was said before.",
    ),
    Described(
        f"{_RECORDS}_out_total",
        "Outcomes and predictions committed, by kind.",
        ("kind",),
    ),
    Described(f"{_RECORDS}_dead_total", "Dead letters committed, by reason.", ("reason",)),
    Described(
        "driftline_learner_last_record_timestamp_seconds",
        "When records were last learned and committed.",
    ),
    Described("driftline_learner_turn_duration_seconds", "Time to learn a turn."),
    Described("driftline_learner_commit_duration_seconds", "Time a commit took."),
    Described(
        f"{_CHECKPOINT}s_total",
        "Checkpoints by outcome: saved or failed; skipped, ahead of what was said; unchanged; "
        "loaded or refused at a start.",
        ("outcome",),
    ),
    Described(f"{_CHECKPOINT}_duration_seconds", "Time to write a checkpoint."),
    Described("driftline_learner_joins_total", "Seats taken in the group, the first too."),
    Described(
        "driftline_learner_rebalances_total",
        "Times that the group has shared the partitions out, the first too.",
    ),
)
COMPUTED = (
    Described(
        f"{_RECORDS}_in_progress", "Records read whose outcomes are yet to be committed."
    ),
    Described("driftline_learner_partitions", "Partitions held here."),
    Described(
        f"{_CHECKPOINT}_bytes", "Size of the newest checkpoints of the partitions held here."
    ),
    Described(
        f"{_CHECKPOINT}_timestamp_seconds",
        "When the oldest of them was written; a restart replays what came since.",
    ),
)
LABELS = ("stream", "learner")
"""What all of them carry."""


@dataclass(slots=True)
class _Turn:
    """A turn under way: what goes out once it is committed."""

    records: int
    out: Counter[str] = field(default_factory=Counter)
    dead: Counter[str] = field(default_factory=Counter)


class Counts:
    """Counts of one learner's process, over all seats it takes one after the other.

    Told by the learner's thread alone; `page` is for any, and is of one moment.
    """

    def __init__(self, stream: str, learner: str) -> None:
        common = {"stream": stream, "learner": learner}
        self._moment = threading.Lock()
        self._turns: deque[_Turn] = deque()
        self._accounts: tuple[Account, ...] = ()
        self.registry = registry(Computed(COMPUTED, self._computed, common))
        self._its = Instruments(self.registry, COUNTED, common)

    def page(self, accept: str) -> tuple[bytes, str]:
        """Return the page of metrics and its content type, as an Accept header asks."""
        with self._moment:
            return page(self.registry, accept)

    def joined(self) -> None:
        """Note that a seat was taken; what was under way in the one before is no more."""
        self._turns.clear()
        self._accounts = ()
        self._its.add("driftline_learner_joins_total")

    def shared(self, accounts: Iterable[Account]) -> None:
        """Note that the group has shared out, with the accounts of all partitions now held."""
        self._its.add("driftline_learner_rebalances_total")
        self._accounts = tuple(accounts)

    def began(self, records: int) -> None:
        """Note that a turn has begun."""
        with self._moment:
            self._turns.append(_Turn(records))
            self._its.add(f"{_RECORDS}_in_total", records)

    def replayed(self, records: int) -> None:
        """Note that records were learned again in silence."""
        self._its.add(f"{_RECORDS}_replayed_total", records)

    def told(self, turn: Turn, seconds: float) -> None:
        """Note what a partition's part of the turn came to, and how long that took."""
        now = self._turns[-1]
        now.out["outcome"] += len(turn.transposed()[0])
        now.out["prediction"] += len(turn.predictions)
        now.dead.update(refusal.reason for _, _, refusal in turn.dead)
        self._its.observe("driftline_learner_turn_duration_seconds", seconds)

    def done(self, commit: float | None) -> None:
        """Note that the oldest turn under way is done, with a commit of so many seconds."""
        if not self._turns:
            return
        with self._moment:
            turn = self._turns.popleft()
            for kind, count in turn.out.items():
                self._its.add(f"{_RECORDS}_out_total", count, kind)
            for reason, count in turn.dead.items():
                self._its.add(f"{_RECORDS}_dead_total", count, reason)
        if commit is not None:
            self._its.put("driftline_learner_last_record_timestamp_seconds", time.time())
            self._its.observe("driftline_learner_commit_duration_seconds", commit)

    def taken_up(self, account: Account) -> None:
        """Note how it went with the checkpoints of a partition that was taken up."""
        self.checkpoint("refused", account.refused)
        self.checkpoint("loaded", int(account.cursor is not None))

    def checkpoint(self, outcome: str, count: int = 1, seconds: float | None = None) -> None:
        """Note how it went with a checkpoint, and what it took."""
        if count:
            self._its.add(f"{_CHECKPOINT}s_total", count, outcome)
        if seconds is not None:
            self._its.observe(f"{_CHECKPOINT}_duration_seconds", seconds)

    def _computed(self) -> Told:
        yield f"{_RECORDS}_in_progress", (), sum(turn.records for turn in [*self._turns])
        yield "driftline_learner_partitions", (), len(self._accounts)
        found = [(it.size, it.written) for it in self._accounts]
        if times := [written for _, written in found if written is not None]:
            yield f"{_CHECKPOINT}_bytes", (), sum(size or 0 for size, _ in found)
            yield f"{_CHECKPOINT}_timestamp_seconds", (), min(times)
