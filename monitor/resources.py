"""What a learner takes up, as it says in the headers of its outcomes.

Outcomes are a function of the records before them. What is not, memory and seconds say,
travels beside them in the header `resources`: a JSON object of numbers.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import NamedTuple

from stream.errors import RecordError
from stream.texts import shown

HEADER = "resources"
"""The name of the header."""
_LONGEST = 4096
_ABOUT = ("model", "policy")
_NAME = 64
"""Characters of a name, at most."""


class Resources(NamedTuple):
    """What one learner takes up for one partition; None is what it did not say.

    Bytes and seconds, none below 0, except that `event_time`, the largest event time it
    has learned, and `time`, when it said all this, are seconds of the epoch. Memory and
    `cpu_seconds` are the process's, for all its partitions; `predict_seconds` and
    `learn_seconds` are a sample's, `turn_seconds` and `commit_seconds` a turn's.
    `checkpoint_time`, of the epoch too, is that of the newest checkpoint; those refused and
    failed are counted since the learner took the partition up.
    `paused` is 1 where the breaker has stopped the learner, else 0.
    """

    memory_bytes: float | None = None
    cpu_seconds: float | None = None
    model_bytes: float | None = None
    model_parameters: float | None = None
    predict_seconds: float | None = None
    learn_seconds: float | None = None
    turn_seconds: float | None = None
    commit_seconds: float | None = None
    paused: float | None = None
    event_time: float | None = None
    time: float | None = None
    checkpoint_time: float | None = None
    checkpoints_refused: float | None = None
    checkpoints_failed: float | None = None


def resources_of(headers: Mapping[str, bytes]) -> Resources | None:
    """Return what the headers of an outcomes message say, None where they say nothing.

    Names we do not know are ignored. Raises `RecordError` with reason malformed_json or
    wrong_type, number_range or too_large.

    >>> resources_of({"resources": b'{"memory_bytes": 1e8, "pid": 7}'}).memory_bytes
    100000000.0
    """
    value = headers.get(HEADER)
    if value is None:
        return None
    found = _decoded(value)
    said = {name: _number(name, found[name]) for name in Resources._fields if name in found}
    return Resources(**said)


def about_of(headers: Mapping[str, bytes]) -> tuple[str, str] | None:
    """Return the names of model and policy as the headers have them, fit for a label.

    >>> about_of({"model": b"hoeffding-tree", "policy": b"reset"})
    ('hoeffding-tree', 'reset')
    """
    if "model" not in headers:
        return None
    model, policy = (headers.get(name, b"").decode(errors="replace") for name in _ABOUT)
    return shown(model, _NAME), shown(policy, _NAME)


def _decoded(value: bytes) -> dict[str, object]:
    if len(value) > _LONGEST:
        raise RecordError("too_large", f"header {HEADER!r} has {len(value)} bytes")
    try:
        found = json.loads(value)
    except (ValueError, RecursionError) as error:
        raise RecordError("malformed_json", f"header {HEADER!r} is no JSON: {error}") from None
    if not isinstance(found, dict):
        raise RecordError("wrong_type", f"header {HEADER!r} is no JSON object")
    return found


def _number(name: str, value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise RecordError("wrong_type", f"{name} of header {HEADER!r} is no number")
    lowest = -sys.float_info.max if name == "event_time" else 0.0
    if not lowest <= value <= sys.float_info.max:
        raise RecordError("number_range", f"{name} of header {HEADER!r} is out of range")
    return float(value)
