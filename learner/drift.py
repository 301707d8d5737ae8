"""When the world has changed: a drift detector over the errors of the guesses made."""

from __future__ import annotations

from collections import deque
from typing import Any

from learner.detectors import detector, hears_falls, is_binary
from learner.models.presets import Spec

_RECENT = 50
"""Errors that stand for the present, for detectors that keep no estimate themselves."""

Alarm = tuple[str, dict[str, Any]]
"""drift or improvement, and its details: which detector, the mean error before and after."""


class Watch:
    """Watches errors and tells a change for the worse from one for the better.

    A detector says that the mean error has moved, not where to: to ADWIN a model that has
    just learned something is drift too. With `direction` worse only a rise is a drift, and
    a fall an improvement; with any, both are drifts.

    Source of the default: Bifet and Gavaldà, "Learning from Time-Changing Data with
    Adaptive Windowing", SDM 2007, as River has it.
    """

    _right = False
    """Whether the detector is told what was right, and not what was wrong."""

    def __init__(self, spec: Spec, *, task: str, direction: str, seed: int) -> None:
        self._detector = detector(spec, task, seed)
        self._name = type(self._detector).__name__
        self._any = direction == "any"
        self._binary = is_binary(self._detector)
        self._right = hears_falls(self._detector) and not self._any
        self._estimates = hasattr(self._detector, "estimation")
        self._sum, self._count = 0.0, 0
        self._recent: deque[float] = deque(maxlen=_RECENT)

    @property
    def detector(self) -> Any:
        """The detector that is told of every error."""
        return self._detector

    def observe(self, error: float) -> Alarm | None:
        """Take the error of one guess; return an alarm when the mean error has moved."""
        detector = self._detector
        if self._estimates:
            before = detector.estimation
            detector.update(error)
            if not detector.drift_detected:
                return None
            after = detector.estimation
        else:
            self._sum, self._count = self._sum + error, self._count + 1
            self._recent.append(error)
            detector.update(bool(error) is not self._right if self._binary else error)
            if not detector.drift_detected:
                return None
            before, after = self._means()
            self._sum, self._count = 0.0, 0
            self._recent.clear()
        kind = "drift" if self._any or after > before else "improvement"
        return kind, {"detector": self._name, "before": before, "after": after}

    def _means(self) -> tuple[float, float]:
        return self._sum / self._count, sum(self._recent) / len(self._recent)

    def details(self) -> dict[str, Any]:
        """Return what an alarm would say now: which detector, the mean error before and now."""
        if self._estimates or not self._recent:
            before = after = self._detector.estimation if self._estimates else 0.0
        else:
            before, after = self._means()
        return {"detector": self._name, "before": before, "after": after}
