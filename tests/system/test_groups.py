"""Several learners of one name on Kafka: they come and go, freeze and die; it shows nowhere.

The environment's DRIFTLINE_REBALANCES and DRIFTLINE_ZOMBIES say how often the first and the
second are tried.
"""

import os
import random
import signal
import time
from contextlib import closing

import pytest

from tests.counts import number
from tests.system.lives import PATIENCE, Told, eventually, faults
from tests.system.streams import SGD, TREE, produce

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(240)]

REBALANCES = number("REBALANCES", 2)
ZOMBIES = number("ZOMBIES", 1)
SESSION = 6000 if "KAFKA_BOOTSTRAP_SERVERS" in os.environ else 2500
"""Milliseconds after which a silent member is taken for dead; Kafka's own least is 6000."""
LONG = 30_000
"""Milliseconds that nobody should have to wait for."""
BIG = 2000
"""Records of a turn of one who is not watched; where turns end shows nowhere."""


@pytest.fixture
def learn(nursery, tmp_path, kafka_stream):
    """Give a function that starts a learner; all share one folder of checkpoints and a key."""
    (tmp_path / "key").write_text("k" * 40)
    lives = []

    def learn(*how, session=SESSION, turn=50, plants=("unhurried",)):
        toml = f"[kafka]\nsession_timeout_ms = {session}\ntransaction_timeout_ms = 6000\n"
        (tmp_path / "driftline.toml").write_text(toml + "heartbeat_interval_ms = 200\n")
        common = ("--stream", kafka_stream, "--state", tmp_path / "state", "--turn", turn)
        key = ("--key-file", tmp_path / "key")
        lives.append(nursery.start("learn", *common, *key, *how, cwd=tmp_path, plants=plants))
        return lives[-1]

    yield learn
    for life in lives:
        life.send(signal.SIGCONT)
        life.end()


@pytest.fixture
def told(kafka_stream):
    """Give what the learner says, read along by somebody outside."""
    with closing(Told(kafka_stream)) as told:
        yield told


def beyond(told, number, *lives):
    """Wait until so many offsets are told of, while some learners live."""

    def look():
        assert all(life.alive for life in lives), lives[-1].err
        return sum(told.follow(0.02).values()) > number

    eventually(look, 2 * PATIENCE)


def check(told, learn, settings, url):
    """Hold what several have said against what one says who is never disturbed."""
    last = learn(*settings, "--until-end", turn=BIG, plants=())
    assert last.wait(2 * PATIENCE) == 0, last.err
    oracle = learn(*settings, "--until-end", "--name", "oracle", turn=BIG, plants=())
    assert oracle.wait(2 * PATIENCE) == 0, oracle.err
    with closing(Told(url, "oracle")) as undisturbed:
        assert faults(told, undisturbed, exactly_once=True) == []


@pytest.mark.parametrize("round_", range(ZOMBIES))
def test_a_frozen_learner_that_wakes_says_nothing_twice(
    learn, told, nursery, tmp_path, kafka_stream, round_
):
    """Another takes over while it sleeps; awake, it finds its place lost and joins again."""
    nursery.run(*produce(6000, "--stream", kafka_stream), cwd=tmp_path)
    frozen = learn(*TREE)
    beyond(told, random.Random(round_).randint(300, 1500), frozen)
    frozen.send(signal.SIGSTOP)
    other = learn(*TREE)
    beyond(told, sum(told.said.values()) + 1000, other)
    frozen.send(signal.SIGCONT)
    frozen.said("joining again")
    beyond(told, sum(told.said.values()) + 200, frozen, other)
    for life in (frozen, other):
        assert life.end(signal.SIGTERM) == 0, life.err
    check(told, learn, TREE, kafka_stream)


def test_of_two_with_one_member_name_the_older_ends(
    learn, told, nursery, tmp_path, kafka_stream
):
    """Frozen or not, it leaves with 1 and a sentence, and nothing is said twice."""
    nursery.run(*produce(4000, "--stream", kafka_stream), cwd=tmp_path)
    first = learn(*TREE, "--member", "a", session=LONG)
    beyond(told, 300, first)
    first.send(signal.SIGSTOP)
    second = learn(*TREE, "--member", "a", session=LONG)
    # It need not wait for the session of the first to run out.
    begun = time.monotonic()
    beyond(told, sum(told.said.values()) + 300, second)
    assert time.monotonic() - begun < LONG / 1000
    first.send(signal.SIGCONT)
    third = learn(*TREE, "--member", "a", session=LONG)
    for life in (first, second):
        assert life.wait() == 1, [each.err for each in (first, second, third)]
        assert life.err.splitlines()[-1].startswith("driftline: another process")
        assert "Traceback" not in life.err
    beyond(told, sum(told.said.values()) + 100, third)
    assert third.end(signal.SIGTERM) == 0, third.err
    check(told, learn, TREE, kafka_stream)


def test_of_two_that_start_at_once_under_one_name_no_more_than_one_goes_on(
    learn, told, nursery, tmp_path, kafka_stream
):
    """The other leaves with 1 and a sentence; whoever starts next finds all in order."""
    nursery.run(*produce(3000, "--stream", kafka_stream), cwd=tmp_path)
    both = [learn(*TREE, "--member", "a", session=LONG) for _ in range(2)]
    eventually(lambda: not all(life.alive for life in both))
    # Each may have taken one half of the place from the other: then neither goes on.
    then = sum(told.follow(0.02).values())

    def over():
        return sum(told.follow(0.02).values()) > then + 300 or not any(e.alive for e in both)

    eventually(over)
    for life in both:
        if not life.alive:
            assert life.code == 1
            assert life.err.splitlines()[-1].startswith("driftline: another process")
    living = [life for life in both if life.alive] or [learn(*TREE, "--member", "a")]
    beyond(told, then + 300, *living)
    assert [life.end(signal.SIGTERM) for life in living] == [0]
    check(told, learn, TREE, kafka_stream)


@pytest.mark.parametrize("round_", range(REBALANCES))
def test_learners_that_come_and_go_say_each_outcome_once(
    learn, told, nursery, tmp_path, kafka_stream, report, round_
):
    """Up to three share six partitions, or four; some end, some are killed."""
    rng, partitions = random.Random(round_), (6, 4)[round_ % 2]
    settings = (TREE, SGD)[round_ % 2]
    more = ("--partitions", partitions, "--stream", kafka_stream)
    samples = 2000 * partitions
    nursery.run(*produce(samples, *more), cwd=tmp_path)
    living, lives, deeds = [learn(*settings)], [], []
    for deed in ["join", *rng.choices(("join", "leave", "die"), k=6)]:
        # While a share is waited for the others may learn all there is.
        then = sum(told.said.values()) + rng.randint(50, 600)
        beyond(told, min(then, samples - 1))
        if deed == "join" and len(living) < 3:
            living.append(learn(*settings))
            living[-1].said("are this learner's")
        elif deed != "join" and len(living) > 1:
            lives.append(living.pop(rng.randrange(len(living))))
            lives[-1].end(signal.SIGTERM if deed == "leave" else signal.SIGKILL)
        else:
            continue
        deeds.append(deed)
    for life in living:
        assert life.end(signal.SIGTERM) == 0, life.err
    check(told, learn, settings, kafka_stream)
    moved = sum(life.err.count("are this learner's") for life in (*living, *lives))
    report(deeds="+".join(deeds), rounds=moved)
