"""One of several models side by side: a policy with its model, and how it has done so far."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from learner.caution import Careful
from learner.drift import Watch
from learner.labels import TwoClasses
from learner.models.model import Guess, Model
from learner.policies.policy import Action, Policy
from stream.errors import RecordError
from stream.records import LARGEST, ArmTotals, Label

FADING = 0.999
"""Fading factor of the error that is told of an arm, that of `stream.records.Totals`."""
NONE: Guess = (None, None)
"""No guess."""


class Arm:
    """A policy with its model, the detector that it hears, and its score.

    `loss` is the fading mean of its errors, 0 or 1 a guess for classes, absolute errors for
    numbers; None before its first. `fading` says how fast: the factor by which an error
    counts less with each that follows. Before its first lesson an arm need not have a guess;
    from then on one that is missing counts as wrong, one that is missing or no finite number
    as the worst that was seen.
    """

    def __init__(
        self,
        name: str,
        policy: Policy,
        watch: Watch | Careful | None = None,
        *,
        fading: float = FADING,
    ) -> None:
        self.name, self.policy, self.watch, self.fading = name, policy, watch, fading
        self.totals = ArmTotals()
        self.taught = False
        self.two: TwoClasses | None = None
        """How a model that knows two classes sees labels, among models that know more."""
        self.errors: list[float] = []
        """What its guesses of the last grain suffered; a missing first one as the worst."""
        self.shift = 0
        """Values that models it had before have ignored, beyond those of the present one."""
        self.numbers = policy.model.task == "regression"
        self.sum, self.weight = 0.0, 0.0
        self._worst = 0.0

    @property
    def model(self) -> Model:
        """The model that guesses."""
        return self.policy.model

    @property
    def loss(self) -> float | None:
        """The fading mean of its errors."""
        return self.sum / self.weight if self.weight else None

    @property
    def late_features(self) -> int:
        """Values that its models have ignored."""
        return self.shift + self.model.late_features

    def take(self, model: Model) -> None:
        """Go on with another model, which may be another arm's as well."""
        self.shift += self.model.late_features - model.late_features
        self.policy.model = model

    def named(self, guess: Guess) -> Guess:
        """Return a guess of its model in the labels that all arms share."""
        y_pred, p = guess
        if self.two is None or y_pred is None:
            return guess
        label = self.two.label(y_pred)
        if label is None:
            return NONE
        named = {self.two.label(code): chance for code, chance in (p or {}).items()}
        return label, {k: v for k, v in named.items() if k is not None} if p else None

    def code(self, y: Label) -> Label:
        """Return a label as its model sees it; raises `ValueError` for a third class."""
        if self.two is None:
            return y
        try:
            return self.two.code(y)
        except RecordError as error:
            raise ValueError(str(error)) from None

    def score(self, guess: Guess, y: Any, *, hears: bool = True) -> list[Action]:
        """Take a guess that was made and the label that came; return what is to be told.

        Its detector `hears` of it here, unless somebody else lets it.
        """
        y_pred: Any
        y_pred, p = guess
        if y_pred is None and not self.taught:
            self.errors.append(self._worst if self.numbers else 1.0)
            return []
        if self.numbers:
            finite = y_pred is not None and -LARGEST <= y_pred <= LARGEST
            error = self._number(float(abs(y - y_pred)) if finite else None)
        else:
            # What is not finite is never right.
            right = y_pred == y and (p is None or p.get(y_pred) == p.get(y_pred))
            finite, error = True, self._class(right)
        self.count(error)
        if self.watch is None or not finite or not hears:
            return []
        alarm = self.watch.observe(self.heard(error))
        if alarm is None:
            return []
        self.policy.why = alarm[1]
        self.policy.alarm(alarm[0])
        return [alarm]

    def count(self, error: float) -> None:
        """Let the mean of its errors take one more."""
        self.errors.append(error)
        self.sum = self.sum * self.fading + error
        self.weight = self.weight * self.fading + 1.0

    def forget(self) -> None:
        """Begin the mean of its errors anew."""
        self.sum = self.weight = 0.0

    def heard(self, error: float) -> float:
        """Return an error as its detector hears it."""
        return error

    def act(self) -> list[Action]:
        """Let its policy do what it has decided, before a grain is learned."""
        if not self.policy.due:
            return []
        before = self.late_features
        done = self.policy.act()
        self.shift += before - self.late_features
        return done

    def _class(self, right: bool) -> float:
        totals = self.totals
        totals.scored += 1
        totals.correct += right
        totals.fading_error = totals.fading_error * FADING + (not right)
        totals.fading_weight = totals.fading_weight * FADING + 1.0
        return 0.0 if right else 1.0

    def _number(self, error: float | None) -> float:
        """Count an absolute error, None for a guess that was no finite number."""
        totals = self.totals
        totals.scored += 1
        if error is None:
            totals.not_finite += 1
            return self._worst
        self._worst = max(self._worst, error)
        totals.absolute_error += error
        totals.fading_error = totals.fading_error * FADING + error
        totals.fading_weight = totals.fading_weight * FADING + 1.0
        return error


def named(arm: Arm, serving: str, done: Sequence[Action]) -> list[Action]:
    """Return what was done in an arm as it is told.

    What befell the arm that serves is a drift, a reset, as if it stood alone; of any other
    the kind begins with `arm-`. The details name the arm, those within it behind a slash.
    """
    plain = arm.name == serving
    return [
        (
            kind if plain or kind.startswith("arm-") else f"arm-{kind}",
            {**details, "arm": _path(arm.name, details.get("arm"))},
        )
        for kind, details in done
    ]


def _path(name: str, inner: Any) -> str:
    return name if inner is None else f"{name}/{inner}"
