"""Everything known of one learner: its partitions, their sums, and what happened lately."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence

from monitor.figures import ALL, Figures, Part
from monitor.history import Curve, History
from monitor.lately import Lately, Miss, Mistake
from monitor.rate import Rate
from monitor.resources import Resources
from monitor.sums import merged
from monitor.tally import Noted, Tally
from stream.records import Outcomes, Totals

EVENTS = 100
"""Events kept, the latest."""


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
        self.mistakes: Sequence[Mistake] | None = None
        """A few of the last mistakes; None as long as nobody has looked."""
        self._tallies: dict[int, Tally] = {}
        self._lag: dict[int, int] = {}
        self._seen_at: dict[int, float] = {}
        self._resources: dict[int, Resources] = {}
        self._newest: dict[int, float] = {}
        self._about: tuple[str, str] | None = None
        self._rate = Rate(clock)
        self._events: deque[Noted] = deque(maxlen=EVENTS)
        self._history = History(self.windows[0])
        self._lately = Lately(max(self.windows))
        self._lock = threading.RLock()

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
                known = before.samples if before and not tally.anew else 0
                self._rate.add(max(0, totals.samples - known))
            if tally.anew:
                self._lately.forget(partition)
            self._lately.take(partition, tally.added)
            self._history.take(tally, noted)
            self._note(tally, noted)

    def recall(self, tally: Tally, noted: Sequence[Noted]) -> None:
        """Take in a turn of the past, for the curve alone."""
        with self._lock:
            self._history.recall(tally, noted)

    def moment(self, last: int) -> tuple[Figures, list[tuple[int, Noted]], Curve]:
        """Return figures, events and the `last` points of the curve, all of one moment."""
        with self._lock:
            return self.figures(), self.happened(), self.curve(last)

    def curve(self, last: int | None = None) -> Curve:
        """Return the curve since the learner's start, or its `last` points."""
        with self._lock:
            return self._history.curve(last)

    def happened(self) -> list[tuple[int, Noted]]:
        """Return the latest events, each with its place along `curve`."""
        with self._lock:
            return self._history.events()

    def misses(self) -> list[Miss]:
        """Return a few of the last guesses that went wrong."""
        with self._lock:
            told = [tally.totals for tally in self._tallies.values() if tally.totals]
            return self._lately.misses(told[0].task if told else None)

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
        mistakes: Sequence[Mistake] | None = None,
        about: tuple[str, str] | None = None,
    ) -> None:
        """Take in how far behind each partition is, and when it last had news.

        `resources` are what its learner takes up, `newest` is an event time of its samples,
        `mistakes` are the last ones with what their samples held, `about` the learner's
        model and policy by name.
        """
        with self._lock:
            self._lag.update(lag or {})
            self._seen_at.update(seen_at or {})
            self._resources.update(resources or {})
            self._about = about or self._about
            for p, ts in (newest or {}).items():
                self._newest[p] = max(ts, self._newest.get(p, ts))
            if mistakes is not None:
                self.mistakes = tuple(mistakes)

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
