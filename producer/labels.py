"""What a label is: a class or a number, and which one."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

from producer.columns import CONVERTERS, boolean, category, integer, kind_of, number
from producer.sources.source import unknown
from stream.errors import SettingError
from stream.records import MAX_LABEL, Label, Value

FEW = 50
"""Values of a whole number up to which it is taken for a class."""
ODD = 0.01
"""Share of rows up to which fractions among whole numbers are taken for flaws."""
TASKS = ("classification", "regression")
NUMERIC = ("integer", "number")
"""Types of labels that may be for either."""


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

    def survey(self, value: Any) -> Label | None:
        """Return what `of` does, or the number itself where it need be no class."""
        try:
            return self.of(value)
        except ValueError:
            if not self._may_be_either:
                raise
            return number(value)

    def reconsider(self, all_labels: Collection[Label], odd: float) -> None:
        """Take numbers for regression after all, where they are none of a few whole ones.

        `odd` is the share of rows with a fraction: a few of them are flaws.
        """
        if self._may_be_either and (len(all_labels) > FEW or odd > ODD):
            self.task = "regression"
            self._make = self._maker(())

    @property
    def _may_be_either(self) -> bool:
        return self._name is not None and self._open and self._kind in NUMERIC

    def _maker(self, labels: Sequence[Any]) -> Callable[[Any], Value]:
        numeric = self._kind in NUMERIC
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
    if kind not in NUMERIC:
        return "classification"
    few = len(set(_numbers(labels))) <= FEW
    return "classification" if few and _all_whole(labels) else "regression"


def _all_whole(labels: Sequence[Any]) -> bool:
    return all(value.is_integer() for value in _numbers(labels))


def _numbers(labels: Sequence[Any]) -> Iterator[float]:
    """Yield those that are numbers; rows with any other are left out where they are read."""
    for label in labels:
        with contextlib.suppress(ValueError):
            if (found := number(label)) is not None:
                yield found


def _whole(value: Any) -> int | None:
    found = integer(value)
    if isinstance(found, float):
        if not found.is_integer():
            raise ValueError(f"{value!r} is no whole number, as the classes before it were")
        return int(found)
    return found
