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


@pytest.mark.timeout(120 + 10 * KILLS)
@pytest.mark.parametrize(("seed", "name"), [*zip((29, 44, 50), POLICIES, strict=True)])
def test_several_models_killed_on_kafka_show_nowhere(
    campaign, nursery, tmp_path, kafka_stream, report, seed, name
):
    """Each of several models, and who serves, goes on from its checkpoint and no later."""
    kills = max(3, round(0.1 * KILLS))
    # A champion with challengers is a dozen models, and slow on a busy machine.
    samples = 150 if name == "champion" else 400
    end = fill(nursery, kafka_stream, samples * kills, cwd=tmp_path)

    plants = ["frequent_checkpoints", "unhurried"]
    counts = campaign(
        kafka_stream, POLICIES[name], 50, seed=seed, kills=kills, end=end, plants=plants
    )

    check(counts, report)
