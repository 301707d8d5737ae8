"""What is refused, and with which words: labels, what a model failed on, commands."""

from __future__ import annotations

import contextlib
from typing import Any

from learner.models.presets import Spec
from stream.errors import RecordError, SettingError, StreamError
from stream.records import LARGEST, UNSET, Record, decode_command

LABELS: dict[str, frozenset[type]] = {
    "classification": frozenset((bool, int, str)),
    "regression": frozenset((int, float)),
    "anomaly": frozenset((bool, int)),
}
"""The types a label may have, by task."""


def refusal(y: Any, task: str, model: Spec, *, needs_classes: bool) -> StreamError:
    """Return why a label cannot be learned by the model of that specification."""
    if type(y) not in LABELS[task]:
        kinds = " or ".join(sorted(kind.__name__ for kind in LABELS[task]))
        return RecordError(
            "label_type",
            f"label {y!r} must be {kinds} for {task}; does the model fit the task?",
        )
    if task == "anomaly":
        return RecordError(
            "unknown_class", f"label {y!r} must be true or 1 for an anomaly, else false or 0"
        )
    if task == "regression":
        return RecordError("number_range", f"label {y!r} is beyond ±{LARGEST:g}")
    if needs_classes:
        return SettingError(
            f"model {model!r} must know every class before it learns; give --classes, or let "
            "'driftline produce' declare them"
        )
    return RecordError("unknown_class", f"label {y!r} was never declared; see --classes")


def model_error(error: Exception, reason: str = "model_error") -> RecordError:
    """Return how a record is refused on which a model has failed."""
    hint = "; a text or a missing value may be what it cannot take"
    return RecordError(
        reason, f"{type(error).__name__}: {error}{hint if isinstance(error, TypeError) else ''}"
    )


def is_command(record: Record, value: bytes) -> bool:
    """Return whether a record, of these bytes, is a command that is obeyed."""
    if record.command is None or record.mark is not None or record.x is not UNSET:
        return False
    with contextlib.suppress(RecordError):
        decode_command(value)
        return True
    return False
