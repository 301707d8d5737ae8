"""Streams for learners to be killed on, and what somebody outside sees of their outcomes."""

import heapq
import json
import random
from contextlib import closing

from kafka import KafkaConsumer, TopicPartition

from stream.connect import connect, kafka_address
from stream.sqlite import SqliteLog
from stream.topic import samples_of, topic_of
from tests.system.lives import PATIENCE, Told, faults, samples

SOURCE = "synth:Sine(seed=7)"
# The detector is ADWIN unless told otherwise.
TREE = ("--model", "hoeffding-tree", "--policy", "reset")
SGD = ("--model", "sgd", "--policy", "reset", "--grain", "256")
SEVERAL = (
    *("--model", "logistic", "--policy", "auto", "--promotion", '{"window": 300}'),
    "--challengers",
    '[{"name": "tree", "model": "hoeffding-tree"}, {"name": "both", "policy": "old+both"}]',
)
NERVOUS = '{"class": "river.drift.ADWIN", "delta": 0.5, "clock": 1}'
"""A detector that says much, so that it shows when it has forgotten something."""

KINDS = ("outcomes", "predictions", "dead")
"""What a learner writes."""


def drifts(limit):
    """Return the options of five drifts on the way to `limit` samples."""
    return [
        option
        for n in range(1, 6)
        for option in ("--drift", f"{('recurring', 'abrupt')[n % 2]}@{n * limit // 6}")
    ]


def produce(limit, *more):
    """Return the command line of a producer of drifting samples."""
    return ["produce", "--source", SOURCE, "--limit", limit, *drifts(limit), *more]


def spoil(url, records):
    """Put records into the samples that no learner can use."""
    with closing(connect(url)) as log:
        topic = log.topic(samples_of(log.stream))
        writer = log.writer("spoiler")
        for number in range(records):
            partition = number % topic.partitions
            writer.append(topic.name, b'{"oops": %d' % number, partition=partition)
        writer.commit()
        writer.close()


def fill(nursery, url, limit, *more, cwd):
    """Fill a stream with questions, their labels and records that are none.

    It has drifts in two rounds, of half the limit and of all of it; with the labels that
    come late that makes three times as many records as the limit. Return that number.
    """
    common = ("--label-delay", 300, "--stream", url, *more)
    nursery.run(*produce(limit // 2, *common), cwd=cwd)
    spoil(url, 7)
    nursery.run(*produce(limit, *common), cwd=cwd)
    return 3 * limit


def strew(url, records, *, seed):
    """Write samples of all sorts, one after the other, and records that are none.

    Every second sample is a question whose label comes up to 60 records later, some never;
    what a label says of its sample turns round every 500 records.
    """
    rng, late = random.Random(seed), []
    with closing(connect(url)) as log:
        name = samples_of(log.stream)
        log.create(name, partitions=1)
        writer = log.writer("strewer")
        for n in range(records):
            if late and late[0][0] < n:
                record = heapq.heappop(late)[-1]
            elif rng.random() < 0.04:
                record = {"oops": n}
            else:
                a, b = rng.random(), rng.random()
                record = {"id": n, "x": {"a": a, "b": b}, "y": int((a > b) == (n % 1000 < 500))}
                if rng.random() < 0.5:
                    label = {"id": n, "y": record.pop("y")}
                    heapq.heappush(late, (n + rng.randint(2, 60), n, label))
            writer.append(name, json.dumps(record).encode(), partition=0)
            if n % 2000 == 0:
                writer.commit()
        writer.commit()
        writer.close()


def seen(nursery, url, name, *, cwd):
    """Return what an outsider sees of a learner's outcomes, predictions and dead letters.

    On Kafka that is another client of it, who reads what is committed; on the embedded log
    the lines of our own commands.
    """
    if url.startswith("sqlite:"):
        asked = ("--stream", url, "--name", name)
        return {kind: nursery.run(kind, *asked, cwd=cwd).out.splitlines() for kind in KINDS}
    servers, stream = kafka_address(url)
    return {kind: _committed(servers, topic_of(stream, name, kind)) for kind in KINDS[1:]}


def _committed(servers, topic):
    """Return partition, key, value and headers of every committed record of a topic."""
    consumer = KafkaConsumer(
        bootstrap_servers=servers,
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    with closing(consumer):
        places = [
            TopicPartition(topic, p) for p in sorted(consumer.partitions_for_topic(topic))
        ]
        consumer.assign(places)
        found = {place: [] for place in places}
        for place, end in consumer.end_offsets(places).items():
            while consumer.position(place) < end:
                for at, records in consumer.poll(100).items():
                    found[at] += [(at.partition, r.key, r.value, r.headers) for r in records]
    return [record for place in places for record in found[place]]


def copied(url, folder):
    """Return the address of a copy of an embedded log."""
    path = folder / "s.db"
    original = SqliteLog(url.removeprefix("sqlite:"))
    original.connection().execute("VACUUM INTO ?", (str(path),))
    original.close()
    return f"sqlite:{path}"


def check_undisturbed(told, nursery, url, limit, *, cwd):
    """Hold what was said against what one says whom nothing disturbs, and the samples too."""
    how = ("--state", cwd / "state", *TREE, "--until-end", "--name", "oracle")
    oracle = nursery.start("learn", "--stream", url, *how, cwd=cwd)
    assert oracle.wait(2 * PATIENCE) == 0, oracle.err
    ids = [it["id"] for records in samples(url).values() for _, it in records if "id" in it]
    assert sorted(ids) == [*range(limit)]
    with closing(Told(url, "oracle")) as undisturbed:
        assert faults(told, undisturbed, exactly_once=True) == []
