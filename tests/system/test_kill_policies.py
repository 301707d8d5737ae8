"""Learners with policies that keep much of the past, killed again and again."""

import json

import pytest

from tests.system.campaigns import check
from tests.system.lives import KILLS
from tests.system.streams import copied, spoil

DRIFTS = '{"name": "ddm", "calm": 30}'
OFTEN = '{"class": "river.drift.ADWIN", "delta": 0.3, "clock": 1}'
SGD = {"class": "sklearn.linear_model.SGDClassifier", "learning_rate": "constant", "eta0": 0.05}
LOGISTIC = ("--model", "logistic", "--detector", OFTEN, "--direction", "any")
POLICIES = {
    "warm-swap": ({}, ("--model", "naive-bayes", "--detector", DRIFTS)),
    "refit-window": (
        {"window": 300, "every": 200, "on_drift": True},
        ("--model", "hoeffding-tree", "--detector", OFTEN, "--watch-inputs", 2),
    ),
    "refit-all": ({"budget": 400, "every": 500}, LOGISTIC),
    "faster": ({"samples": 150, "gradual": True}, LOGISTIC),
    "replay": (
        {"size": 200},
        ("--model", json.dumps(SGD), "--grain", 64, "--classes", "false,true"),
    ),
}


@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", POLICIES)
def test_a_killed_policy_shows_nowhere(campaign, late, tmp_path, report, name):
    """Whatever it keeps is in the checkpoint: it says and does what one never killed does."""
    arguments, settings = POLICIES[name]
    policy = ("--policy", json.dumps({"name": name} | arguments))
    url = copied(late, tmp_path)
    spoil(url, 7)
    counts = campaign(
        url,
        (*policy, *settings),
        100,
        seed=12,
        kills=max(3, KILLS // 10),
        end=6000,
        plants=["frequent_checkpoints", "unhurried"],
    )

    check(counts, report)
