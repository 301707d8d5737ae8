"""Labels: which ones a model takes, how it sees them, and the samples that wait for theirs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from learner.models.model import Guess
from stream.errors import RecordError
from stream.records import Features, Label


class Waiting(NamedTuple):
    """A sample that was guessed and waits for its label."""

    of: int
    id: int | str
    ts: float | None
    x: Features
    guess: Guess
    arm: str = "main"
    """Name of the model that guessed."""
    since: float | None = None
    """The event time at which it came, where that matters."""


class TwoClasses:
    """How a model that knows only False and True sees two labels.

    Truth values, 0 and 1 stand for themselves. Any other two become False and True in the
    order in which they first appear. Unless it is known that others will come, a first 0 or 1
    is taken for itself.
    """

    def __init__(self) -> None:
        self.codes: dict[Label, bool] = {}
        self.labels: dict[bool, Label] = {}
        self._plain = True
        self._declared: tuple[Label, ...] = ()

    def declare(self, classes: Iterable[Label]) -> None:
        """Learn which labels will come."""
        self._declared = tuple(dict.fromkeys(classes))
        self._plain = all(_is_truth(label) for label in self._declared)

    def code(self, label: Label) -> bool:
        """Return how the model sees a label; raises `RecordError` for a third class."""
        code = self.codes.get(label)
        if code is None:
            code = self._appear(label)
        return code

    def _appear(self, label: Label) -> bool:
        if len(self.codes) == 2:
            one, other = self.codes
            raise RecordError(
                "third_class",
                f"label {label!r} is a third class, after {one!r} and {other!r}, for a model "
                "of two; declare all classes, then they go one against the rest, or choose a "
                "model of many: softmax, naive-bayes, hoeffding-tree",
            )
        if self.codes:
            code = not next(iter(self.codes.values()))
        else:
            code = bool(label) if self._plain and _is_truth(label) else False
        self.codes[label] = code
        self.labels[code] = label
        # Of two that were declared the first to come names the other, so that a guess of it
        # is a guess.
        if len(self.codes) == 1 and len(self._declared) == 2 and label in self._declared:
            self._appear(next(other for other in self._declared if other != label))
        return code

    def label(self, code: Label | None) -> Label | None:
        """Return the label a guess stands for, None when it has not appeared yet."""
        if code in self.labels:
            return self.labels[code]  # type: ignore[index]
        return code if self._plain and all(map(_is_truth, self.codes)) else None


def _is_truth(label: Label) -> bool:
    return not isinstance(label, str) and label in (0, 1)
