"""Drift detectors by name, with arguments, and at a second sensitivity that only warns."""

from __future__ import annotations

import difflib
import json
from functools import lru_cache
from typing import Any

from river.base import BinaryDriftDetector, DriftDetector
from river.drift.binary import FHDDM

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
    "never": "river.drift.NoDrift",
}
"""Detectors by name; the binary ones take only right or wrong, so no regression."""
LAXER: dict[str, tuple[str, float]] = {
    "ADWIN": ("delta", 10.0),
    "KSWIN": ("alpha", 10.0),
    "PageHinkley": ("threshold", 0.5),
    "FHDDM": ("confidence_level", 100.0),
    "DummyDriftDetector": ("t_0", 0.5),
}
"""Which parameter, times what, makes a second detector that warns before the first alarms.

Ten times ADWIN's delta is what River's adaptive random forest warns at.
"""
_TRIAL = (0.0,) * 60 + (1.0,) * 60 + (0.0, 1.0) * 30
"""Errors that a detector is told of for trial: enough for all that they wait for by default."""
OURS = ("warning", "calm", "cooldown", "min_samples")
"""What a detector's table may hold besides its class or name and its own arguments."""


def apart(spec: Spec) -> tuple[Spec, dict[str, Any]]:
    """Return a specification without what is for the watch, and that by itself.

    >>> apart({"name": "adwin", "delta": 0.01, "cooldown": 500})
    ({'class': 'river.drift.ADWIN', 'delta': 0.01}, {'cooldown': 500})
    >>> apart("ddm")
    ('river.drift.binary.DDM', {})
    """
    ours: dict[str, Any] = {}
    if isinstance(spec, dict):
        ours = {key: value for key, value in spec.items() if key in OURS}
        spec = {key: value for key, value in spec.items() if key not in OURS}
        if "name" in spec and "class" not in spec:
            name = spec.pop("name")
            if not isinstance(name, str):
                raise SettingError(f"detector {name!r} must be a name; {_known()}")
            spec = {"class": name, **spec}
        if isinstance(spec.get("class"), str):
            spec["class"] = _path(spec["class"])
    return (_path(spec) if isinstance(spec, str) else spec), ours


def _path(name: str) -> str:
    if "." in name or name in DETECTORS:
        return DETECTORS.get(name, name)
    close = difflib.get_close_matches(name, DETECTORS, n=1)
    hint = f"did you mean {close[0]!r}?" if close else _known()
    raise SettingError(f"detector {name!r} is not known; {hint}")


def _known() -> str:
    return f"known: {', '.join(DETECTORS)}"


def detector(spec: Spec, task: str, seed: int) -> Any:
    """Return a new detector, seeded. Raises `SettingError`."""
    found = seeded(construct(apart(spec)[0], "detector"), seed)
    if not isinstance(found, DriftDetector | BinaryDriftDetector):
        raise SettingError(f"detector {type(found).__name__} is no drift detector of River's")
    if is_binary(found) and task != "classification":
        raise SettingError(
            f"detector {type(found).__name__} takes only right or wrong, and a regression "
            "is neither; choose adwin, kswin or page-hinkley"
        )
    _try(json.dumps(apart(spec)[0], sort_keys=True))
    return found


@lru_cache
def _try(made: str) -> None:
    """Raise `SettingError` where a detector of such arguments fails once it is told something.

    River checks few of them when a detector is made.
    """
    spec = json.loads(made)
    try:
        found = construct(spec, "detector")
        for error in _TRIAL:
            found.update(bool(error) if is_binary(found) else error)
    except BaseException as error:
        # So a panic of what is written in Rust is called, which is no Exception.
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        said = " ".join(str(error).split()) or type(error).__name__
        raise SettingError(
            f"detector {spec!r} fails with these arguments: {said}; change them"
        ) from error


def is_binary(found: Any) -> bool:
    """Whether a detector takes only right or wrong."""
    return isinstance(found, BinaryDriftDetector)


def hears_falls(found: Any) -> bool:
    """Whether a detector alarms only when what it is told falls.

    River's FHDDM compares its window with the highest mean so far, as its paper has it for
    right guesses; told of wrong ones, it would hear nothing but improvements.
    """
    return isinstance(found, FHDDM)


def warns(found: Any) -> bool:
    """Whether a detector has a warning level of its own; FHDDM has only the attribute."""
    return hasattr(found, "warning_detected") and not isinstance(found, FHDDM)


def laxer(spec: Spec, found: Any, warning: Any) -> Spec:
    """Return what a second detector is made of, one that only warns; None for none.

    `found` is the first, made of `spec`. `warning` is what was asked for: False for none, a
    detector's specification, a table of what is to be changed of the first one's arguments,
    or None for what `LAXER` has. Raises `SettingError`.
    """
    spec, _ = apart(spec)
    table = spec if isinstance(spec, dict) else {"class": spec}
    name = type(found).__name__
    if isinstance(warning, dict) and not {"class", "name"} & warning.keys():
        return table | warning
    if not isinstance(warning, str | dict | bool | None):
        raise SettingError(
            f"warning {warning!r} of a detector must be another detector, a table of arguments "
            "of this one, or false for none"
        )
    if warning is not None and type(warning) is not bool:
        return apart(warning)[0]
    if warning is False or name == "NoDrift":
        return None
    if name not in LAXER:
        raise SettingError(
            f"detector {name} has no warning level; give one with 'warning', a detector or "
            "arguments of this one, or false for none"
        )
    parameter, factor = LAXER[name]
    value = getattr(found, parameter)
    changed = max(1, round(value * factor)) if isinstance(value, int) else value * factor
    return table | {parameter: min(changed, 0.999) if factor > 1 else changed}
