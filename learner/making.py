"""What a configuration makes: a policy with its model, and what watches its errors."""

from __future__ import annotations

from collections.abc import Sequence

from learner.caution import Careful, watch
from learner.config import Config
from learner.drift import Watch
from learner.labels import TwoClasses
from learner.policies.champion import Champion, Ear, champion
from learner.policies.policy import Maker, Policy
from learner.policies.table import policy
from stream.errors import SettingError
from stream.records import Label


def policy_of(config: Config, classes: Sequence[Label] | None) -> Policy:
    """Return a new policy with a new model, that of a champion if there are challengers.

    `classes` are those that are known by now. Raises `SettingError`.
    """
    make = Maker(
        model=config.model,
        seed=config.seed,
        classes=None if classes is None else tuple(classes),
        scaling=config.scaling,
        grain=config.grain,
    )
    if not config.challengers:
        return policy(config.policy, make)
    return champion(
        {"policy": config.policy, "detector": config.detector},
        config.challengers,
        make,
        direction=config.direction,
        promotion=config.promotion,
    )


def watch_of(config: Config, policy: Policy) -> Watch | Careful | Ear | None:
    """Return what watches the errors of a policy's model, None where nothing does.

    Raises `SettingError`.
    """
    if isinstance(policy, Champion):
        return policy.ear
    if config.detector == "none":
        return None
    task = policy.model.task
    if task == "anomaly":
        if config.detector != "adwin":
            raise SettingError(
                f"detector {config.detector!r} watches errors, and the score of an anomaly "
                "has none; leave the detector away"
            )
        return None
    return watch(
        config.detector,
        task=task,
        direction=config.direction,
        seed=config.seed,
        warnings=policy.heeds_warnings,
    )


def two_of(policy: Policy, classes: Sequence[Label] | None) -> TwoClasses | None:
    """Return how a policy's model sees two labels, None where it sees them as they are."""
    if not policy.model.binary:
        return None
    two = TwoClasses()
    two.declare(classes or ())
    return two
