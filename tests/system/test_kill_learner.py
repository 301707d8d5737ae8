import pytest

from tests.system.campaigns import check
from tests.system.lives import KILLS
from tests.system.streams import SEVERAL, SGD, TREE, fill, produce, spoil


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
def test_several_models_that_are_killed_show_nowhere(campaign, nursery, tmp_path, report):
    """So does a champion with challengers, each of which is several models itself."""
    kills = max(3, round(0.1 * KILLS))
    url = f"sqlite:{tmp_path / 's.db'}"
    end = fill(nursery, url, 400 * kills, cwd=tmp_path)

    plants = ["frequent_checkpoints", "unhurried"]
    counts = campaign(url, SEVERAL, 50, seed=4, kills=kills, end=end, plants=plants)

    check(counts, report)


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
