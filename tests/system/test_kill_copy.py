import random
import signal
import time
import uuid
from contextlib import closing

import pytest

from stream.connect import connect
from stream.errors import TopicMissing
from stream.records import encode
from stream.topic import samples_of
from tests.counts import some
from tests.system.campaigns import LINGERING, STARTING, moments
from tests.system.lives import KILLS, SEED, eventually, samples

PER_KILL = 2000
"""Orders for each kill on the way; three of four are paid for."""
MAPPING = '{"id": "order.id", "ts": "at", "x": ["order.lines"]}'
PAID = '{"id": "for.order", "y": "paid"}'
MARGIN = 700
"""Orders by which the clock of payments is behind, so that labels are held back."""


def contents(orders):
    """Yield (topic, partition, time, content) of what shops and banks would write."""
    rng = random.Random(orders)
    for n in range(orders):
        at = 1_700_000_000.0 + n
        order = {"order": {"id": f"o-{n}", "lines": [{"price": rng.random()}]}, "at": at}
        yield 0, n % 3, at, order
        if n % 4:
            late = at + rng.choice([5.0, 50.0, -MARGIN])
            yield 1, n % 2, late, {"for": {"order": f"o-{n}"}, "paid": n % 5 == 0}


def write_foreign(urls, names, orders):
    """Write orders and payments to topics of their own, at these addresses of logs."""
    logs = [connect(url) for url in urls]
    for log, name, partitions in zip(logs, names, (3, 2), strict=True):
        log.create(name, partitions=partitions)
    writers = [log.writer(f"foreign {name}") for log, name in zip(logs, names, strict=True)]
    found = list(contents(orders))
    for which in (0, 1):
        mine = sorted((it for it in found if it[0] == which), key=lambda it: it[2])
        for n, (_, p, at, content) in enumerate(mine):
            writers[which].append(names[which], encode(content), partition=p, timestamp=at)
            if n % 5000 == 0:
                writers[which].commit()
        writers[which].commit()
    for log in logs:
        log.close()


def produce(url, sources, partitions):
    """Return the command line of a copy of both topics."""
    common = ["produce", "--source", sources[0], "--labels", sources[1], "--until-end"]
    mappings = ["--mapping", MAPPING, "--labels-mapping", PAID]
    return [*common, *mappings, "--stream", url, "--partitions", partitions]


def stored(log):
    """Return how many records lie in the samples topic."""
    try:
        return sum(log.topic(samples_of(log.stream)).end().values())
    except TopicMissing:
        return 0


def kill_all_the_way(nursery, folder, command, url, *, seed, kills, records, plants=()):
    """Kill a copy so often, and let it end; return the kills, and those on the way."""
    rng, killed, between = random.Random(SEED + seed), 0, 0
    plants = ("small_commits", *plants)
    with closing(connect(url)) as log:
        for moment in moments(rng, kills, 0.95 * records):
            start = time.monotonic()
            life = nursery.start(*command, cwd=folder, plants=plants)
            if stored(log) > moment:
                end = start + rng.uniform(0, STARTING)
            else:
                eventually(lambda at=moment, it=life: stored(log) > at or not it.alive)
                end = time.monotonic() + rng.uniform(0, LINGERING)
            eventually(lambda end=end: time.monotonic() > end)
            killed += life.end() == -9
            between += life.code == -9 and 0 < stored(log) < records
    nursery.run(*command, "--json", cwd=folder, plants=plants)
    return killed, between


def check(url, whole, orders):
    """Compare what the killed ones left with what one left that was never killed."""
    found, expected = samples(url, timed=True), samples(whole, timed=True)
    for p in expected:
        assert found[p] == expected[p]
    everything = [content for p in found for _, content in found[p]]
    asked = [it["id"] for it in everything if "x" in it]
    told = [it["id"] for it in everything if "x" not in it]
    assert sorted(asked) == sorted(f"o-{n}" for n in range(orders))
    assert sorted(told) == sorted(f"o-{n}" for n in range(orders) if n % 4)
    for records in found.values():
        place = {it["id"]: n for n, (_, it) in enumerate(records) if "x" in it}
        late = [n > place[it["id"]] for n, (_, it) in enumerate(records) if "x" not in it]
        assert all(late)


