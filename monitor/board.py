"""Everything known of one learner: its partitions, their sums, and what happened lately."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence

from monitor.figures import ALL, Figures, Part, Point
from monitor.rate import Rate
from monitor.resources import Resources
from monitor.sums import baselines, merged, scores
from monitor.tally import ANOMALY, REGRESSION, Noted, Tally
from stream.records import Outcomes, Totals

EVENTS = 100
"""Events kept, the latest."""
POINTS = 500
"""Points of the curve kept, at most; a fuller curve loses every second one."""


class Board:
    """The state behind `Figures`; fed by one thread, read by any.

    `windows` are lengths in scored rows of each partition; `clock` is in seconds and never
    goes back.
    """

    def __init__(
        self,
        stream: str,
        learner: str,
        windows: Sequence[int],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.stream, self.learner, self.windows = stream, learner, tuple(windows)
        self.refused = 0
        """Messages that were no outcomes; counted by this process alone."""
        self._tallies: dict[int, Tally] = {}
        self._lag: dict[int, int] = {}
        self._seen_at: dict[int, float] = {}
        self._resources: dict[int, Resources] = {}
        self._newest: dict[int, float] = {}
        self._about: tuple[str, str] | None = None
        self._rate = Rate(clock)
        self._events: deque[Noted] = deque(maxlen=EVENTS)
        self._curve: list[Point] = []
        self._spacing = max(1, self.windows[0] // 10)
        self._lock = threading.Lock()

    def expect(self, partitions: Iterable[int]) -> None:
        """Show these partitions, empty ones too."""
        with self._lock:
            for p in partitions:
                self._tally(p)

    def feed(self, partition: int, outcomes: Outcomes, *, live: bool = True) -> None:
        """Take in one message; only a `live` one counts for the rate."""
        with self._lock:
            tally = self._tally(partition)
            before = tally.totals
            noted = tally.feed(outcomes)
            if (totals := tally.totals) is before or totals is None:
                return
            if live:
                self._rate.add(max(0, totals.samples - (before.samples if before else 0)))
            self._note(tally, noted)
            self._extend_curve()

    def place(self, partition: int) -> int | None:
        """Return the offset of the last sample a partition's figures account for."""
        return self._tallies[partition].last

    def resources(self, partition: int) -> Resources:
        """Return what a partition's learner has last said it takes up."""
        return self._resources.get(partition, Resources())

    def look(
        self,
        *,
        lag: Mapping[int, int] | None = None,
        seen_at: Mapping[int, float] | None = None,
        resources: Mapping[int, Resources] | None = None,
        newest: Mapping[int, float] | None = None,
        about: tuple[str, str] | None = None,
    ) -> None:
        """Take in how far behind each partition is, and when it last had news.

        `resources` are what its learner takes up, `newest` is an event time of its samples,
        `about` the learner's model and policy by name.
        """
        with self._lock:
            self._lag.update(lag or {})
            self._seen_at.update(seen_at or {})
            self._resources.update(resources or {})
            self._about = about or self._about
            for p, ts in (newest or {}).items():
                self._newest[p] = max(ts, self._newest.get(p, ts))

    def figures(self) -> Figures:
        """Return all figures of this moment; costs one sum over each window, and a copy."""
        with self._lock:
            parts = {p: self._part(p, tally) for p, tally in sorted(self._tallies.items())}
            tallies = self._tallies.values()
            told = [tally.totals for tally in tallies if tally.totals]
            return Figures(
                stream=self.stream,
                learner=self.learner,
                task=told[0].task if told else None,
                parts=parts,
                pooled={
                    window: merged(part.windows[window] for part in parts.values())
                    for window in (*map(str, self.windows), ALL)
                },
                fading=(
                    sum(totals.fading_error for totals in told),
                    sum(totals.fading_weight for totals in told),
                ),
                rate=self._rate.read(),
                refused=self.refused + sum(it.refused for it in tallies),
                events=list(self._events),
                curve=list(self._curve),
                about=self._about,
                read=self.refused + sum(it.read for it in tallies),
                counted=sum(it.counted for it in tallies),
                waiting=sum(it.waiting for it in tallies),
            )

    def _tally(self, partition: int) -> Tally:
        if partition not in self._tallies:
            self._tallies[partition] = Tally(partition, max(self.windows))
        return self._tallies[partition]

    def _part(self, partition: int, tally: Tally) -> Part:
        windows = {str(n): tally.sums(n) for n in self.windows}
        return Part(
            totals=tally.totals or Totals(task=""),
            last=tally.last,
            windows={**windows, ALL: tally.sums(None)},
            lag=self._lag.get(partition),
            seen_at=self._seen_at.get(partition),
            recent=tally.window.recent(),
            resources=self.resources(partition),
            newest=self._newest.get(partition),
        )

    def _note(self, tally: Tally, noted: Iterable[Noted]) -> None:
        """Keep events, each at its place along the curve."""
        others = self._scored() - (tally.totals.scored if tally.totals else 0)
        self._events.extend(event._replace(scored=event.scored + others) for event in noted)

    def _scored(self) -> int:
        return sum(tally.totals.scored for tally in self._tallies.values() if tally.totals)

    def _extend_curve(self) -> None:
        scored, n = self._scored(), self.windows[0]
        if self._curve and scored < self._curve[-1].scored:
            self._curve = []  # a learner that was begun anew has a curve of its own
        if self._curve and scored - self._curve[-1].scored < self._spacing:
            return
        # After a restart a window fills from behind; half of one would bend the curve.
        told = [tally for tally in self._tallies.values() if tally.totals]
        if not all(tally.full(n) for tally in told):
            return
        sums = merged(tally.sums(n) for tally in told)
        tasks = {tally.totals.task for tally in told if tally.totals}
        if ANOMALY in tasks:
            return
        regression = REGRESSION in tasks
        if model := scores(sums, regression=regression):
            floor = baselines(sums, regression=regression)
            self._curve.append(Point(scored, next(iter(model.values())), **floor))
        if len(self._curve) > POINTS:
            self._curve = self._curve[::2]
            length = self._curve[-1].scored - self._curve[0].scored
            self._spacing = length // (len(self._curve) - 1)
