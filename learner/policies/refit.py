"""Train a new model on what was kept of the past; what the policies that do so share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from learner.models.model import Model, ModelError
from learner.policies.arguments import whole
from learner.policies.followed import Followed
from learner.policies.occasions import Occasions
from learner.policies.policy import Action, Maker, Policy
from learner.policies.stores import Lesson
from stream.records import Features, Label
from stream.texts import shown

PASSES = 100
"""How often a new model may go over the same samples, at most."""


class Refit(Policy):
    """On each of its occasions, put a new model, trained on what is kept, in the old's place.

    It is taught `passes` times over, a grain at a time, and in the end knows nothing of the
    grain that is over by then; it learns that first. Where a new model cannot be taught, the
    old one stays.
    """

    listens = True
    paced = True
    name = "refit"

    def __init__(
        self,
        make: Maker,
        *,
        on_drift: bool | None = None,
        every: int | None = None,
        period: float | str | None = None,
        passes: int = 1,
    ) -> None:
        super().__init__(make)
        self._passes = whole(self.name, "passes", passes, most=PASSES)
        self._grain = make.grain or self.model.grain
        self._occasions = Occasions(
            self.name, self.model, on_drift=on_drift, every=every, period=period
        )
        self.model: Model = Followed(self.model, self.keep)

    def keep(self, xs: Sequence[Features], ys: Sequence[Label]) -> None:
        """Keep samples that were learned, or some of them."""
        raise NotImplementedError

    def kept(self) -> list[Lesson]:
        """Return what to train on, in its order."""
        raise NotImplementedError

    def details(self) -> dict[str, Any]:
        """Return what else there is to say of what was kept."""
        return {}

    def alarm(self, kind: str) -> None:
        """Take a drift for an occasion, where it is one."""
        self._occasions.alarm(kind, {**self.why})
        self.due = self._occasions.why is not None

    def passed(self, samples: int, now: float | None) -> None:
        """Count samples and periods."""
        self._occasions.passed(samples, now)
        self.due = self._occasions.why is not None

    def act(self) -> list[Action]:
        """Train a new model and put it in the place of the old one."""
        self.due = False
        lessons, model = self.kept(), self._make()
        why = {**self._occasions.over(), "samples": len(lessons), **self.details()}
        if not lessons:
            return [("not-refitted", why)]
        try:
            for _ in range(self._passes):
                _teach(model, lessons, self._grain)
        except ModelError as error:
            return [("not-refitted", {**why, "error": shown(str(error))})]
        self.model = Followed(model, self.keep)
        return [("refit", why)]


def _teach(model: Model, lessons: Sequence[Lesson], grain: int) -> None:
    for start in range(0, len(lessons), grain):
        xs, ys = zip(*lessons[start : start + grain], strict=True)
        model.learn(xs, ys)
