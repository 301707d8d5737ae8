"""Bugs planted in a learner on purpose: a campaign that passes them over proves nothing."""

import signal
import sqlite3
from contextlib import closing

import pytest

from tests.counts import some
from tests.system.failpoints import AFTER
from tests.system.lives import PATIENCE, Told, eventually, faults
from tests.system.streams import NERVOUS, SGD, TREE, copied, produce


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
    some(
        ("cursor_too_low", TREE),
        ("cursors_first", TREE),
        ("detector_forgotten", (*SGD, "--detector", NERVOUS)),
        ("cursor_too_high", TREE),
        ("cursor_too_high", SGD),
        ("cursor_too_low", SGD),
        ("grain_forgotten", SGD),
        ("detector_forgotten", (*TREE, "--detector", NERVOUS)),
        ("sums_forgotten", TREE),
        ("questions_forgotten", TREE),
        ("cursors_last", TREE),
        ("answers_first", TREE),
        ("replay_aloud", TREE),
        ("unseeded", (*SGD, "--detector", NERVOUS)),
        short=3,
    ),
)
def test_a_planted_bug_is_caught(campaign, late, tmp_path, report, plant, settings):
    """The comparison sees a learner that keeps a little less than it should."""
    url = copied(late, tmp_path)
    # A bug that is a gap in time slows a learner by itself, and is to be hit in the gap.
    gap = plant.startswith(("cursors", "answers"))
    rest = ["deaf_to_outcomes"] if gap else ["unhurried"]
    plants = ["frequent_checkpoints", *rest, plant]
    counts = campaign(url, settings, 100, seed=5, kills=5, end=6000, plants=plants)

    assert counts.between > 0  # else it had said all there is before it was first killed
    assert counts.faults != []
    report(caught=1)


def test_a_checkpoint_before_its_outcomes_is_caught(campaign, late, tmp_path, report):
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
    report(caught=1)


@pytest.fixture
def start(nursery, tmp_path):
    """Give a function that starts a learner of a stream; whoever is left is killed."""
    (tmp_path / "key").write_text("k" * 40)
    lives = []

    def start(url, name, *more, plants=()):
        common = ("--stream", url, "--state", tmp_path / "state", "--turn", 50)
        key = ("--key-file", tmp_path / "key")
        how = (*common, *key, *TREE, "--name", name, "--until-end", *more)
        lives.append(nursery.start("learn", *how, cwd=tmp_path, plants=plants))
        return lives[-1]

    yield start
    for life in lives:
        life.send(signal.SIGCONT)
        life.end()


@pytest.mark.kafka
@pytest.mark.parametrize("plant", some("kafka_cursors_last", "kafka_cursors_first", short=1))
def test_cursors_outside_of_the_transaction_are_caught(
    start, nursery, tmp_path, kafka_stream, report, plant
):
    """The comparison sees it when outcomes and cursors are two transactions."""
    nursery.run(*produce(1000, "--stream", kafka_stream), cwd=tmp_path)
    place = ("--member", "a")  # so that nobody waits for the session of the dead

    # It dies between the two of its third turn.
    plants = ["deaf_to_outcomes", plant, f"dies_at:{AFTER}:3"]
    assert start(kafka_stream, "main", *place, plants=plants).wait() == -9
    assert start(kafka_stream, "main", *place, plants=plants[:1]).wait() == 0
    assert start(kafka_stream, "oracle", *place).wait() == 0

    with closing(Told(kafka_stream)) as told, closing(Told(kafka_stream, "oracle")) as oracle:
        assert faults(told, oracle, exactly_once=True) != []
    report(caught=1)


def frozen_outside_a_commit(life, url):
    """Freeze a learner; let it go on for a moment if it holds the log's only place to write."""
    life.send(signal.SIGSTOP)
    with closing(sqlite3.connect(url.removeprefix("sqlite:"), timeout=0.2)) as log:
        try:
            log.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            life.send(signal.SIGCONT)
            return False
    return True


@pytest.mark.parametrize("plant", ["unhurried", "unfenced"])
def test_an_older_learner_that_is_not_fenced_is_caught(start, late, tmp_path, report, plant):
    """One that wakes up after another took its place would say things twice, and is seen to."""
    url = copied(late, tmp_path)
    with closing(Told(url)) as told, closing(Told(url, "oracle")) as oracle:
        older = start(url, "main", plants=["unhurried", plant])
        eventually(lambda: sum(told.follow().values()) > 500)
        eventually(lambda: frozen_outside_a_commit(older, url))
        assert start(url, "main").wait(2 * PATIENCE) == 0
        older.send(signal.SIGCONT)
        code = older.wait()
        assert start(url, "oracle").wait(2 * PATIENCE) == 0
        found = faults(told, oracle, exactly_once=True)
    if plant == "unfenced":
        assert found != []
        report(caught=1)
    else:
        assert (code, found) == (1, [])


@pytest.mark.parametrize("plant", ["unhurried", "unsynced"])
def test_a_checkpoint_that_is_not_synced_is_caught(start, late, tmp_path, report, plant):
    """Who never asks for it is never met at the place where it was done."""
    life = start(copied(late, tmp_path), "main", plants=["dies_at:file synced:1", plant])

    assert life.wait() == (-9 if plant == "unhurried" else 0), life.err
    if plant == "unsynced":
        report(caught=1)
