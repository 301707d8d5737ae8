"""Every policy with every model that has a name."""

import pytest

from learner.models.presets import PRESETS
from learner.policies.table import POLICIES
from stream.errors import SettingError
from tests.learner.test_laws import labels_of, lessons
from tests.learner.told import learner, sample, tell

ANOMALY = {"half-space-trees", "one-class-svm", "loda"}
# A tree for numbers has a linear model in each leaf.
RATED = {
    *("logistic", "softmax", "perceptron-river", "linear", "tree-regressor"),
    *("perceptron", "sgd-regressor", "mlp", "mlp-regressor"),
}
NEED_ERRORS = ("warm-swap", "auto", "old+new", "old+both")
EAGER = {"refit-window": {"every": 40, "window": 30}, "refit-all": {"every": 50, "budget": 40}}
OFTEN = {
    "class": "river.drift.DummyDriftDetector",
    "t_0": 40,
    "calm": 15,
}


def refused(policy, preset):
    """Whether a policy makes no sense with a model."""
    if policy in ("slower", "faster"):
        return preset not in RATED
    return policy in NEED_ERRORS and preset in ANOMALY


def made(policy, preset):
    """Return a learner of a preset under a policy that has much to do."""
    return learner(
        preset,
        policy={"name": policy} | EAGER.get(policy, {}),
        detector=None if preset in ANOMALY else OFTEN,
        direction="any",
        classes=None
        if preset in ANOMALY or "classes" not in PRESETS[preset].labels
        else (tuple(labels_of(preset))),
        grain=10,
    )


@pytest.mark.parametrize("preset", PRESETS)
def test_a_policy_works_with_every_model_or_is_refused(preset):
    """No sample is lost to it, and it does what it is for."""
    pairs = [pair for page in lessons(preset)[:4] for pair in page]
    for policy in POLICIES:
        if refused(policy, preset):
            with pytest.raises(SettingError, match="has none"):
                made(policy, preset)
            continue
        told = made(policy, preset)
        turn = tell(told, *(sample(i, y, **x) for i, (x, y) in enumerate(pairs)))
        assert turn.dead == [], (policy, turn.dead[0])
        assert len(turn.rows) == len(pairs)
        acts = policy not in ("none", "replay", "auto") and preset not in ANOMALY
        acts |= policy in EAGER
        assert not acts or told.totals.actions or told.totals.resets, policy
