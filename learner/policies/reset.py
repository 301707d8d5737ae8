"""Start over with a new model."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from learner.policies.policy import Action, Policy


class Reset(Policy):
    """Start over with a new model when the error has risen."""

    listens = True
    _drift: Mapping[str, Any] = MappingProxyType({})

    def alarm(self, kind: str) -> None:
        """Condemn the model for a drift; a warning or an improvement is no reason."""
        if kind == "drift":
            self.due, self._drift = True, dict(self.why)

    def act(self) -> list[Action]:
        """Replace the model."""
        self.model, self.due = self._make(), False
        return [("reset", {**self._drift})]
