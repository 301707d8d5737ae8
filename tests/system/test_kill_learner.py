import random

import pytest

from stream.connect import connect
from stream.sqlite import SqliteLog
from stream.topic import samples_of
from tests.system.campaigns import Campaign
from tests.system.lives import KILLS

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
    log = connect(url)
    topic = log.topic(samples_of(log.stream))
    writer = log.writer("spoiler")
    for number in range(records):
        partition = number % topic.partitions
        writer.append(topic.name, b'{"oops": %d' % number, partition=partition)
    writer.commit()
    writer.close()
    log.close()


def check(counts, report, **more):
    """Print the counts, and hold them against what was promised."""
    report(kills=counts.kills, between=counts.between, replayed=counts.replayed, **more)
    assert counts.faults == []
    assert counts.surprises == []
    assert counts.between >= 0.8 * counts.kills
    assert counts.replayed >= 0.5 * counts.kills


@pytest.fixture
def campaign(nursery, tmp_path):
    """Give a function that kills a learner of a stream again and again."""

    def campaign(
        url, settings, turn, *, seed, kills, end, exactly_once=True, plants=(), beside=None
    ):
        state, key = tmp_path / "state", tmp_path / "key"
        key.write_text("k" * 40)

        def learn(name, *more):
            common = ["--stream", url, "--state", state, "--turn", turn, "--name", name]
            # Who has a name of its own need not wait for its last life's session to run out.
            common += ["--member", "a", "--key-file", key]
            # Nobody plants a bug in the oracle.
            planted = plants if name == "main" else ()
            return nursery.start(
                "learn", *common, *settings, *more, cwd=tmp_path, plants=planted
            )

        killing = Campaign(url, state, learn, exactly_once=exactly_once, beside=beside)
        return killing.run(random.Random(seed), kills, end)

    return campaign


@pytest.mark.timeout(120 + 10 * KILLS)
def test_a_killed_tree_shows_nowhere(campaign, nursery, tmp_path, report):
    """A tree killed at random says each outcome once, and all as if it had never died."""
    kills = round(0.4 * KILLS)
    limit, url = 1000 * kills, f"sqlite:{tmp_path / 's.db'}"
    nursery.run(*produce(limit), "--stream", url, cwd=tmp_path)

    counts = campaign(
        url, TREE, 50, seed=1, kills=kills, end=limit, plants=["frequent_checkpoints"]
    )

    check(counts, report)


