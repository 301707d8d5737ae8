"""What a list of classes must be, whoever is given it."""

from __future__ import annotations

from collections.abc import Sequence

from stream.errors import SettingError
from stream.records import Label


def check_classes(classes: Sequence[Label] | None) -> None:
    """Raise `SettingError` for fewer than two, or one that is named twice."""
    if classes is None:
        return
    if len(set(classes)) < 2:
        raise SettingError(f"classes must be at least two, got {list(classes)!r}")
    # True is 1 and False is 0 to all that asks which class a label is.
    if len(set(classes)) < len(classes):
        raise SettingError(f"classes must differ, got {list(classes)!r}")
