"""Every policy by its name, and what arguments it takes."""

from __future__ import annotations

import difflib
import inspect
from typing import Any

from learner.models.presets import Spec
from learner.policies.auto import Auto
from learner.policies.faster import Faster
from learner.policies.old import OldPlusBoth, OldPlusNew
from learner.policies.policy import Maker, Policy
from learner.policies.refit_all import RefitAll
from learner.policies.refit_window import RefitWindow
from learner.policies.replay import Replay
from learner.policies.reset import Reset
from learner.policies.slower import Slower
from learner.policies.warm_swap import WarmSwap
from stream.errors import SettingError

POLICIES: dict[str, type[Policy]] = {
    "none": Policy,
    "reset": Reset,
    "warm-swap": WarmSwap,
    "refit-window": RefitWindow,
    "refit-all": RefitAll,
    "slower": Slower,
    "faster": Faster,
    "replay": Replay,
    "auto": Auto,
    "old+new": OldPlusNew,
    "old+both": OldPlusBoth,
}
"""Every policy by its name."""


def name_of(spec: Spec) -> str:
    """Return the name in a specification: a name, or a table with `name` and arguments.

    Raises `SettingError`.
    """
    name = spec.get("name") if isinstance(spec, dict) else spec
    if not isinstance(name, str):
        raise SettingError(
            f"policy {spec!r} must be a name, or a table with 'name' and arguments; choose of "
            f"{', '.join(POLICIES)}"
        )
    if name not in POLICIES:
        close = difflib.get_close_matches(name, POLICIES, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"choose of {', '.join(POLICIES)}"
        raise SettingError(f"policy {name!r} is not known; {hint}")
    return name


def policy(spec: Spec, make: Maker) -> Policy:
    """Return a new policy with a new model. Raises `SettingError`."""
    kind = POLICIES[name_of(spec)]
    given = {k: v for k, v in spec.items() if k != "name"} if isinstance(spec, dict) else {}
    _, *takes = inspect.signature(kind).parameters
    if strange := [name for name in given if name not in takes]:
        takes_what = f"it takes {', '.join(takes)}" if takes else "it takes none"
        raise SettingError(
            f"policy {name_of(spec)!r} has no argument {strange[0]!r}; {takes_what}"
        )
    arguments: dict[str, Any] = given
    return kind(make, **arguments)


def detector_of(spec: Spec, detector: Spec) -> Spec:
    """Return the detector that goes with a policy where none is set. Raises `SettingError`."""
    if detector is not None:
        return detector
    return "adwin" if POLICIES[name_of(spec)].listens else "none"
