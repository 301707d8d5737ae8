"""Two ways of doing the same, measured side by side.

A machine that is shared is now fast, now slow. So the two take turns, each round gives one
ratio of neighbours in time, and the ratios are what is reported.
"""

from __future__ import annotations

import contextlib
import gc
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

GC = (100_000, 50, 100)
"""Thresholds of the garbage collector, those of `learner.hot`, for all that is compared."""
_APART = 0.001
"""How far the accuracies of the two may lie apart: one of them may skip a first guess."""


@dataclass(frozen=True, slots=True)
class Took:
    """One run: seconds by the clock and of this process's CPUs, and how well it guessed."""

    wall: float
    cpu: float
    accuracy: float


@dataclass(slots=True)
class Stopwatch:
    """Measures from `start` to the last `stop`."""

    _wall: float | None = None
    _cpu: float = 0.0
    wall: float = 0.0
    cpu: float = 0.0

    def start(self) -> None:
        """Begin, unless it has."""
        if self._wall is None:
            self._cpu, self._wall = time.process_time(), time.perf_counter()

    def stop(self) -> None:
        """Note that all so far belongs to what is measured."""
        self.wall = time.perf_counter() - (self._wall or 0.0)
        self.cpu = time.process_time() - self._cpu

    def took(self, accuracy: float) -> Took:
        """Return what was measured."""
        return Took(self.wall, self.cpu, accuracy)


@dataclass(slots=True)
class Pair:
    """What `ours` took beside `bare`, round by round. A ratio above 1 means ours is faster."""

    name: str
    samples: int
    aim: float | None = None
    ours: list[Took] = field(default_factory=list)
    bare: list[Took] = field(default_factory=list)

    @property
    def ratios(self) -> list[float]:
        """The ratio of the two rates by the clock, one a round."""
        return [b.wall / o.wall for o, b in zip(self.ours, self.bare, strict=True)]

    @property
    def cpu_ratios(self) -> list[float]:
        """The same in CPU time, which knows no waiting, neither for disks nor neighbours."""
        # Another process's time is not ours to see.
        pairs = zip(self.ours, self.bare, strict=True)
        return [b.cpu / o.cpu if o.cpu and b.cpu else float("nan") for o, b in pairs]

    def as_dict(self) -> dict[str, Any]:
        """Return the figures to report."""
        ratios, cpu = self.ratios, self.cpu_ratios
        return {
            "name": self.name,
            "samples": self.samples,
            "rounds": len(ratios),
            "ours_per_second": self.samples / statistics.median(t.wall for t in self.ours),
            "bare_per_second": self.samples / statistics.median(t.wall for t in self.bare),
            "min": min(ratios),
            "median": statistics.median(ratios),
            "max": max(ratios),
            "cpu_median": statistics.median(cpu),
            "aim": self.aim,
        }


@contextlib.contextmanager
def calm() -> Iterator[None]:
    """Begin with no garbage, and collect as seldom as the learner does."""
    before = gc.get_threshold()
    gc.collect()
    gc.set_threshold(*GC)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def compare(
    pair: Pair,
    bare: Callable[[], Took],
    ours: Callable[[], Took],
    *,
    rounds: int,
    say: Callable[[str], None],
) -> Pair:
    """Run both in turns, once to warm up and then `rounds` times; which is first alternates.

    Raises `AssertionError` when the two do not guess alike: then they did not do the same.
    """
    for number in range(rounds + 1):
        order = [(bare, pair.bare), (ours, pair.ours)]
        for deed, into in order if number % 2 else reversed(order):
            with calm():
                into.append(deed())
        mine, theirs = pair.ours[-1], pair.bare[-1]
        if abs(mine.accuracy - theirs.accuracy) > _APART:
            raise AssertionError(
                f"{pair.name}: accuracy {mine.accuracy} here and {theirs.accuracy} there"
            )
        if number:
            say(f"{pair.name}, round {number}: {theirs.wall / mine.wall:.3f}")
        else:
            pair.ours.clear()
            pair.bare.clear()
    return pair
