"""Arguments of policies, as a user may have got them wrong."""

from __future__ import annotations

import math
from typing import Any

from learner.models.model import Model
from stream.errors import SettingError

MOST = 1_000_000
"""Samples a policy may count or keep, at most: what it keeps is in memory and checkpoints."""


def whole(policy: str, name: str, value: Any, *, least: int = 1, most: int = MOST) -> int:
    """Return a whole number within bounds. Raises `SettingError`."""
    if type(value) is not int or not least <= value <= most:
        raise SettingError(
            f"{name} of policy {policy!r} must be a whole number from {least} to {most}, "
            f"got {value!r}"
        )
    return value


def number(policy: str, name: str, value: Any, *, above: float, below: float) -> float:
    """Return a finite number between bounds, none of them included. Raises `SettingError`."""
    fits = type(value) in (int, float) and math.isfinite(value) and above < value < below
    if not fits:
        raise SettingError(
            f"{name} of policy {policy!r} must be a number above {above:g} and below "
            f"{below:g}, got {value!r}"
        )
    return float(value)


def flag(policy: str, name: str, value: Any) -> bool:
    """Return true or false as it was given. Raises `SettingError`."""
    if type(value) is not bool:
        raise SettingError(f"{name} of policy {policy!r} must be true or false, got {value!r}")
    return value


def need_errors(policy: str, model: Model, instead: str) -> None:
    """Refuse a model without errors. Raises `SettingError`."""
    if model.task == "anomaly":
        raise SettingError(
            f"policy {policy!r} waits for errors to rise, and the score of an anomaly "
            f"has none; {instead}"
        )


def share(policy: str, name: str, value: Any) -> float:
    """Return a number above 0 and below 1. Raises `SettingError`."""
    return number(policy, name, value, above=0, below=1)
