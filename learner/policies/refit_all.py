"""Train a new model on everything again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from learner.policies.arguments import whole
from learner.policies.policy import Maker
from learner.policies.refit import Refit
from learner.policies.reservoir import Reservoir
from learner.policies.stores import Lesson, Store
from stream.records import Features, Label


class RefitAll(Refit):
    """Train a new model on all samples so far: the yardstick, as long as memory lasts.

    At most `budget` samples are kept. Beyond that it trains on a uniform sample of all so
    far, in the order in which they came; events say how many there were (`seen`).

    It does so at a drift, unless `every` so many labelled samples are given or a `period` of
    event time, in seconds or "month"; `on_drift` true is both. The new model goes over the
    samples `passes` times.
    """

    name = "refit-all"

    def __init__(
        self,
        make: Maker,
        *,
        budget: int = 100_000,
        on_drift: bool | None = None,
        every: int | None = None,
        period: float | str | None = None,
        passes: int = 1,
    ) -> None:
        self._past = Reservoir(whole(self.name, "budget", budget), make.seed)
        super().__init__(make, on_drift=on_drift, every=every, period=period, passes=passes)

    def keep(self, xs: Sequence[Features], ys: Sequence[Label]) -> None:
        """Keep all samples, beyond the budget a uniform sample of them."""
        self._past.add(xs, ys)

    def kept(self) -> list[Lesson]:
        """Return all that is kept, oldest first."""
        return self._past.lessons

    @property
    def stores(self) -> Sequence[Store]:
        """All that is kept."""
        return [self._past]

    def details(self) -> dict[str, Any]:
        """Return how many samples there were."""
        return {"seen": self._past.seen}
