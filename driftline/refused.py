"""What to do about dead letters, when they are most of what came."""

from __future__ import annotations

from collections.abc import Mapping

from learner.refusing import WITH_TEXTS
from stream.refusals import REASONS

_ANOTHER = "another --model, under another --name ('driftline models' lists them)"
_MAPPING = (
    "does [learn.mapping] say where everything stands in them? 'driftline doctor' shows one "
    "through it"
)
_CLASSES = "name all --classes, under another --name"
_MODEL = f"does the model take such features? Perhaps {_ANOTHER}"
_REMEDIES = {
    **dict.fromkeys(("missing_id", "missing_label", "bad_time", "wrong_type"), _MAPPING),
    **dict.fromkeys(("nested", "no_content", "not_object", "ambiguous"), _MAPPING),
    **dict.fromkeys(("unknown_class", "third_class"), _CLASSES),
    **dict.fromkeys(("model_error", "not_learned", "missing_feature"), _MODEL),
    "unknown_id": (
        "either their ids are not those of the samples, or the samples waited no longer: see "
        "--max-pending and --pending-seconds"
    ),
}
_ELSE = "mend what writes them"


def advice(dead_by_reason: Mapping[str, int], task: str) -> str:
    """Return which reason is the commonest, and what to do about it; `task` is the model's.

    >>> advice({"truncated": 2, "no_id": 1}, "classification")
    'most for truncated (JSON that breaks off); mend what writes them'
    """
    reason = max(dead_by_reason, key=lambda it: dead_by_reason[it])
    return f"most for {reason} ({REASONS[reason]}); {_remedy(reason, task)}"


def _remedy(reason: str, task: str) -> str:
    if reason == "text_feature":
        return f"{WITH_TEXTS[task]}, under another --name"
    # A detector of anomalies has no classes to name.
    if reason == "label_type" or (task == "anomaly" and reason == "unknown_class"):
        return f"the model is for {task}; are the labels? If not, take {_ANOTHER}"
    return _REMEDIES.get(reason, _ELSE)
