"""Start over with a new model."""

from __future__ import annotations

from learner.policies.policy import Action, Policy


class Reset(Policy):
    """Start over with a new model when the error has risen."""

    listens = True

    def alarm(self, kind: str) -> None:
        """Condemn the model for a drift; a warning or an improvement is no reason."""
        self.due |= kind == "drift"

    def act(self) -> list[Action]:
        """Replace the model."""
        self.model, self.due = self._make(), False
        return [("reset", {})]
