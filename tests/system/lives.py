"""Processes that are started, watched and killed, and what they leave in the topics."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from stream.connect import connect
from stream.errors import TopicMissing
from stream.topic import samples_of, topic_of
from tests.counts import number

ROOT = Path(__file__).parent.parent.parent
PATIENCE = 60.0
"""Seconds after which something that should happen is taken not to."""
LOOK = 0.002
"""Seconds between two looks at something that should happen."""
KILLS = number("KILLS", 30)
"""Kills of each service on the embedded log; on Kafka a third of them."""
SEED = 1000 * number("SEED", 0)
"""Added to the seed of each campaign, so that two of them are not the same."""
COMMAND = [sys.executable, "-m", "driftline"]


def environment():
    """Return the environment of a process of ours: our checkout, none of our settings."""
    mine = {k: v for k, v in os.environ.items() if not k.startswith("DRIFTLINE_")}
    threads = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    return mine | threads | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}


def eventually(look, patience=PATIENCE):
    """Look until there is something to see, and return it; fail when patience ends."""
    deadline = time.monotonic() + patience
    while not (seen := look()):
        assert time.monotonic() < deadline, f"not within {patience:g} s: {look}"
        time.sleep(LOOK)
    return seen


class Life:
    """A process, from its start to its end, with what it says on the way."""

    def __init__(self, pid, stdout, stderr, poll):
        self.pid, self.code = pid, None
        self._stdout, self._stderr, self._poll = stdout, stderr, poll

    @property
    def alive(self):
        """Whether it has not ended yet."""
        if self.code is None:
            self.code = self._poll(self.pid)
        return self.code is None

    def send(self, number):
        """Send a signal; a process that has ended gets none, and neither does its heir."""
        if self.alive:
            os.kill(self.pid, number)

    def end(self, number=signal.SIGKILL):
        """Send a signal and return the exit code once it has come to that."""
        self.send(number)
        return self.wait()

    def wait(self, patience=PATIENCE):
        """Return the exit code once there is one; minus the signal that was the end."""
        try:
            eventually(lambda: not self.alive, patience)
        except AssertionError as error:
            raise AssertionError(f"{error}; it said:\n{self.err}") from None
        return self.code

    @property
    def out(self):
        """What it has written to stdout."""
        return self._stdout.read_text()

    @property
    def err(self):
        """What it has written to stderr."""
        return self._stderr.read_text()

    @property
    def summary(self):
        """The last line of stdout, as the JSON it should be."""
        return json.loads(self.out.splitlines()[-1])

    def said(self, text):
        """Wait until a text stands on stderr, and return all that does."""

        def look():
            told = self.err
            return told if text in told else self._ended(text)

        return eventually(look)

    def _ended(self, text):
        assert self.alive or text in self.err, f"ended without {text!r}:\n{self.err}"
        return ""


class Nursery:
    """Brings up processes that have all imports behind them; see `tests.system.nursery`."""

    def __init__(self, folder):
        self._folder, self._lives = folder, 0
        self._process = subprocess.Popen(
            [sys.executable, str(ROOT / "tests" / "system" / "nursery.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment(),
        )

    def start(self, *arguments, cwd, plants=(), variables=()):
        """Start the command line with these arguments, and perhaps bugs and variables."""
        self._lives += 1
        names = {name: self._folder / f"{self._lives}.{name}" for name in ("stdout", "stderr")}
        for path in names.values():
            path.touch()
        order = {"arguments": [*map(str, arguments)], "cwd": str(cwd), "plants": [*plants]}
        order["variables"] = dict(variables)
        pid = self._ask(order | {name: str(path) for name, path in names.items()})
        return Life(pid, **names, poll=lambda pid: self._ask({"poll": pid}))

    def run(self, *arguments, cwd, plants=()):
        """Start it, see it end well, and return it."""
        life = self.start(*arguments, cwd=cwd, plants=plants)
        assert life.wait(2 * PATIENCE) == 0, life.err
        return life

    def _ask(self, order):
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def close(self):
        """End the nursery, which ends whoever is left of those it brought up."""
        self._process.stdin.close()
        self._process.wait(PATIENCE)
        self._process.stdout.close()


@contextlib.contextmanager
def process(*arguments, cwd):
    """Start the command line as a user does; end it when it is no longer needed."""
    names = [cwd / f"{time.monotonic_ns()}.{name}" for name in ("stdout", "stderr")]
    with names[0].open("wb") as out, names[1].open("wb") as err:
        command = [*COMMAND, *map(str, arguments)]
        started = subprocess.Popen(command, cwd=cwd, stdout=out, stderr=err, env=environment())
    try:
        yield Life(started.pid, *names, poll=lambda _: started.poll())
    finally:
        started.kill()
        started.wait()


class Told:
    """What a learner has said so far, read along while it goes on saying it."""

    def __init__(self, url, name="main"):
        self.log, self.name = connect(url), name
        self.messages = {}
        self._topic = None
        self._cursor = {}

    def follow(self, wait=0.0):
        """Read what is new; return the offset to which each partition has been told."""
        with contextlib.suppress(TopicMissing):
            if self._topic is None:
                topic = self.log.topic(topic_of(self.log.stream, self.name, "outcomes"))
                self._topic, self._cursor = topic, topic.first()
                self.messages = {p: [] for p in range(topic.partitions)}
            while batches := self._topic.read(self._cursor, limit=1000, wait=wait):
                for partition, entries, following in batches:
                    self._cursor[partition] = following
                    self.messages[partition] += [json.loads(value) for _, value in entries]
                wait = 0.0
        return self.said

    def finish(self):
        """Read all there is, up to the end as it stands now."""
        self.follow()
        end = self._topic.end()
        eventually(lambda: self.follow(LOOK) and all(self._cursor[p] >= end[p] for p in end))

    @property
    def said(self):
        """The offset after the last one told of, by partition, as of the last look."""
        return {
            p: max((message["last"] + 1 for message in messages), default=0)
            for p, messages in self.messages.items()
        }

    @property
    def last(self):
        """The position of the last outcome, by partition, as of the last look."""
        return {
            p: max(max(message["rows"]["offset"], default=-1) for message in messages)
            for p, messages in self.messages.items()
            if messages
        }

    def beside(self, kind):
        """Return what stands in another topic of the learner: key, value and headers."""
        topic = self.log.topic(topic_of(self.log.stream, self.name, kind))
        first, end = topic.first(), topic.end()
        return {
            p: [(it.key, it.value, it.headers) for it in topic.scan(p, first[p], end[p])]
            for p in range(topic.partitions)
        }

    def close(self):
        """Let go of the log."""
        self.log.close()


def faults(told, oracle, *, exactly_once):
    """Name every difference between what two learners have said of the same records.

    Not where their messages begin and end, but all that is in them: each column of each
    row by its position, events, sums, predictions and dead letters. With `exactly_once`
    nothing may be said twice; without, whatever is must be the same both times.
    """
    found = []
    told.finish()
    oracle.finish()
    for p in oracle.messages:
        where = f"partition {p}"
        mine, wrong = _by_position(told.messages.get(p, []), exactly_once=exactly_once)
        theirs, sound = _by_position(oracle.messages[p], exactly_once=True)
        assert not sound, f"the oracle itself: {sound}"
        found += [f"{where}: {text}" for text in wrong]
        for what in ("rows", "events"):
            if at := [
                offset
                for offset in sorted(mine[what].keys() | theirs[what].keys())
                if mine[what].get(offset) != theirs[what].get(offset)
            ]:
                got, wanted = mine[what].get(at[0]), theirs[what].get(at[0])
                found.append(
                    f"{where}: {what} differ at {len(at)} positions, the first is {at[0]}: "
                    f"{got}, not {wanted}"
                )
        end = max(theirs["totals"])
        if end not in mine["totals"]:
            found.append(f"{where}: no totals at {end}")
        for offset in sorted(mine["totals"].keys() & theirs["totals"].keys()):
            if mine["totals"][offset] != theirs["totals"][offset]:
                found.append(f"{where}: other totals at {offset}")
                break
    for kind in ("predictions", "dead"):
        mine, theirs = told.beside(kind), oracle.beside(kind)
        for p in theirs:
            texts = mine[p] if exactly_once else _once(mine[p])
            if texts != theirs[p]:
                found.append(f"partition {p}: {len(texts)} {kind}, not the {len(theirs[p])}")
    return found


def _by_position(messages, *, exactly_once):
    """Return rows, events and totals by offset, and what is wrong with their ranges."""
    rows, events, totals, wrong = {}, {}, {}, []
    here = messages[0]["first"] if messages else 0
    for message in messages:
        first, last, columns = message["first"], message["last"], message["rows"]
        if first > here or (exactly_once and first < here):
            wrong.append(f"a message begins at {first}, all before {here} is said")
        here = max(here, last + 1)
        fresh = {
            row[0]: dict(zip(columns, row, strict=True))
            for row in zip(*columns.values(), strict=True)
        }
        if len(fresh) != len(columns["offset"]):
            wrong.append(f"{first} to {last} has a position twice")
        happened = {}
        for event in message["events"]:
            happened.setdefault(event[0], []).append(event)
        for offset in range(first, last + 1):
            for known, said in ((rows, fresh), (events, happened)):
                if offset in known and known[offset] != said.get(offset):
                    wrong.append(f"{offset} is said twice, and not the same")
        rows |= fresh
        events |= happened
        sums = message["totals"]
        if sums is not None and totals.setdefault(last, sums) != sums:
            wrong.append(f"totals of {last} are said twice, and not the same")
    return {"rows": rows, "events": events, "totals": totals}, wrong


def _once(things):
    """Return things in the order in which they came first, each once."""
    return list({repr(thing): thing for thing in things}.values())


def samples(url, *, timed=False):
    """Return all records of the samples topic by partition: key and content.

    The time of a sample that has none in its source is the hour, so it is left out.
    """
    log = connect(url)
    topic = log.topic(samples_of(log.stream))
    first, end = topic.first(), topic.end()
    found = {}
    for p in range(topic.partitions):
        found[p] = []
        for entry in topic.scan(p, first[p], end[p]):
            content = json.loads(entry.value)
            if not timed:
                content.pop("ts", None)
            found[p].append((entry.key, content))
    log.close()
    return found
