"""What comes before an alarm, and what keeps one back: warnings, evidence, a cooldown."""

from __future__ import annotations

from typing import Any

from learner.detectors import apart, laxer, warns
from learner.drift import Alarm, Watch
from learner.models.presets import Spec
from stream.errors import SettingError

CALM = 500
"""Samples without a warning after which one has passed, unless told otherwise."""
_MOST = 1_000_000_000


def watch(
    spec: Spec, *, task: str, direction: str, seed: int, warnings: bool = False
) -> Watch | Careful:
    """Return what watches errors, as a detector's specification has it.

    Besides its `class` or `name` and arguments of the detector, the table may have
    `cooldown`: samples after a drift in which there is no alarm of any kind; `min_samples`:
    samples at the start in which there is none; `warning`: see `learner.detectors.laxer`;
    `calm`: samples without a warning after which one has passed, 500 unless given. Samples
    are those with a label and a guess. There are warnings where `warnings` are wanted, or
    `warning` is given. Raises `SettingError`.
    """
    _, ours = apart(spec)
    plain = Watch(spec, task=task, direction=direction, seed=seed)
    if not ours and not warnings:
        return plain
    least = {"cooldown": 0, "min_samples": 0, "calm": 1}
    counts = {"cooldown": 0, "min_samples": 0, "calm": CALM} | {
        name: _count(name, ours[name], least[name]) for name in least if name in ours
    }
    wanted = ours.get("warning", warnings or None)
    level, lax = _warning(spec, plain.detector, wanted)
    make = {"task": task, "direction": direction, "seed": seed}
    return Careful(plain, level=level, lax=lax, make=make, **counts)


def _warning(spec: Spec, found: Any, wanted: Any) -> tuple[bool, Spec]:
    """Return whether the detector's own level warns, and what else a second is made of."""
    if wanted is None or wanted is False:
        return False, None
    if wanted is True and warns(found):
        return True, None
    return False, laxer(spec, found, None if wanted is True else wanted)


def _count(name: str, value: Any, least: int) -> int:
    if type(value) is not int or not least <= value <= _MOST:
        raise SettingError(
            f"{name} of a detector must be a whole number from {least}, got {value!r}"
        )
    return value


class Careful:
    """A watch that may warn, waits for evidence, and is quiet for a while after a drift.

    `level` says that the detector of `watch` has a warning level, `lax` what a second
    detector is made of whose drifts are warnings, with the arguments `make`. It is made anew
    at every drift, as River's adaptive random forest does.

    A `warning` is said once. It ends with a drift, or it has passed, `calm`, when there has
    been no further one for so many samples.
    """

    def __init__(
        self,
        watch: Watch,
        *,
        level: bool,
        lax: Spec,
        make: dict[str, Any],
        cooldown: int,
        min_samples: int,
        calm: int,
    ) -> None:
        self._watch, self._level, self._spec, self._make = watch, level, lax, make
        self._cooldown, self._quiet, self._calm = cooldown, min_samples, calm
        self._lax = self._second()
        self._age: int | None = None
        """Samples since the warning that stands; None where none does."""
        self._left = 0

    def _second(self) -> Watch | None:
        return None if self._spec is None else Watch(self._spec, **self._make)

    def observe(self, error: float) -> Alarm | None:
        """Take the error of one guess; return an alarm, a warning or its end, if there is."""
        alarm = self._watch.observe(error)
        warning = self._warned(error)
        if self._quiet:
            self._quiet -= 1
            return None
        if alarm is None:
            return self._standing(warning)
        if alarm[0] == "drift":
            self._age, self._quiet, self._lax = None, self._cooldown, self._second()
        return alarm

    def _warned(self, error: float) -> bool | dict[str, Any]:
        """Return whether there is a warning now, or at once what it says of itself."""
        if self._lax is not None:
            found = self._lax.observe(error)
            return found[1] if found is not None and found[0] == "drift" else False
        return self._level and self._watch.detector.warning_detected

    def _standing(self, warning: bool | dict[str, Any]) -> Alarm | None:
        """Return a warning that begins, or that it has passed."""
        if warning:
            self._left, began = self._calm, self._age is None
            self._age = (self._age or 0) + 1
            if not began:
                return None
            return "warning", self._watch.details() if warning is True else warning
        if self._age is None:
            return None
        self._age, self._left = self._age + 1, self._left - 1
        if self._left > 0:
            return None
        samples, self._age = self._age, None
        return "calm", {"detector": self._watch.details()["detector"], "samples": samples}
