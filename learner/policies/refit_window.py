"""Train a new model on the newest samples."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

from learner.policies.arguments import whole
from learner.policies.policy import Maker
from learner.policies.refit import Refit
from learner.policies.stores import Lesson, Newest, Store
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
        self._window = Newest(whole(self.name, "window", window))
        super().__init__(make, on_drift=on_drift, every=every, period=period, passes=passes)

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take a checkpoint of an older version as well, which knows no ids."""
        self.__dict__.update(state)
        if isinstance(old := self._window, deque):
            self._window = Newest(old.maxlen or 0)
            for x, y in old:
                self._window.add((x,), (y,))

    def keep(self, xs: Sequence[Features], ys: Sequence[Label]) -> None:
        """Keep the newest samples."""
        self._window.add(xs, ys)

    def kept(self) -> list[Lesson]:
        """Return the newest samples, oldest first."""
        return self._window.lessons

    @property
    def stores(self) -> Sequence[Store]:
        """The newest samples."""
        return [self._window]

    def details(self) -> dict[str, Any]:
        """Return how many it would have liked to train on."""
        return {"window": self._window.size}