def records_of(orders):
    """Return how many records come of so many orders."""
    return orders + sum(1 for n in range(orders) if n % 4)


@pytest.fixture
def campaign(nursery, tmp_path):
    """Give a function that kills a copy of sources on its way to `url`, and tells of it."""

    def campaign(sources, url, *, orders, kills, partitions, plants=()):
        whole = f"sqlite:{tmp_path / 'whole.db'}"
        nursery.run(*produce(whole, sources, partitions), cwd=tmp_path)
        killed, between = kill_all_the_way(
            nursery,
            tmp_path,
            produce(url, sources, partitions),
            url,
            seed=partitions,
            kills=kills,
            records=records_of(orders),
            plants=plants,
        )
        return whole, killed, between

    return campaign


@pytest.fixture
def embedded(tmp_path):
    """Give a function that writes both topics to embedded logs, and gives their addresses."""

    def embedded(orders):
        urls = [f"sqlite:{tmp_path / f'{name}.db'}" for name in ("orders", "payments")]
        write_foreign(urls, ["local.samples", "local.samples"], orders)
        return urls

    return embedded


@pytest.mark.timeout(120 + 10 * KILLS)
@pytest.mark.parametrize("partitions", [1, 3])
def test_a_killed_copy_shows_nowhere(campaign, embedded, tmp_path, report, partitions):
    """Killed at random, it leaves each sample and each label once, in the same order."""
    kills = max(8, KILLS // 3)
    orders, url = PER_KILL * kills, f"sqlite:{tmp_path / 's.db'}"

    whole, killed, between = campaign(
        embedded(orders), url, orders=orders, kills=kills, partitions=partitions
    )

    report(kills=killed, between=between)
    check(url, whole, orders)
    assert between >= 0.7 * kills


@pytest.mark.kafka
@pytest.mark.timeout(120 + 10 * KILLS)
def test_it_shows_nowhere_on_kafka(campaign, kafka, kafka_stream, report):
    """From Kafka to Kafka as well, commits being transactions there."""
    kills = max(5, KILLS // 6)
    orders, names = PER_KILL * kills // 2, [f"Shop.{it}_{uuid.uuid4().hex[:8]}" for it in "op"]
    write_foreign([f"kafka://{kafka}/foreign"] * 2, names, orders)
    sources = [f"kafka://{kafka}/{name}" for name in names]

    whole, killed, between = campaign(
        sources, kafka_stream, orders=orders, kills=kills, partitions=2
    )

    report(kills=killed, between=between)
    check(kafka_stream, whole, orders)
    assert between >= 0.7 * kills


@pytest.mark.parametrize(
    "plant", some("state_of_before", "state_forgotten", "held_labels_forgotten", short=1)
)
def test_a_planted_bug_is_caught(campaign, embedded, tmp_path, report, plant):
    """The comparison sees a copy that goes on elsewhere than where it stopped."""
    orders, url = 4 * PER_KILL, f"sqlite:{tmp_path / 's.db'}"

    whole, _, _ = campaign(
        embedded(orders), url, orders=orders, kills=4, partitions=1, plants=[plant]
    )

    with pytest.raises(AssertionError):
        check(url, whole, orders)
    report(caught=1)


def test_a_copy_that_follows_ends_well_when_asked(nursery, embedded, tmp_path):
    """SIGTERM leaves with 0 and a summary; what came until then is there, once."""
    url = f"sqlite:{tmp_path / 's.db'}"
    command = [it for it in produce(url, embedded(400), 1) if it != "--until-end"]
    with closing(connect(url)) as log:
        for again in (False, True):
            life = nursery.start(*command, "--json", cwd=tmp_path)
            eventually(lambda: stored(log) == records_of(400))
            if again:
                life.said("going on behind it")
            assert life.end(signal.SIGTERM) == 0, life.err
            assert life.summary["stopped"]
    assert stored_once(url) == records_of(400)


def stored_once(url):
    """Return how many different records there are, none of them twice."""
    everything = [str(content) for p in samples(url).values() for _, content in p]
    assert len(everything) == len(set(everything))
    return len(everything)
