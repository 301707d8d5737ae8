"""What a board shows at one moment."""

from __future__ import annotations

from dataclasses import dataclass, field

from monitor.resources import Resources
from monitor.sums import Sums, baselines, scores
from monitor.tally import ANOMALY, REGRESSION, Noted
from monitor.windows import Recent
from stream.records import Totals

ALL = "all"
"""The name of the window that reaches back to the learner's start."""
FADING = "fading"
"""The name of the window in which every row weighs 0.999 of the one after it."""


@dataclass(frozen=True, slots=True)
class Part:
    """One partition, as it stood at offset `last` of the samples."""

    totals: Totals
    last: int | None
    windows: dict[str, Sums]
    lag: int | None
    """Records of the samples that no outcome accounts for yet."""
    seen_at: float | None
    """When its newest outcomes came, in seconds of the epoch."""
    recent: Recent = field(compare=False)
    """The rows of its longest window."""
    resources: Resources
    newest: float | None
    """The largest event time seen among the samples, in seconds of the epoch."""

    @property
    def behind(self) -> float | None:
        """Seconds of event time between the newest sample and what has been learned."""
        if self.newest is None or self.resources.event_time is None:
            return None
        return max(0.0, self.newest - self.resources.event_time)


@dataclass(frozen=True, slots=True)
class Figures:
    """A board at one moment. `pooled` and `fading` are sums over its partitions.

    `windows` go by their length as text, and `ALL`. `fading` is error and weight. `rate` is
    in samples a second. `task` is None until the first totals tell.
    """

    stream: str
    learner: str
    task: str | None
    parts: dict[int, Part]
    pooled: dict[str, Sums]
    fading: tuple[float, float]
    rate: float
    refused: int
    events: list[Noted]
    about: tuple[str, str] | None = None
    """The model's name and the policy's, once they were said."""
    read: int = field(default=0, compare=False)
    """Messages of outcomes read here, `counted` those in the figures, `waiting` not yet."""
    counted: int = field(default=0, compare=False)
    waiting: int = field(default=0, compare=False)

    @property
    def regression(self) -> bool:
        """Whether labels are numbers with a distance."""
        return self.task == REGRESSION

    def scores(self, window: str) -> dict[str, float]:
        """Return accuracy, or mae and rmse; an empty dict when there is nothing to average.

        Fading knows no rmse; a score of anomalies is neither right nor wrong.
        """
        regression = self.regression
        if self.task == ANOMALY:
            return {}
        if window != FADING:
            return scores(self.pooled[window], regression=regression)
        error, weight = self.fading
        if not weight:
            return {}
        mean = error / weight
        return {"mae": mean} if regression else {"accuracy": 1 - mean}

    def baselines(self, window: str) -> dict[str, float]:
        """Return accuracy or mae of `no_change` and `majority` over the rows of `scores`."""
        if self.task == ANOMALY:
            return {}
        return baselines(self.pooled[window], regression=self.regression)

    def recent(self, window: str) -> list[Recent]:
        """Return the rows of a window, by partition; of `ALL` and `FADING` there are none."""
        if window in (ALL, FADING):
            return []
        return [part.recent.last(int(window)) for part in self.parts.values()]

    def count(self, name: str) -> int:
        """Return a count of `Totals`, `samples` say, over all partitions."""
        return sum(getattr(part.totals, name) for part in self.parts.values())
