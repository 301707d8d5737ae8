"""A network that fails between services and broker, in many ways, shows nowhere."""

import random
import time
from contextlib import closing

import pytest

from tests.counts import number
from tests.proxy import COMMIT, PRODUCE, READ, Fault
from tests.system.lives import Told, eventually
from tests.system.streams import TREE, check_undisturbed, produce

ROUNDS = number("FAULTS", 4)
"""Combinations of a fault and what it strikes; twelve are all there are."""

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(240)]

WHAT = ("latency", "reset", "timeout", "cut")
WHERE = {"produce": PRODUCE, "read": READ, "commit": COMMIT}
RATE, LIMIT = 1500, 3000
SHORT, LONG = 1.0, 13.0
"""Seconds of a fault at most: of most of them, and of some that outlast a commit's patience."""


def combination(round_):
    """Return a fault and what it strikes, such that the first twelve rounds have them all."""
    return WHAT[round_ % 4], [*WHERE][(round_ + round_ // 4) % 3]


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_faults_of_the_network_show_nowhere(
    nursery, broker, proxy, tmp_path, kafka_stream, report, round_
):
    """Nothing is lost or said twice, and nobody needs to be started again."""
    what, where = combination(round_)
    through = kafka_stream.replace(broker.address, proxy.address)
    learner = nursery.start(
        *("learn", "--stream", through, "--state", tmp_path / "state", *TREE, "--turn", 50),
        cwd=tmp_path,
        plants=("unhurried",),
    )
    command = produce(LIMIT, "--rate", RATE, "--stream", through)
    producer = nursery.start(*command, cwd=tmp_path, plants=("small_commits",))
    with closing(Told(kafka_stream)) as told:
        eventually(lambda: sum(told.follow(0.02).values()) > 0)
        struck = trouble(round_, proxy, told, (learner, producer))
        assert producer.wait() == 0, producer.err
        end = told.log.topic(f"{told.log.stream}.samples").end()
        eventually(lambda: told.follow(0.02) == end or not learner.alive)
        assert learner.end(15) == 0, learner.err
        check_undisturbed(told, nursery, kafka_stream, LIMIT, cwd=tmp_path)
    lines = (learner.err + producer.err).count("waiting for Kafka")
    report(
        what=what, where=where, struck=struck, again=learner.err.count("joining"), lines=lines
    )
    assert struck > 0


def trouble(round_, proxy, told, lives):
    """Trouble the network at random times on the way; return how many frames were struck."""
    rng, (what, where), struck = random.Random(round_), combination(round_), 0
    while sum(told.follow(0.02).values()) < 0.9 * LIMIT:
        assert all(life.alive or life.wait() == 0 for life in lives), lives[-1].err
        time.sleep(rng.uniform(0.05, 0.5))
        times = float("inf") if what in ("latency", "timeout") else rng.randint(1, 3)
        fault = Fault(what, WHERE[where], seconds=rng.uniform(0.02, 0.4), times=times)
        with proxy.trouble(fault):
            time.sleep(rng.uniform(0.2, LONG if round_ % 16 == 14 else SHORT))
        struck += fault.struck
    return struck
