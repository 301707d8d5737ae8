import pytest

from tests.system.campaigns import check
from tests.system.lives import KILLS
from tests.system.streams import SGD, TREE, fill, produce

pytestmark = pytest.mark.kafka


@pytest.mark.timeout(120 + 10 * KILLS)
@pytest.mark.parametrize(
    ("settings", "partitions", "share"), [(TREE, 1, 0.6), (SGD, 3, 0.4)], ids=["tree", "sgd"]
)
def test_kills_show_nowhere_on_kafka(
    campaign, nursery, tmp_path, kafka_stream, report, settings, partitions, share
):
    """On Kafka, too, whoever reads what is committed sees each outcome once."""
    kills = round(share * KILLS / 3)
    more = ("--partitions", partitions)
    end = fill(nursery, kafka_stream, 400 * kills, *more, cwd=tmp_path)

    counts = campaign(kafka_stream, settings, 50, seed=partitions, kills=kills, end=end)

    check(counts, report)


@pytest.mark.timeout(120 + 10 * KILLS)
def test_kills_at_least_once_lose_nothing_on_kafka(
    campaign, nursery, tmp_path, kafka_stream, report
):
    """At least once nothing is lost, and what is said twice is the same in every column."""
    kills = max(3, round(0.3 * KILLS / 3))
    end = fill(nursery, kafka_stream, 400 * kills, cwd=tmp_path)

    counts = campaign(
        kafka_stream,
        (*TREE, "--delivery", "at-least-once"),
        50,
        seed=9,
        kills=kills,
        end=end,
        exactly_once=False,
    )

    check(counts, report)


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
