"""A broker that is not up yet, is killed, and stays away: whoever speaks to it goes on."""

import os
import random
import re
import signal
import time
from contextlib import closing
from urllib.request import urlopen

import pytest

from tests.counts import number
from tests.system.lives import PATIENCE, Told, eventually
from tests.system.streams import TREE, check_undisturbed, produce
from tools.kafka import Broker, BrokerError, java

KILLS = number("BROKER_KILLS", 1)
"""Times that the broker is killed, and as many that it stays away."""
DOWN = number("BROKER_DOWN", 4)
"""Seconds for which it stays away."""

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300 + KILLS * (2 * DOWN + 60))]

RATE, LIMIT = 400, 2000 * KILLS
SAYS = re.compile(r"waiting for Kafka at \S+, (\d+) s")


@pytest.fixture
def mortal():
    """Give a broker that is not up yet."""
    try:
        java("server", "kafka.Kafka")
    except BrokerError as error:
        if "CI" in os.environ:
            raise
        pytest.skip(str(error))
    broker = Broker()
    yield broker
    broker.kill()


def test_a_broker_that_is_away_costs_nothing(mortal, nursery, tmp_path, report):
    """Learner, producer and monitor wait for it, say so now and then, and lose nothing."""
    rng, broker = random.Random(KILLS), mortal
    url = f"kafka://{broker.address}/away"
    began = time.monotonic()
    how = ("--stream", url)
    services = {
        "learner": ("learn", "--state", tmp_path / "state", *TREE, "--turn", 50, "--json"),
        "producer": produce(LIMIT, "--rate", RATE, "--json"),
        "monitor": ("monitor", "--port", 0, "--json"),
    }
    lives = {
        name: nursery.start(*command, *how, cwd=tmp_path, plants=("unhurried",))
        for name, command in services.items()
    }
    learner, producer, monitor = lives.values()
    for life in lives.values():
        life.said("waiting for Kafka")
    broker.start()
    away, outages = time.monotonic() - began, 1
    with closing(Told(url)) as told:
        # Killed and up again at once it is away as well, for as long as it takes to start.
        for n in range(2 * KILLS) if KILLS > 1 else [1]:
            until(told, (n + rng.random()) / (2 * KILLS + 1) * LIMIT, lives)
            broker.kill()
            gone = time.monotonic()
            time.sleep(DOWN if n % 2 else 0)
            broker.start()
            away, outages = away + time.monotonic() - gone, outages + 1
        assert producer.wait() == 0, producer.err
        end = told.log.topic(f"{told.log.stream}.samples").end()
        eventually(lambda: told.follow(0.02) == end or not learner.alive)
        eventually(lambda: shown_by(monitor) == LIMIT or not monitor.alive)
        for life in (learner, monitor):
            assert life.end(signal.SIGTERM) == 0, life.err
        check_undisturbed(told, nursery, url, LIMIT, cwd=tmp_path)
    assert monitor.summary["learners"]["main"]["labelled"] == LIMIT
    said = {name: len(SAYS.findall(life.err)) for name, life in lives.items()}
    report(outages=outages, away=round(away), **said)
    assert all(0 < lines <= away / 2 for lines in said.values())
    # A line for a person, not the client's own for each try of its own.
    assert all("[error" not in life.err for life in lives.values())


def shown_by(monitor):
    """Return how many labelled samples a monitor shows."""
    url = re.search(r"Metrics: (\S+)", monitor.said("Metrics: "))[1]
    with urlopen(url, timeout=30) as answer:
        counts = re.findall(
            r"^driftline_labelled_total\{.*\} (\S+)", answer.read().decode(), re.M
        )
    return sum(map(float, counts))


def until(told, number, lives):
    """Wait until so many offsets are told of, while everybody lives."""

    def look():
        for name, life in lives.items():
            assert life.alive or (name == "producer" and life.code == 0), life.err
        return sum(told.follow(0.02).values()) > number

    eventually(look, 2 * PATIENCE)
