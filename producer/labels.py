"""What a label is: a class or a number, and which one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from producer.columns import CONVERTERS, boolean, category, integer, kind_of, number
from producer.sources.source import unknown
from stream.errors import SettingError
from stream.records import MAX_LABEL, Label, Value

FEW = 50
"""Values of a whole number up to which it is taken for a class."""
TASKS = ("classification", "regression")


class Labels:
    """What makes labels of the values found.

    `name` is None where there are none. `first` are the values of the first rows, `texts`
    says whether all are texts. `kind` is their type and `task` what they are for; None for
    both to be inferred. Raises `SettingError` when there is no such task, or the labels are
    no numbers and it is regression.
    """

    task: str | None = None

    def __init__(
        self,
        name: str | None,
        first: Sequence[Any],
        *,
        texts: bool,
        kind: str | None,
        task: str | None,
    ) -> None:
        self._name, self._open = name, task is None
        if name is None:
            return
        if task is not None and task not in TASKS:
            raise unknown("task", task, TASKS)
        self._kind = kind or kind_of(first, texts=texts)
        self.task = task or _task_of(self._kind, first)
        self._make = self._maker(first)

    def of(self, value: Any) -> Label | None:
        """Return the label, None of a missing one, or raise `ValueError`.

        A class that is a whole number is an int, whether it is written 1 or 1.0.
        """
        if self._name is None:
            return None
        try:
            label = self._make(value)
        except ValueError as error:
            raise ValueError(f"the label in column {self._name!r}: {error}") from None
        if isinstance(label, str) and len(label) > MAX_LABEL:
            raise ValueError(
                f"the label in column {self._name!r} has {len(label)} characters, {MAX_LABEL} "
                "are allowed"
            )
        return label

    def reconsider(self, all_labels: Sequence[Label]) -> None:
        """Take whole numbers for regression after all, where there are too many for classes."""
        if self._open and self._kind in ("integer", "number"):
            self.task = _task_of(self._kind, all_labels)
            self._make = self._maker(all_labels)

    def _maker(self, labels: Sequence[Any]) -> Callable[[Any], Value]:
        numeric = self._kind in ("integer", "number")
        if self.task == "regression":
            if not numeric:
                raise SettingError(
                    f"label {self._name!r} is of type {self._kind}, and regression needs "
                    "numbers; set the task to classification"
                )
            return CONVERTERS[self._kind]
        if numeric:
            return _whole if _all_whole(labels) else category
        return boolean if self._kind == "boolean" else category


def _task_of(kind: str, labels: Sequence[Any]) -> str:
    if kind not in ("integer", "number"):
        return "classification"
    few = len({number(label) for label in labels} - {None}) <= FEW
    return "classification" if few and _all_whole(labels) else "regression"


def _all_whole(labels: Sequence[Any]) -> bool:
    values = map(number, labels)
    return all(value is None or value.is_integer() for value in values)


def _whole(value: Any) -> int | None:
    found = integer(value)
    if isinstance(found, float):
        if not found.is_integer():
            raise ValueError(f"{value!r} is no whole number, as the classes before it were")
        return int(found)
    return found
