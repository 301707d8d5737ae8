import pytest

from stream.sqlite import SqliteLog
from tests.system.campaigns import check
from tests.system.lives import KILLS
from tests.system.streams import NERVOUS, SGD, TREE, fill, produce, spoil


@pytest.mark.timeout(120 + 10 * KILLS)
def test_a_killed_tree_shows_nowhere(campaign, nursery, tmp_path, report):
    """A tree killed at random says each outcome once, and all as if it had never died."""
    kills = round(0.4 * KILLS)
    url = f"sqlite:{tmp_path / 's.db'}"
    end = fill(nursery, url, 300 * kills, cwd=tmp_path)

    counts = campaign(
        url, TREE, 50, seed=1, kills=kills, end=end, plants=["frequent_checkpoints"]
    )

    check(counts, report)


@pytest.mark.timeout(120 + 10 * KILLS)
def test_a_killed_sgd_shows_nowhere(campaign, nursery, tmp_path, report):
    """So do two with grains of 256."""
    kills = round(0.35 * KILLS)
    url = f"sqlite:{tmp_path / 's.db'}"
    end = fill(nursery, url, 1200 * kills, "--partitions", 2, cwd=tmp_path)

    check(campaign(url, SGD, 200, seed=2, kills=kills, end=end), report)


@pytest.mark.timeout(120 + 10 * KILLS)
def test_a_learner_killed_beside_a_producer_shows_nowhere(campaign, nursery, tmp_path, report):
    """So does one that learns while a producer writes."""
    kills = KILLS - round(0.4 * KILLS) - round(0.35 * KILLS)
    limit, url = 2500 * kills, f"sqlite:{tmp_path / 's.db'}"
    command = produce(limit, "--stream", url, "--rate", 4000, "--label-delay", 300)
    producer = nursery.start(*command, cwd=tmp_path, plants=["small_commits"])
    beside = []

    def look():
        beside.append(producer.alive)
        if len(beside) == 1:
            spoil(url, 7)
        if len(beside) == kills:
            producer.wait()  # the last lives learn to the end, which must not move by then

    counts = campaign(
        url,
        (),
        100,
        seed=3,
        kills=kills,
        end=2 * limit,
        beside=look,
    )

    assert producer.wait() == 0
    check(counts, report, beside_the_producer=sum(beside))
    assert sum(beside) > 0


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
