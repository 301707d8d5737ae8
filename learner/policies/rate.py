"""Change how fast a model learns at a drift, and find the way back; what both ways share."""

from __future__ import annotations

from typing import Any

from learner.models.rate import Rate
from learner.policies.arguments import flag, need_errors, whole
from learner.policies.policy import Action, Maker, Policy
from stream.errors import SettingError

STEPS = 20
"""In so many steps a rate goes back that goes back gradually."""


class ChangeRate(Policy):
    """At a drift multiply the learning rate by `factor`, for `samples` labelled samples.

    The way back is one step at their end, or with `gradual` many small ones: after a share s
    of the samples the rate is multiplied by factor ** (1 - s). Another drift on the way
    begins it anew, with the same factor.
    """

    listens = True
    paced = True
    name = "rate"

    def __init__(
        self, make: Maker, *, factor: float, samples: int = 1000, gradual: bool = False
    ) -> None:
        super().__init__(make)
        need_errors(self.name, self.model, "choose none or replay")
        self._factor = factor
        self._samples = whole(self.name, "samples", samples)
        self._gradual = flag(self.name, "gradual", gradual)
        self._rate = Rate(self.model)
        if self._rate.now is None:
            raise SettingError(
                f"policy {self.name!r} changes a learning rate, and model {make.model!r} has "
                "none; models that have one are logistic, softmax, linear, mlp, and sgd with a "
                "schedule that starts from eta0"
            )
        self._drift: dict[str, Any] | None = None
        self._left = self._step = 0

    def alarm(self, kind: str) -> None:
        """Decide for another rate at a drift."""
        if kind == "drift":
            self.due, self._drift = True, {**self.why}

    def passed(self, samples: int, now: float | None) -> None:
        """Count the samples on the way back."""
        if not self._left:
            return
        self._left = max(0, self._left - samples)
        step = STEPS * self._left // self._samples
        if not self._left:
            self.due = True
        elif self._gradual and step != self._step:
            self._step = step
            self._rate.scale(self._factor ** (self._left / self._samples))

    def act(self) -> list[Action]:
        """Change the rate, or change it back."""
        self.due, before = False, self._rate.now
        if self._drift is None:
            self._rate.scale(1)
            return [("rate-restored", {"rate": self._rate.now, "samples": self._samples})]
        why, self._drift = self._drift, None
        self._rate.scale(self._factor)
        self._left, self._step = self._samples, STEPS
        rates = {"rate_before": before, "rate": self._rate.now, "samples": self._samples}
        return [(self.name, {**why, **rates})]