@pytest.mark.timeout(120 + 10 * KILLS)
def test_a_killed_sgd_shows_nowhere(campaign, nursery, tmp_path, report):
    """So do two with grains of 256, labels that come late, and records that are none."""
    kills = round(0.35 * KILLS)
    limit, url = 1200 * kills, f"sqlite:{tmp_path / 's.db'}"
    late = ("--partitions", 2, "--label-delay", 300)
    nursery.run(*produce(limit // 2, *late), "--stream", url, cwd=tmp_path)
    spoil(url, 7)
    nursery.run(*produce(limit, *late), "--stream", url, cwd=tmp_path)

    check(campaign(url, SGD, 200, seed=2, kills=kills, end=3 * limit), report)


@pytest.mark.timeout(120 + 10 * KILLS)
def test_several_models_that_are_killed_show_nowhere(campaign, nursery, tmp_path, report):
    """So does a champion with challengers, each of which is several models itself."""
    kills = round(0.2 * KILLS)
    limit, url = 1000 * kills, f"sqlite:{tmp_path / 's.db'}"
    nursery.run(*produce(limit, "--label-delay", 20), "--stream", url, cwd=tmp_path)

    counts = campaign(
        url, SEVERAL, 50, seed=4, kills=kills, end=2 * limit, plants=["frequent_checkpoints"]
    )

    check(counts, report)


@pytest.mark.timeout(120 + 10 * KILLS)
def test_a_learner_killed_beside_a_producer_shows_nowhere(campaign, nursery, tmp_path, report):
    """So does one that learns while a producer writes."""
    kills = KILLS - round(0.4 * KILLS) - round(0.35 * KILLS)
    limit, url = 4000 * kills, f"sqlite:{tmp_path / 's.db'}"
    command = produce(limit, "--stream", url, "--rate", 6000)
    producer = nursery.start(*command, cwd=tmp_path, plants=["small_commits"])
    beside = []

    def look():
        beside.append(producer.alive)
        if len(beside) == kills:
            producer.wait()  # the last lives learn to the end, which must not move by then

    counts = campaign(
        url,
        (),
        100,
        seed=3,
        kills=kills,
        end=limit,
        beside=look,
    )

    assert producer.wait() == 0
    check(counts, report, beside_the_producer=sum(beside))
    assert sum(beside) > 0


@pytest.mark.kafka
@pytest.mark.timeout(120 + 10 * KILLS)
@pytest.mark.parametrize(
    ("settings", "partitions", "share"), [(TREE, 1, 0.6), (SGD, 3, 0.4)], ids=["tree", "sgd"]
)
def test_kills_show_nowhere_on_kafka(
    campaign, nursery, tmp_path, kafka_stream, report, settings, partitions, share
):
    """On Kafka, too, whoever reads what is committed sees each outcome once."""
    kills = round(share * KILLS / 3)
    limit = 1000 * kills
    more = ("--partitions", partitions, "--stream", kafka_stream)
    nursery.run(*produce(limit, *more), cwd=tmp_path)

    counts = campaign(kafka_stream, settings, 50, seed=partitions, kills=kills, end=limit)

    check(counts, report)


@pytest.mark.kafka
@pytest.mark.timeout(120 + 10 * KILLS)
def test_kills_at_least_once_lose_nothing_on_kafka(
    campaign, nursery, tmp_path, kafka_stream, report
):
    """At least once nothing is lost, and what is said twice is the same in every column."""
    kills = max(3, round(0.3 * KILLS / 3))
    limit = 1000 * kills
    nursery.run(*produce(limit, "--stream", kafka_stream), cwd=tmp_path)

    counts = campaign(
        kafka_stream,
        (*TREE, "--delivery", "at-least-once"),
        50,
        seed=9,
        kills=kills,
        end=limit,
        exactly_once=False,
    )

    check(counts, report)


@pytest.mark.kafka
@pytest.mark.timeout(120 + 10 * KILLS)
def test_kills_within_a_transaction_show_nowhere(campaign, nursery, tmp_path, kafka_stream):
    """What was sent and not committed is never read, nor are its cursors."""
    kills = max(3, KILLS // 10)
    limit = 1000 * kills
    nursery.run(*produce(limit, "--stream", kafka_stream), cwd=tmp_path)

    plants = ["frequent_checkpoints", "long_transactions"]
    counts = campaign(kafka_stream, TREE, 100, seed=10, kills=kills, end=limit, plants=plants)

    assert counts.between > 0
    assert counts.faults == []
    assert counts.surprises == []


@pytest.mark.kafka
@pytest.mark.parametrize("plant", ["kafka_cursors_first", "kafka_cursors_last"])
def test_cursors_outside_of_the_transaction_are_caught(
    campaign, nursery, tmp_path, kafka_stream, plant
):
    """The comparison sees it when outcomes and cursors are two transactions."""
    nursery.run(*produce(3000, "--stream", kafka_stream), cwd=tmp_path)

    plants = ["frequent_checkpoints", "deaf_to_outcomes", plant]
    counts = campaign(kafka_stream, TREE, 100, seed=8, kills=3, end=3000, plants=plants)

    assert counts.between > 0
    assert counts.faults != []


@pytest.fixture(scope="module")
def late(nursery, tmp_path_factory):
    """Give an embedded log in which labels come late and the world changes five times."""
    folder = tmp_path_factory.mktemp("late")
    url = f"sqlite:{folder / 's.db'}"
    more = ("--label-delay", 30, "--stream", url)
    nursery.run(*produce(3000, *more), cwd=folder)
    return url


def test_less_of_a_promise_is_kept_as_well(campaign, late, tmp_path):
    """On an embedded log that delivers at least once, kills show nowhere either."""
    counts = campaign(
        copied(late, tmp_path),
        TREE,
        100,
        seed=4,
        kills=5,
        end=6000,
        exactly_once=False,
        plants=["at_least_once", "frequent_checkpoints"],
    )

    assert counts.faults == []


@pytest.mark.parametrize(
    ("plant", "settings"),
    [
        ("cursor_too_high", TREE),
        ("cursor_too_low", TREE),
        ("cursor_too_high", SGD),
        ("cursor_too_low", SGD),
        ("grain_forgotten", SGD),
        ("detector_forgotten", (*TREE, "--detector", NERVOUS)),
        ("detector_forgotten", (*SGD, "--detector", NERVOUS)),
        ("sums_forgotten", TREE),
        ("questions_forgotten", TREE),
        ("cursors_first", TREE),
        ("cursors_last", TREE),
    ],
)
def test_a_planted_bug_is_caught(campaign, late, tmp_path, plant, settings):
    """The comparison sees a learner that keeps a little less than it should."""
    url = copied(late, tmp_path)
    # A bug that is a gap in time slows a learner by itself, and is to be hit in the gap.
    rest = ["deaf_to_outcomes"] if plant.startswith("cursors") else ["unhurried"]
    plants = ["frequent_checkpoints", *rest, plant]
    counts = campaign(url, settings, 100, seed=5, kills=5, end=6000, plants=plants)

    assert counts.between > 0  # else it had said all there is before it was first killed
    assert counts.faults != []


def test_a_checkpoint_before_its_outcomes_is_caught(campaign, late, tmp_path):
    """Where a log promises less, a checkpoint that comes too early loses outcomes."""
    counts = campaign(
        copied(late, tmp_path),
        TREE,
        100,
        seed=6,
        kills=5,
        end=6000,
        exactly_once=False,
        plants=["at_least_once", "frequent_checkpoints", "checkpoint_first"],
    )

    assert any("all before" in fault for fault in counts.faults)


def copied(url, folder):
    """Return the address of a copy of an embedded log."""
    path = folder / "s.db"
    original = SqliteLog(url.removeprefix("sqlite:"))
    original.connection().execute("VACUUM INTO ?", (str(path),))
    original.close()
    return f"sqlite:{path}"
