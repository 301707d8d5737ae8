"""What to do about a drift: one class each, and the table of their names.

A policy holds the model that serves. It hears every alarm, and acts only at the end of a
grain, before that grain is learned: where a turn was cut must not show.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from learner.models.model import Model
from stream.errors import SettingError

Make = Callable[[], Model]
"""Gives a new model, built as the first one was."""


class Nothing:
    """Let the model cope."""

    arm = "main"
    """Name of the model that serves."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.condemned = False
        """Whether `act` has something to do at the end of this grain."""

    def alarm(self, kind: str) -> None:
        """Hear of a drift or an improvement."""

    def act(self, make: Make) -> tuple[str, dict[str, Any]]:
        """Do what has been decided; return the kind of event and its details."""
        raise NotImplementedError


class Reset(Nothing):
    """Start over with a new model when the error has risen."""

    def alarm(self, kind: str) -> None:
        """Condemn the model for a drift; an improvement is no reason."""
        self.condemned |= kind == "drift"

    def act(self, make: Make) -> tuple[str, dict[str, Any]]:
        """Replace the model."""
        self.model, self.condemned = make(), False
        return "reset", {}


POLICIES: dict[str, type[Nothing]] = {"none": Nothing, "reset": Reset}
"""Every policy by its name."""


def policy_named(name: str) -> type[Nothing]:
    """Return a policy by its name, or raise `SettingError`."""
    if name not in POLICIES:
        raise SettingError(f"policy {name!r} is not known; choose {' or '.join(POLICIES)}")
    return POLICIES[name]
