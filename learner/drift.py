"""When the world has changed: a drift detector over the errors of the guesses made."""

from __future__ import annotations

import difflib
from collections import deque
from typing import Any

from river.base import BinaryDriftDetector, DriftDetector

from learner.models.build import construct
from learner.models.presets import Spec
from learner.models.river import seeded
from stream.errors import SettingError

DETECTORS: dict[str, str] = {
    "adwin": "river.drift.ADWIN",
    "kswin": "river.drift.KSWIN",
    "page-hinkley": "river.drift.PageHinkley",
    "ddm": "river.drift.binary.DDM",
    "eddm": "river.drift.binary.EDDM",
    "fhddm": "river.drift.binary.FHDDM",
    "hddm-a": "river.drift.binary.HDDMA",
    "hddm-w": "river.drift.binary.HDDMW",
    "periodic": "river.drift.DummyDriftDetector",
}
"""Detectors by name; the binary ones take only right or wrong, so no regression."""

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

    def __init__(self, spec: Spec, *, task: str, direction: str, seed: int) -> None:
        self._detector = _detector(spec, task, seed)
        self._name = type(self._detector).__name__
        self._any = direction == "any"
        self._binary = isinstance(self._detector, BinaryDriftDetector)
        self._estimates = hasattr(self._detector, "estimation")
        self._sum, self._count = 0.0, 0
        self._recent: deque[float] = deque(maxlen=_RECENT)

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
            detector.update(bool(error) if self._binary else error)
            if not detector.drift_detected:
                return None
            before, after = self._sum / self._count, sum(self._recent) / len(self._recent)
            self._sum, self._count = 0.0, 0
            self._recent.clear()
        kind = "drift" if self._any or after > before else "improvement"
        return kind, {"detector": self._name, "before": before, "after": after}


def _detector(spec: Spec, task: str, seed: int) -> Any:
    if isinstance(spec, str) and "." not in spec:
        if spec not in DETECTORS:
            close = difflib.get_close_matches(spec, DETECTORS, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(DETECTORS)}"
            raise SettingError(f"detector {spec!r} is not known; {hint}")
        spec = DETECTORS[spec]
    detector = seeded(construct(spec, "detector"), seed)
    if not isinstance(detector, DriftDetector | BinaryDriftDetector):
        raise SettingError(
            f"detector {type(detector).__name__} is no drift detector of River's"
        )
    if isinstance(detector, BinaryDriftDetector) and task != "classification":
        raise SettingError(
            f"detector {type(detector).__name__} takes only right or wrong, and a regression "
            "is neither; choose adwin, kswin or page-hinkley"
        )
    return detector
