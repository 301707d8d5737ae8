import pytest

from tests.system.campaigns import check
from tests.system.lives import KILLS
from tests.system.streams import SEVERAL, fill

pytestmark = pytest.mark.kafka

LOGISTIC = ("--model", "logistic")
POLICIES = {
    "auto": (*LOGISTIC, "--policy", "auto"),
    "old+both": (*LOGISTIC, "--policy", '{"name": "old+both", "after": 100, "times": 5}'),
    "champion": SEVERAL,
}
SEEDS = dict(zip(POLICIES, (29, 44, 50), strict=True))
WANTED = [*POLICIES] if KILLS > 30 else ["champion"]
"""Where few kills are wanted: the one that has both others among its challengers."""


@pytest.mark.timeout(120 + 10 * KILLS)
@pytest.mark.parametrize("name", WANTED)
def test_several_models_killed_on_kafka_show_nowhere(
    campaign, nursery, tmp_path, kafka_stream, report, name
):
    """Each of several models, and who serves, goes on from its checkpoint and no later."""
    kills = max(2, round(0.06 * KILLS))
    # Few records: a champion with challengers is a dozen models, and slow on a busy machine.
    end = fill(nursery, kafka_stream, 150 * kills, cwd=tmp_path)

    plants = ["frequent_checkpoints", "unhurried"]
    counts = campaign(
        kafka_stream, POLICIES[name], 50, seed=SEEDS[name], kills=kills, end=end, plants=plants
    )

    check(counts, report)
