"""What a producer counts of its own work, for whoever scrapes it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import NamedTuple

from stream.metrics import Computed, Described, Instruments, Told, page, registry

_RECORDS = "driftline_producer_records"

COUNTED = (
    Described("driftline_producer_commit_duration_seconds", "Time a commit took, all tries."),
    Described(
        "driftline_producer_commits_retried_total",
        "Tries of commits of which nobody could say whether they were stored.",
    ),
    Described(
        "driftline_producer_last_record_timestamp_seconds",
        "When records were last committed.",
    ),
)
COMPUTED = (
    Described(f"{_RECORDS}_in_total", "Rows, lines or records read from the source."),
    Described(
        f"{_RECORDS}_out_total",
        "Records committed, by kind: sample, question, label, mark and others.",
        ("kind",),
    ),
    Described(f"{_RECORDS}_dead_total", "Rows that could not be used, and were left out."),
    Described(f"{_RECORDS}_resumed_total", "Records that were there from an earlier start."),
    Described(f"{_RECORDS}_in_progress", "Records that wait for their commit."),
)
LABELS = ("stream",)
"""What all of them carry."""


class Seen(NamedTuple):
    """How far a producer is: see `COMPUTED`."""

    read: int = 0
    dead: int = 0
    resumed: int = 0
    pending: int = 0


class Counts:
    """Counts of one producer. Told by its thread alone; `page` is for any."""

    def __init__(self, stream: str) -> None:
        common = {"stream": stream}
        self.begun = False
        """Whether there is a topic to write to, and somebody who does."""
        self._look: Callable[[], Seen] = Seen
        self._out: Mapping[str, int] = {}
        self._registry = registry(Computed(COMPUTED, self._tell, common))
        self._its = Instruments(self._registry, COUNTED, common)

    def page(self, accept: str) -> tuple[bytes, str]:
        """Return the page of metrics and its content type, as an Accept header asks."""
        return page(self._registry, accept)

    def watch(self, look: Callable[[], Seen]) -> None:
        """Begin; `look` tells at any time, in any thread, how far the producer is."""
        self._look, self.begun = look, True

    def out(self, sent: Counter[str]) -> None:
        """Note what has been committed so far, by kind."""
        self._out = {**sent}

    def retried(self) -> None:
        """Note that a commit got no answer, and is tried again unless it is there."""
        self._its.add("driftline_producer_commits_retried_total")

    def committed(self, seconds: float) -> None:
        """Note a commit, and how long it took."""
        self._its.observe("driftline_producer_commit_duration_seconds", seconds)
        self._its.put("driftline_producer_last_record_timestamp_seconds", time.time())

    def _tell(self) -> Told:
        seen = self._look()
        yield f"{_RECORDS}_in_total", (), seen.read
        yield f"{_RECORDS}_dead_total", (), seen.dead
        yield f"{_RECORDS}_resumed_total", (), seen.resumed
        yield f"{_RECORDS}_in_progress", (), seen.pending
        for kind, count in self._out.items():
            yield f"{_RECORDS}_out_total", (kind,), count
