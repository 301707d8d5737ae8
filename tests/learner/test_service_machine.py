"""The learner as a service, against what one says that is never disturbed.

Records come, turns are taken, checkpoints written; it dies at any step of a commit or of a
save; another of its name takes over; partitions are added; records and checkpoints are lost;
the clock jumps. All the while what stands in its topics must be, line by line, what bare
learners make of the same records in one go. The environment's DRIFTLINE_MACHINE says how many
examples of up to `STEPS` steps are tried on each log.
"""

import contextlib
import gc
import itertools
import json
import os
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from learner.checkpoint import Checkpoints
from learner.config import Config
from learner.learner import Learner
from learner.loop import learn
from learner.messages import outcomes_of
from learner.run import Run
from stream.errors import CheckpointError, CursorExpired, Fenced
from stream.memory import MemoryLog
from stream.records import encode
from stream.sqlite import SqliteLog
from stream.topic import Batch, group_of, samples_of, topic_of
from tests.changes import trim
from tests.counts import number

EXAMPLES = number("MACHINE", 8)
STEPS = 30
DAY = 86_400.0
MOST = 4
"""Partitions, at most."""
CONFIG = Config(
    model="tests.doubles.Diary",
    detector="tests.doubles.FourthMistake",
    direction="any",
    grain=3,
    max_pending=4,
)
places = st.integers(0, MOST - 1)
turns = st.integers(1, 4)
sizes = st.integers(1, 7)
kinds = st.sampled_from(("sample", "sample", "sample", "question", "label", "junk", "forget"))


class CrashError(Exception):
    """What a process dies of here."""


class Mortal:
    """A writer whose `number`-th commit is its last, and is stored or not."""

    def __init__(self, writer, number, *, stored):
        self._writer, self._left, self._stored = writer, number, stored

    def commit(self, cursors=None, **how):
        self._left -= 1
        if self._left > 0 or self._stored:
            self._writer.commit(cursors, **how)
        if self._left <= 0:
            raise CrashError

    def __getattr__(self, name):
        return getattr(self._writer, name)


