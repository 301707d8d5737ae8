"""Which records a learner cannot use, and how it says why."""

from __future__ import annotations

import contextlib
from typing import NoReturn

from learner.models.presets import Spec
from stream.errors import RecordError, SettingError
from stream.records import LARGEST, UNSET, Features, Label, Record, decode_command

LABELS: dict[str, frozenset[type]] = {
    "classification": frozenset((bool, int, str)),
    "regression": frozenset((int, float)),
    "anomaly": frozenset((bool, int)),
}
"""The types of the labels of each task."""
WITH_TEXTS = {
    "classification": "hoeffding-tree and sgd take texts as well",
    "regression": "sgd-regressor and passive-aggressive-regressor take texts as well",
    "anomaly": "no detector of anomalies by name takes texts, so leave them out",
}
"""What to do about a text, for each task of a model that takes numbers only."""


def check_numbers(x: Features, model: Spec, task: str) -> None:
    """Raise `RecordError` for a text, before a model that takes numbers only sees it.

    Half a lesson cannot be taken back.
    """
    for name, value in x.items():
        if isinstance(value, str):
            raise RecordError(
                "text_feature",
                f"feature {name!r} is the text {value!r}, and model {model!r} takes numbers "
                f"only; {WITH_TEXTS[task]}",
            )


def refuse_missing(x: Features, model: Spec) -> NoReturn:
    """Raise `RecordError` for a null, before a model that would remember it sees it."""
    name = next(name for name, value in x.items() if value is None)
    raise RecordError(
        "missing_feature",
        f"feature {name!r} is null, and model {model!r} takes numbers only; leave the feature "
        "away, or let an imputer stand before the model",
    )


def refuse_label(y: Label, task: str, model: Spec, *, needs_classes: bool) -> NoReturn:
    """Say why a label cannot be learned.

    Raises `RecordError`, or `SettingError` where the model must be told all classes first.
    """
    if type(y) not in LABELS[task]:
        kinds = " or ".join(sorted(kind.__name__ for kind in LABELS[task]))
        raise RecordError(
            "label_type",
            f"label {y!r} must be {kinds} for {task}; does the model fit the task?",
        )
    if task == "anomaly":
        raise RecordError(
            "unknown_class",
            f"label {y!r} must be true or 1 for an anomaly, else false or 0",
        )
    if task == "regression":
        raise RecordError("number_range", f"label {y!r} is beyond ±{LARGEST:g}")
    if needs_classes:
        raise SettingError(
            f"model {model!r} must know every class before it learns; give "
            "--classes, or let 'driftline produce' declare them"
        )
    raise RecordError("unknown_class", f"label {y!r} was never declared; see --classes")


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
