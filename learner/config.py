"""Everything that enters a learner's state, and the hash that tells two of them apart."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from learner.models.presets import SCALINGS, Spec
from learner.policies.table import detector_of
from stream.classes import check_classes
from stream.errors import SettingError
from stream.mapping import FieldMap
from stream.records import MAX_FIELDS, MAX_RECORD, MAX_STRING, Label
from stream.topic import TOPIC

MAX_GRAIN = 1_000_000
"""Labelled samples of one grain, at most: all of them wait in memory."""
_LATER = (
    *("topic", "mapping", "pending_seconds", "max_parameters", "watch_inputs"),
    *("challengers", "promotion"),
)
MOST_INPUTS = 1000
"""Features that can be watched, at most."""
MAX_SEED = 2**32 - 1
"""NumPy takes no seed beyond."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """What a learner's state follows from, besides its records.

    `model`, `detector` and `policy` are specifications: a name, a dotted path, a table;
    without a detector ADWIN watches, but nothing where the policy listens to none. `grain`
    is how many labelled samples are learned at once, None for the model's own;
    `grain_seconds` ends a grain also when event time has moved on so far. `classes` are all
    labels there will be.
    `max_pending` bounds the questions that wait for a label; the oldest expire first. One
    expires also when event time has moved on by `pending_seconds` since it came.
    A model that holds more than `max_parameters` numbers is replaced by a fresh one.

    `watch_inputs` is how many features are watched for drift of their own, None for none.
    `challengers` are tables of other models that learn beside, see `learner.policies.champion`,
    and `promotion` is when one of them takes the place of the one that serves: none for only
    by hand, rule, or a table of the rule's numbers.

    `topic` is somebody else's topic to read instead of the stream's samples, and `mapping`
    what stands where in its records. What the mapping finds is all the learner hears.
    """

    model: Spec = "logistic"
    policy: Spec = "reset"
    detector: Spec = None
    direction: str = "worse"
    scaling: str | None = None
    grain: int | None = None
    grain_seconds: float | None = None
    classes: tuple[Label, ...] | None = None
    seed: int = 1
    max_pending: int = 100_000
    max_jump: float = 86_400.0
    pending_seconds: float | None = None
    max_parameters: int | None = None
    challengers: tuple[dict[str, Any], ...] | None = None
    promotion: Spec = None
    topic: str | None = None
    mapping: FieldMap | None = None
    watch_inputs: int | None = None

    def __post_init__(self) -> None:
        """Refuse values that cannot be meant. Raises `SettingError`."""
        if self.grain is not None and not 1 <= self.grain <= MAX_GRAIN:
            raise SettingError(
                f"grain must be a whole number from 1 to {MAX_GRAIN}, got {self.grain!r}"
            )
        if self.grain_seconds is not None and not 0 < self.grain_seconds < math.inf:
            raise SettingError(f"grain_seconds must be above 0, got {self.grain_seconds!r}")
        if self.max_pending < 1:
            raise SettingError(f"max_pending must be at least 1, got {self.max_pending!r}")
        if self.pending_seconds is not None and not 0 < self.pending_seconds < math.inf:
            raise SettingError(f"pending_seconds must be above 0, got {self.pending_seconds!r}")
        if self.max_parameters is not None and self.max_parameters < 1:
            raise SettingError(
                f"max_parameters must be at least 1, got {self.max_parameters!r}"
            )
        if self.max_parameters is not None and self.challengers:
            raise SettingError(
                "max_parameters is the ceiling of one model, and challengers are several; "
                "leave one of the two away"
            )
        if self.watch_inputs is not None and not 1 <= self.watch_inputs <= MOST_INPUTS:
            raise SettingError(
                f"watch_inputs must be a whole number from 1 to {MOST_INPUTS}, "
                f"got {self.watch_inputs!r}"
            )
        object.__setattr__(self, "detector", detector_of(self.policy, self.detector))
        if not 0 <= self.seed <= MAX_SEED:
            raise SettingError(
                f"seed must be a whole number from 0 to {MAX_SEED}, got {self.seed!r}"
            )
        if self.scaling not in (None, *SCALINGS):
            raise SettingError(
                f"scaling must be one of {', '.join(SCALINGS)}, got {self.scaling!r}"
            )
        if any(not isinstance(label, bool | int | str) for label in self.classes or ()):
            raise SettingError(
                f"classes must be text, whole numbers or truth values, got {self.classes!r}"
            )
        if self.direction not in ("worse", "any"):
            raise SettingError(f"direction must be worse or any, got {self.direction!r}")
        if self.promotion == "none":
            object.__setattr__(self, "promotion", None)
        if self.challengers is not None and not self.challengers:
            object.__setattr__(self, "challengers", None)
        if self.promotion is not None and not self.challengers:
            raise SettingError("promotion needs challengers to promote; give --challengers")
        if self.topic is not None and not TOPIC.fullmatch(self.topic):
            raise SettingError(
                f"topic {self.topic!r} can be no topic's name; give 1 to 249 of A-Z, a-z, 0-9, "
                "., _ and -"
            )
        if self.mapping is not None and self.mapping.x is not None and not self.mapping.x:
            raise SettingError("mapping has no x, and a learner needs features; name some")
        check_classes(self.classes)

    @property
    def hash(self) -> str:
        """Sixteen hex digits that differ when any setting that enters state does."""
        limits = {"limits": [MAX_RECORD, MAX_FIELDS, MAX_STRING]}
        # What came later than the first checkpoints, and was not set, was not there.
        found = {k: v for k, v in asdict(self).items() if v is not None or k not in _LATER}
        text = json.dumps(found | limits, sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def settings(self) -> dict[str, Any]:
        """Return the settings by name, as JSON has them."""
        found: dict[str, Any] = json.loads(json.dumps(asdict(self), default=str))
        return found

    def differences(self, theirs: Mapping[str, Any]) -> list[str]:
        """Return what is set otherwise in the settings of another configuration.

        >>> Config(seed=2).differences(Config(policy="none").settings)
        ["policy 'none' (now 'reset')", "detector 'none' (now 'adwin')", 'seed 1 (now 2)']
        """
        ours = self.settings
        return [
            f"{name} {theirs.get(name)!r} (now {ours.get(name)!r})"
            for name in {**ours, **theirs}
            if theirs.get(name) != ours.get(name)
        ]