class Service(RuleBasedStateMachine):
    """A learner, all that befalls it, and what it should have said."""

    def open(self, folder):
        """Return an empty log."""
        raise NotImplementedError

    @initialize()
    def start(self):
        """Begin with two partitions and nothing in them."""
        self.ending = contextlib.ExitStack()
        self.folder = Path(self.ending.enter_context(tempfile.TemporaryDirectory()))
        self.patch = self.ending.enter_context(pytest.MonkeyPatch.context())
        self.log = self.ending.enter_context(contextlib.closing(self.open(self.folder)))
        self.samples = samples_of(self.log.stream)
        self.group = group_of(self.log.stream, "main")
        self.patch.setattr("learner.lookout._EVERY", 0.0)
        self.patch.setattr("learner.reader._WAIT", 0.0)
        # A process may die here, but the machine does not, and lives are too short for garbage.
        self.patch.setattr(os, "fsync", lambda _: None)
        self.patch.setattr(gc, "collect", lambda: 0)
        self.clock = 0.0
        real = time.time
        self.patch.setattr(time, "time", lambda: real() + self.clock)
        self.log.create(self.samples, partitions=2)
        self.records = {0: [], 1: []}
        self.states = {0: [(0, None)], 1: [(0, None)]}
        """From where to where each state of a partition has spoken, one after the other."""
        self.first = {0: 0, 1: 0}
        self.harmed = False
        """Whether records or checkpoints that a restart may need are lost."""
        self.ids = itertools.count()
        self.writer = self.log.writer("source")

    # What comes.

    @rule(
        place=places, what=st.lists(kinds, min_size=1, max_size=12), number=st.integers(0, 99)
    )
    def produce(self, place, what, number):
        """Write some records of all kinds to a partition."""
        p = place % len(self.records)
        for i, kind in enumerate(what, number):
            id_ = next(self.ids)
            earlier = {"id": str(max(0, id_ - 1 - i % 3))}
            record = {
                "sample": {"id": str(id_), "x": {"a": i % 5}, "y": i % 3},
                "question": {"id": str(id_), "x": {"a": i % 5}},
                "label": earlier | {"y": i % 3},
                "forget": earlier | {"forget": True},
            }.get(kind)
            value = json.dumps(record).encode() if record else b"{junk"
            self.records[p].append(value)
            self.writer.append(self.samples, value, partition=p)
        self.writer.commit()

    @precondition(lambda self: len(self.records) < MOST)
    @rule()
    def add_partition(self):
        """Give the topic one more partition."""
        p = len(self.records)
        self.log.widen(self.samples, p + 1)
        self.records[p], self.states[p], self.first[p] = [], [(0, None)], 0

    @rule(days=st.sampled_from((-1, 0, 1)))
    def jump(self, days):
        """Set the clock a day forth or back."""
        self.clock = days * DAY

    # What is done.

    @rule(turns=turns, size=sizes, often=st.booleans())
    def take_turns(self, turns, size, often):
        """Learn for some turns, with a checkpoint after each or at the end, and stop."""
        self.live(turns, size, often=often)

    @rule(number=turns, size=sizes, stored=st.booleans(), often=st.booleans())
    def die_at_a_commit(self, number, size, stored, often):
        """Die before the records are stored, or just after."""
        join = type(self.log).join

        def planted(*args, **how):
            seat = join(self.log, *args, **how)
            seat.writer = Mortal(seat.writer, number, stored=stored)
            return seat

        with self.patch.context() as patch, contextlib.suppress(CrashError):
            patch.setattr(self.log, "join", planted, raising=False)
            self.live(9, size, often=often)
        self.check()

    @rule(number=turns, size=sizes, stored=st.booleans())
    def die_at_a_save(self, number, size, stored):
        """Die before a checkpoint is written, or just after."""
        save, left = Checkpoints.save, itertools.count(1)

        def planted(store, learner):
            last = next(left) >= number
            alike = save(store, learner) if stored or not last else learner
            if last:
                raise CrashError
            return alike

        with self.patch.context() as patch, contextlib.suppress(CrashError):
            patch.setattr(Checkpoints, "save", planted)
            self.live(9, size, often=True)
        self.check()

    @rule(before=turns, other=turns, size=sizes, often=st.booleans())
    def take_over(self, before, other, size, often):
        """Let another of the name learn for a while; then the first one goes on."""
        told = itertools.count(1)

        def moved(_):
            if next(told) == before:
                self.live(other, size + 1, often=often)

        with contextlib.suppress(Fenced):
            self.live(9, size, often=often, moved=moved)
        self.check()

    # What is lost.

    @rule(place=places, part=st.floats(0, 1))
    def trim_within_reason(self, place, part):
        """Remove records that no checkpoint needs, as retention does."""
        p = place % len(self.records)
        kept = [int(path.name) for path in self.checkpoints(p)]
        if len(kept) == 3:
            self.trim(p, round(kept[0] * part))

    @rule(place=places, part=st.floats(0, 1))
    def trim(self, place, part):
        """Remove records whoever needs them."""
        p = place % len(self.records)
        before = part if isinstance(part, int) else round(len(self.records[p]) * part)
        if before > self.first[p]:
            self.harmed |= isinstance(part, float)
            self.first[p] = before
            if p not in self.log.committed(self.group):
                self.states[p] = [(before, None)]  # where a learner will first meet it
            trim(self.log, self.samples, p, before)

    @rule(place=places, at=st.integers(0, 10**6), way=st.sampled_from(("flip", "cut", "gone")))
    def corrupt(self, place, at, way):
        """Damage the newest checkpoint of a partition."""
        p = place % len(self.records)
        if self.log.committed(self.group).get(p, 0) <= self.states[p][-1][0]:
            return  # of a new state that has said nothing the checkpoint is all there is
        for path in self.checkpoints(p)[-1:]:
            self.harmed |= self.first[p] > self.states[p][-1][0]
            body = bytearray(path.read_bytes())
            at %= len(body)
            body[at] ^= 1
            if way == "gone":
                path.unlink()
            else:
                path.write_bytes(body[:at] if way == "cut" else body)

    @precondition(lambda self: any(self.log.committed(self.group).values()))
    @precondition(lambda self: not any(self.first.values()))
    @rule(size=sizes)
    def rebuild(self, size):
        """Replay it all into a new state, in silence."""
        self.live(2, size, rebuild=True)

    @precondition(lambda self: any(self.log.committed(self.group).values()))
    @rule(size=sizes)
    def begin_afresh(self, size):
        """Begin with a new state where the old one stood."""
        committed = self.log.committed(self.group)
        for p, first in self.first.items():
            start, _ = self.states[p].pop()
            said = committed.get(p, first)
            # What lies between an end and the next start was lost, and nobody learned it.
            if said > start:
                self.states[p].append((start, said))
            self.states[p].append((max(said, first), None))
        self.live(2, size, fresh=True)
        # Who dies at that has begun afresh with some partitions, and must with the others.
        self.harmed = False

    # What must hold.

    def live(self, turns, size, *, often=False, moved=lambda _: None, **way):
        """Live one life of the learner; one that cannot go on says so, and nothing else."""
        left = itertools.count()
        run = Run(state=self.folder / "state", turn=size, turn_seconds=0.0, **way)
        with self.patch.context() as patch:
            patch.setattr("learner.saves._SHARE", 1e9 if often else 1e-9)
            try:
                learn(self.log, CONFIG, run, stopping=lambda: next(left) > turns, moved=moved)
            except (CheckpointError, CursorExpired) as error:
                if not self.harmed or "--fresh" not in str(error):
                    raise
                self.check()
                self.begin_afresh(size)
        self.check()

    def checkpoints(self, p):
        """Return the paths of a partition's checkpoints, the newest last."""
        folder = self.folder / "state" / self.log.stream / "main" / f"p{p}"
        return sorted(folder.glob("[0-9]*"))

    def check(self):
        """Hold all that was said against what bare learners say."""
        committed = self.log.committed(self.group)
        for p in self.records:
            said, wanted = self.said(p), self.wanted(p, committed.get(p, 0))
            for name in wanted:
                assert said[name] == wanted[name], (p, name)

    def said(self, p):
        """Return what stands in the learner's topics of one partition."""
        values = {}
        for kind in ("outcomes", "predictions", "dead"):
            values[kind] = []
            with contextlib.suppress(KeyError, LookupError):
                topic = self.log.topic(topic_of(self.log.stream, "main", kind))
                if p < topic.partitions:
                    values[kind] = [it.value for it in topic.scan(p, 0, topic.end()[p])]
        return self.lines([json.loads(value) for value in values["outcomes"]]) | {
            "predictions": values["predictions"],
            "dead": values["dead"],
        }

    def wanted(self, p, end):
        """Return what one learner after the other says, each of all its records at once."""
        messages, predictions, dead = [], [], []
        for start, said in self.states[p]:
            stop = end if said is None else said
            if stop > start:
                learner = Learner(CONFIG, p, start)
                entries = list(enumerate(self.records[p][start:stop], start))
                turn = learner.learn(Batch(p, entries, stop), answer="asked")
                messages += map(json.loads, outcomes_of(turn, learner.totals))
                predictions += map(encode, turn.predictions)
                dead += [value for _, value, _ in turn.dead]
        return self.lines(messages) | {"predictions": predictions, "dead": dead}

    @staticmethod
    def lines(messages):
        """Return outcomes without regard to where their messages begin and end."""
        ranges = []
        for message in messages:
            first, following = message["first"], message["last"] + 1
            if ranges and ranges[-1][1] == first:
                ranges[-1][1] = following
            else:
                ranges.append([first, following])
        return {
            "ranges": ranges,
            "rows": [
                row
                for message in messages
                for row in zip(*message["rows"].values(), strict=True)
            ],
            "events": [event for message in messages for event in message["events"]],
            "totals": messages[-1]["totals"] if messages else None,
        }

    def teardown(self):
        """Learn to the end: then all is said that is not lost."""
        if hasattr(self, "ending"):
            self.live(400, 50)
            committed = self.log.committed(self.group)
            assert all(committed.get(p, 0) == len(all_) for p, all_ in self.records.items())
            self.ending.close()


class OnMemory(Service):
    """With a log in memory."""

    def open(self, folder):
        """Return a log in memory."""
        return MemoryLog("s")


class OnSqlite(Service):
    """With an embedded log."""

    def open(self, folder):
        """Return a log in a new file."""
        return SqliteLog(folder / "log.db", sync="OFF")


@pytest.mark.timeout(60 + 10 * EXAMPLES)
@pytest.mark.parametrize("machine", [OnMemory, OnSqlite])
def test_whatever_befalls_a_learner_shows_nowhere(machine):
    """Its topics hold what one says that learns each partition in one go."""
    few = settings(
        max_examples=EXAMPLES,
        stateful_step_count=STEPS,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )
    run_state_machine_as_test(machine, settings=few)
