import random
import time
from contextlib import closing

import pytest

from stream.connect import connect
from stream.errors import TopicMissing
from stream.topic import samples_of
from tests.counts import some
from tests.system.campaigns import LINGERING, STARTING, moments
from tests.system.lives import KILLS, SEED, eventually, samples

PER_KILL = 3000
"""Samples of a stream for each kill on the way."""


def produce(url, limit, partitions):
    """Return the command line of a producer of samples, with marks between them."""
    drifts = [part for n in range(1, 6) for part in ("--drift", f"abrupt@{n * limit // 6}")]
    common = ["produce", "--source", "synth:Sine(seed=7)", *drifts, "--stream", url]
    return [*common, "--limit", limit, "--partitions", partitions]


def stored(log):
    """Return how many records lie in the samples topic."""
    try:
        return sum(log.topic(samples_of(log.stream)).end().values())
    except TopicMissing:
        return 0


def kill_all_the_way(nursery, folder, url, *, seed, kills, limit, partitions, plants=()):
    """Kill a producer so often, and let it end; return the kills, and those on the way."""
    rng, killed, between = random.Random(SEED + seed), 0, 0
    command = produce(url, limit, partitions)
    plants = ("small_commits", *plants)
    with closing(connect(url)) as log:
        for moment in moments(rng, kills, 0.95 * limit):
            start = time.monotonic()
            life = nursery.start(*command, cwd=folder, plants=plants)
            if stored(log) > moment:
                end = start + rng.uniform(0, STARTING)
            else:
                eventually(lambda at=moment, it=life: stored(log) > at or not it.alive)
                end = time.monotonic() + rng.uniform(0, LINGERING)
            eventually(lambda end=end: time.monotonic() > end)
            # On a slow machine one may have come to its end before we came to the kill.
            killed += life.end() == -9
            # Five marks and the classes stand in every partition, samples in one.
            between += life.code == -9 and 6 * partitions < stored(log) < limit
    last = nursery.run(*command, "--json", cwd=folder, plants=plants)
    # Besides the samples there are five marks, and the classes in front.
    sums = last.summary
    assert sums["resumed"] > 0
    assert sums["resumed"] + sums["samples"] + sums["marks"] == limit + 6
    return killed, between


def check(url, whole, limit):
    """Compare what the killed ones left with what one left that was never killed."""
    found, expected = samples(url), samples(whole)
    for p in expected:
        ids = [content["id"] for _, content in found[p] if "x" in content]
        assert len(ids) == len(set(ids))
        assert found[p] == expected[p]
    assert sum("x" in content for p in found for _, content in found[p]) == limit


@pytest.fixture
def whole(nursery, tmp_path):
    """Give a function that produces a stream in one go, and returns its address."""

    def whole(limit, partitions):
        url = f"sqlite:{tmp_path / 'whole.db'}"
        nursery.run(*produce(url, limit, partitions), cwd=tmp_path)
        return url

    return whole


@pytest.mark.timeout(120 + 10 * KILLS)
@pytest.mark.parametrize("partitions", [1, 3])
def test_a_killed_producer_shows_nowhere(nursery, tmp_path, whole, report, partitions):
    """Killed at random, it leaves each sample once, in the order of one never killed."""
    kills = KILLS // 2
    limit, url = PER_KILL * kills, f"sqlite:{tmp_path / 's.db'}"

    killed, between = kill_all_the_way(
        nursery, tmp_path, url, seed=partitions, kills=kills, limit=limit, partitions=partitions
    )

    report(kills=killed, between=between)
    check(url, whole(limit, partitions), limit)
    assert between >= 0.8 * kills


@pytest.mark.kafka
@pytest.mark.timeout(120 + 10 * KILLS)
@pytest.mark.parametrize("partitions", [1, 3])
def test_it_shows_nowhere_on_kafka(nursery, tmp_path, kafka_stream, whole, report, partitions):
    """On Kafka as well each sample is there once, in the same order."""
    kills = KILLS // 6
    limit = PER_KILL * kills

    killed, between = kill_all_the_way(
        nursery,
        tmp_path,
        kafka_stream,
        seed=partitions,
        kills=kills,
        limit=limit,
        partitions=partitions,
    )

    report(kills=killed, between=between)
    check(kafka_stream, whole(limit, partitions), limit)
    assert between >= 0.8 * kills


@pytest.mark.parametrize("plant", some("row_too_high", "row_too_low", short=1))
def test_a_planted_bug_is_caught(nursery, tmp_path, whole, report, plant):
    """The comparison sees a producer that goes on one row beside where it stopped."""
    limit, url = 4 * PER_KILL, f"sqlite:{tmp_path / 's.db'}"

    kill_all_the_way(
        nursery,
        tmp_path,
        url,
        seed=9,
        kills=4,
        limit=limit,
        partitions=1,
        plants=[plant],
    )

    with pytest.raises(AssertionError):
        check(url, whole(limit, 1), limit)
    report(caught=1)
