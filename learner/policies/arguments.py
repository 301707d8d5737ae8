"""The arguments of policies, checked where they come in."""

from __future__ import annotations

from typing import Any

from stream.errors import SettingError


def whole(policy: str, name: str, value: Any, least: int, most: int) -> int:
    """Return a whole number within bounds. Raises `SettingError`."""
    if type(value) is not int or not least <= value <= most:
        raise SettingError(
            f"{name} of {policy} must be a whole number from {least} to {most}, got {value!r}"
        )
    return value


def share(policy: str, name: str, value: Any) -> float:
    """Return a number above 0 and below 1. Raises `SettingError`."""
    if type(value) not in (int, float) or not 0.0 < value < 1.0:
        raise SettingError(f"{name} of {policy} must be above 0 and below 1, got {value!r}")
    return float(value)
