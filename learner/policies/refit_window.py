"""Train a new model on the newest samples."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

from learner.policies.arguments import whole
from learner.policies.policy import Maker
from learner.policies.refit import Refit
from learner.policies.reservoir import Lesson
from stream.records import Features, Label


class RefitWindow(Refit):
    """Train a new model on the newest `window` samples, and serve with it from then on.

    It does so at a drift, unless `every` so many labelled samples are given or a `period` of
    event time, in seconds or "month"; `on_drift` true is both. The new model goes over the
    samples `passes` times.
    """

    name = "refit-window"

    def __init__(
        self,
        make: Maker,
        *,
        window: int = 1000,
        on_drift: bool | None = None,
        every: int | None = None,
        period: float | str | None = None,
        passes: int = 1,
    ) -> None:
        self._window: deque[Lesson] = deque(maxlen=whole(self.name, "window", window))
        super().__init__(make, on_drift=on_drift, every=every, period=period, passes=passes)

    def keep(self, xs: Sequence[Features], ys: Sequence[Label]) -> None:
        """Keep the newest samples."""
        self._window.extend(zip(xs, ys, strict=True))

    def kept(self) -> list[Lesson]:
        """Return the newest samples, oldest first."""
        return list(self._window)

    def details(self) -> dict[str, Any]:
        """Return how many it would have liked to train on."""
        return {"window": self._window.maxlen}
