"""Kill a learner at random times, again and again, and count what the kills have hit."""

import re
import time
from contextlib import closing
from dataclasses import dataclass, field

from stream.topic import group_of
from tests.system.lives import PATIENCE, Told, eventually, faults

STARTING = 0.15
"""Seconds within which a life is killed that need not get anywhere first."""
LINGERING = 0.02
"""Seconds, at most, from the moment at which a record is seen told to the kill."""
SETTLING = 0.1
"""Seconds in which what a killed learner has committed becomes readable."""
GOES_ON = re.compile(r"partition=(\d+) goes on from checkpoint (\d+), said (\d+)")
"""What a learner says at its start: partition, where its state stands, what was said."""


@dataclass
class Counts:
    """What came of a campaign: kills by what they had to break, and what they broke.

    `between` fell between the first outcome and the last, after `replayed` the next life had
    records to learn again. `surprises` are starts that went on from elsewhere than they
    should, `faults` all that the outcomes show of the kills. `predictions` and `dead` are how
    many of these the oracle has.
    """

    kills: int = 0
    between: int = 0
    replayed: int = 0
    predictions: int = 0
    dead: int = 0
    surprises: list = field(default_factory=list)
    faults: list = field(default_factory=list)


def check(counts, report, **more):
    """Print the counts, and hold them against what was promised."""
    names = ("kills", "between", "replayed", "predictions", "dead")
    report(**{name: getattr(counts, name) for name in names}, **more)
    assert counts.faults == []
    assert counts.surprises == []
    assert counts.predictions > 0
    assert counts.dead > 0
    assert counts.between >= 0.8 * counts.kills
    assert counts.replayed >= 0.5 * counts.kills


def moments(rng, kills, end):
    """Return random places on the way to `end`, in order: where to kill."""
    return sorted(rng.uniform(0, 0.97 * end) for _ in range(kills))


class Campaign:
    """A learner that is killed and goes on; `learn` starts a life of a learner's name.

    `beside` is called at each kill. `seen` gives what an outsider sees of a learner.
    """

    def __init__(self, url, state, learn, seen, *, exactly_once=True, beside=None):
        self._beside, self._seen = beside or (lambda: None), seen
        self._state, self._learn, self._exactly_once = state, learn, exactly_once
        self._told, self._oracle = Told(url), Told(url, "oracle")
        self._standing = {}
        self._counts = Counts()

    def run(self, rng, kills, end):
        """Kill it so often on its way through `end` records; return what came of it."""
        with closing(self._told), closing(self._oracle):
            return self._run(rng, kills, end)

    def _run(self, rng, kills, end):
        counts = self._counts
        lasts = [self._kill(rng, moment) for moment in moments(rng, kills, end)]
        for name in ("main", "oracle"):
            life = self._learn(name, "--until-end")
            assert life.wait(2 * PATIENCE) == 0, life.err
            if name == "main":
                self._check_start(life)
        counts.faults = faults(self._told, self._oracle, exactly_once=self._exactly_once)
        counts.predictions, counts.dead = (
            sum(map(len, self._oracle.beside(kind).values()))
            for kind in ("predictions", "dead")
        )
        if self._exactly_once:
            counts.faults += self._unlike()
        goal = self._oracle.last
        counts.between = sum(
            max(last.values(), default=-1) >= 0 and any(last.get(p, -1) < goal[p] for p in goal)
            for last in lasts
        )
        return counts

    def _unlike(self):
        """Name every topic in which an outsider sees that one of the two was killed."""
        mine, oracles = self._seen("main"), self._seen("oracle")
        return [
            f"an outsider sees other {kind}" for kind in oracles if mine[kind] != oracles[kind]
        ]

    def _kill(self, rng, moment):
        """Live one life, and return the positions of the last outcomes that it came to."""
        told, start = self._told, time.monotonic()
        life = self._learn("main")
        if sum(told.follow().values()) > moment:  # where the life before was meant to end
            end = start + rng.uniform(0, STARTING)
        else:
            eventually(lambda: sum(told.follow().values()) > moment or not life.alive)
            end = time.monotonic() + rng.uniform(0, LINGERING)
        eventually(lambda: time.monotonic() > end)
        assert life.end() == -9, life.err
        self._check_start(life)
        said = self._settled()
        self._standing = {p: (self._checkpoint(p), cursor) for p, cursor in said.items()}
        self._beside()
        self._counts.kills += 1
        self._counts.replayed += any(c < cursor for c, cursor in self._standing.values())
        return told.last

    def _settled(self):
        """Return how far it is said, once what was committed is readable.

        A broker may be slow to end a transaction. A learner with a bug may never have said
        what it committed; that is waited for in vain.
        """
        log, deadline = self._told.log, time.monotonic() + PATIENCE / 10
        while True:
            said = self._told.follow(SETTLING)
            committed = log.committed(group_of(log.stream, "main"))
            if time.monotonic() > deadline or all(said[p] >= committed.get(p, 0) for p in said):
                return said

    def _checkpoint(self, partition):
        """Return the newest checkpoint's cursor, or where the learner began without any."""
        paths = self._state.glob(f"*/main/p{partition}/*")
        return max((int(path.name) for path in paths if path.name.isdecimal()), default=0)

    def _check_start(self, life):
        """Note it when a life says that it goes on from elsewhere than where things stood."""
        for numbers in GOES_ON.findall(life.err):
            partition, checkpoint, said = map(int, numbers)
            standing = self._standing.get(partition, (0, 0))
            if (checkpoint, said if self._exactly_once else standing[1]) != standing:
                self._counts.surprises.append((partition, checkpoint, said, standing))
