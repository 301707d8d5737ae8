"""Bring up a new model from a warning on, and put it in the old one's place at the drift."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from learner.models.model import Model, ModelError
from learner.policies.arguments import flag, need_errors
from learner.policies.followed import Followed
from learner.policies.policy import Action, Maker, Policy
from stream.records import Features, Label
from stream.texts import shown


class WarmSwap(Policy):
    """From a warning on, teach a new model beside the old; swap it in when the drift comes.

    If the warning passes, the new model is dropped; with `drop` false it only pauses, and
    goes on learning at the next warning. A drift without a warning brings in a new model
    that has learned nothing yet.

    Source: Gama, Medas, Castillo and Rodrigues, "Learning with Drift Detection", SBIA 2004,
    section 3; with `drop` false as River's `drift.DriftRetrainingClassifier` has it.
    """

    listens = True
    heeds_warnings = True

    def __init__(self, make: Maker, *, drop: bool = True) -> None:
        super().__init__(make)
        need_errors("warm-swap", self.model, "choose none or replay")
        self._drop = flag("warm-swap", "drop", drop)
        self._serving = self.model
        self._background: Model | None = None
        self._samples = 0
        self._heard: list[tuple[str, dict[str, Any]]] = []

    def alarm(self, kind: str) -> None:
        """Note a warning, its end or a drift; of the drifts in one grain only the first."""
        if kind == "improvement" or (kind == "drift" and "drift" in dict(self._heard)):
            return
        self._heard.append((kind, {**self.why}))
        self.due = True

    def act(self) -> list[Action]:
        """Bring up, drop or swap in the new model, in the order in which things were heard."""
        heard, self._heard, self.due = self._heard, [], False
        done = {"warning": self._bring_up, "calm": self._let_go, "drift": self._swap}
        return [action for kind, why in heard for action in done[kind](why)]

    def _bring_up(self, why: dict[str, Any]) -> list[Action]:
        if self._background is None:
            self._background, self._samples = self._make(), 0
        self.model = Followed(self._serving, self._teach)
        return [("background", {**why, "trained": self._samples})]

    def _let_go(self, why: dict[str, Any]) -> list[Action]:
        self.model = self._serving
        if self._background is None:
            return []
        if self._drop:
            self._background = None
        kind = "drop" if self._drop else "pause"
        return [(kind, {**why, "trained": self._samples})]

    def _swap(self, why: dict[str, Any]) -> list[Action]:
        trained = self._samples if self._background else 0
        self._serving = self._background or self._make()
        self.model, self._background = self._serving, None
        return [("swap", {**why, "trained": trained})]

    def _teach(self, xs: Sequence[Features], ys: Sequence[Label]) -> None:
        """Teach the new model what the old one has just learned, unless it cannot."""
        if self._background is None:
            return
        try:
            self._background.learn(xs, ys)
        except ModelError as error:
            self._background = None
            details = {"error": shown(str(error)), "trained": self._samples}
            self.said = [*self.said, ("drop", details)]
        else:
            self._samples += len(xs)
