"""The stack while its containers are killed, come and go: it shows in nothing that is said.

The environment's DRIFTLINE_COMPOSE_KILLS says how often each service is killed.
"""

import contextlib
import json
import random
import re
import time
from contextlib import closing

import pytest

from stream.connect import connect
from stream.errors import TopicTimeout
from stream.topic import samples_of
from tests.compose.stack import PATIENCE
from tests.counts import number
from tests.system.lives import SEED, Told, eventually, faults, process
from tests.system.streams import KINDS, TREE, drifts, seen, spoil

KILLS = number("COMPOSE_KILLS", 1)
"""Kills of each of the services that are killed."""
KILLED = ("learner", "producer", "kafka")
RATE = 300
SHARE = re.compile(r"partitions=\[([\d, ]*)\] of 3 are this learner's")
SOURCE = ("--source", "synth:Sine(seed=7)", *drifts(60_000), "--label-delay", "300")

pytestmark = pytest.mark.timeout(900 + 180 * KILLS)


@pytest.fixture
def stack(start):
    """Give a stack that is not up yet, of samples whose labels come late."""
    produce = " ".join((*SOURCE, "--partitions", "3", "--rate", str(RATE)))
    return start(PRODUCE=produce, LEARN=" ".join((*TREE, "--turn", "50")))


def test_what_befalls_containers_shows_nowhere(stack, tmp_path, report):
    """Started in the wrong order, killed, scaled, taken down: as if nothing had been."""
    rng = random.Random(SEED + KILLS)
    for service in ("learner", "monitor", "producer"):
        stack.up("--no-deps", service)
    eventually(lambda: stack.logs().count("waiting for Kafka") >= 3, PATIENCE)
    stack.up("kafka")
    with closing(Told(stack.stream)) as told:
        eventually(lambda: sum(told.follow(0.1).values()) > 0, PATIENCE)
        spoil(stack.stream, 7)
        order = [service for service in KILLED for _ in range(KILLS)]
        rng.shuffle(order)
        longest = 0.0
        for service in order:
            time.sleep(rng.uniform(0, 3))
            began = time.monotonic()
            stack.kill(service)
            goes_on(told)
            longest = max(longest, time.monotonic() - began)
        scale(stack, told, 3)
        scale(stack, told, 1)
        stack.compose("down")
        stack.up("kafka", "producer", "learner", "monitor")
        goes_on(told)
        stack.compose("stop", "producer")
        written = check_samples(stack, told, tmp_path)
        # None had to be helped: whatever was killed came back by itself.
        check_outcomes(stack, told)
    report(kills=len(order), longest=round(longest, 1), samples=written)


def goes_on(told):
    """Wait until the producer writes and the learner learns what it has written since."""
    before = ends(told)
    eventually(lambda: all(end > before[p] for p, end in ends(told).items()), PATIENCE)
    learned(told)


def learned(told):
    """Wait until the learner has said all of what is written by now."""
    written = ends(told)
    eventually(lambda: all(told.follow(0.1).get(p, 0) >= written[p] for p in written), PATIENCE)


def ends(told):
    """Return where the samples end, from a broker that may be about to come up again."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return told.log.topic("demo.samples").end()
        except TopicTimeout:
            assert time.monotonic() < deadline


def scale(stack, told, learners):
    """Have so many learners, and wait until each of them has its share."""
    stack.up("--no-deps", "--no-recreate", "--scale", f"learner={learners}", "learner")
    eventually(lambda: len(stack.containers("learner")) == learners, PATIENCE)
    eventually(lambda: shares(stack) == [3 // learners] * learners, PATIENCE)
    goes_on(told)


def shares(stack):
    """Return how many partitions each learner says it has."""
    said = [stack.said(container) for container in stack.containers("learner")]
    return [len(SHARE.findall(text)[-1].split()) if SHARE.search(text) else 0 for text in said]


def check_samples(stack, told, tmp_path):
    """Hold the samples against those of one who is never disturbed; return how many."""
    found = said(stack.stream)
    written = sum("x" in content for records in found.values() for _, content in records)
    whole = f"sqlite:{tmp_path / 'whole.db'}"
    how = ("--limit", str(2 * written), "--partitions", "3", "--stream", whole)
    with process("produce", *SOURCE, *how, cwd=tmp_path) as producer:
        assert producer.wait(PATIENCE) == 0, producer.err
    expected = said(whole)
    for p, mine in found.items():
        assert len(mine) > 500
        assert mine == expected[p][: len(mine)]
    return written


def said(url):
    """Return key and content of each sample and label by partition, but no time.

    A sample that has no time in its source has that of its sending; what is no record at all
    comes from us.
    """
    found = {}
    with closing(connect(url)) as log:
        topic = log.topic(samples_of(log.stream))
        first, end = topic.first(), topic.end()
        for p in range(topic.partitions):
            found[p] = []
            for entry in topic.scan(p, first[p], end[p]):
                with contextlib.suppress(ValueError):
                    content = json.loads(entry.value)
                    content.pop("ts", None)
                    found[p].append((entry.key, content))
    return found


def check_outcomes(stack, told):
    """Hold what the learners said against what one says that nothing disturbs."""
    learned(told)
    stack.compose("stop", "learner")
    how = ("--name", "oracle", "--state", "/tmp/oracle", *TREE, "--until-end")
    stack.compose("run", "--rm", "-T", "--no-deps", "learner", "learn", *how, patience=PATIENCE)
    with closing(Told(stack.stream, "oracle")) as oracle:
        assert faults(told, oracle, exactly_once=True) == []
    mine, oracles = (seen(None, stack.stream, name, cwd=None) for name in ("main", "oracle"))
    for kind in KINDS[1:]:
        assert len(oracles[kind]) > 0
        assert mine[kind] == oracles[kind], kind
