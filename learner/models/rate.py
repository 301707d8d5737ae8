"""The learning rate of a model, made larger or smaller and set back.

River's optimizers ask a scheduler for their rate at every step, and linear models ask one of
their own for the intercept; scikit-learn's estimators by stochastic gradients have `eta0`,
its networks `learning_rate_init`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from river.linear_model.base import GLM
from river.optim import AdaBound, AdaDelta, FTRLProximal
from river.optim.base import Optimizer, Scheduler

from learner.models.model import Model
from learner.models.traces import parts_of

_RATELESS = (AdaDelta, AdaBound, FTRLProximal)
"""AdaDelta has no rate, FTRLProximal others in its place, and each step of AdaBound multiplies
its bounds by a changed one."""
_SCHEDULES = ("constant", "invscaling", "adaptive")
"""Of scikit-learn's schedules those that start from `eta0` and mean a learning rate by it."""


class Scaled(Scheduler):
    """What another scheduler says, times a factor."""

    def __init__(self, inner: Scheduler, factor: float) -> None:
        self.inner, self.factor = inner, factor

    def get(self, t: int) -> float:
        """Return the learning rate at a step."""
        return self.factor * float(self.inner.get(t))


class Rate:
    """The learning rate of a model, as a factor of what it would be otherwise."""

    def __init__(self, model: Model) -> None:
        self._estimator: Any = getattr(model, "estimator", None)
        self._base = _base(self._estimator)

    @property
    def now(self) -> float | None:
        """The first of its learning rates; None for a model that has none."""
        if self._base is not None:
            return float(getattr(self._estimator, _name(self._estimator)))
        # A linear model's intercept has a rate of its own, which is not what is meant.
        found = sorted(_schedulers(self._estimator), key=lambda it: isinstance(it[0], GLM))
        return next((_float(holder, name) for holder, name in found), None)

    def scale(self, factor: float) -> None:
        """Set every rate to `factor` times what it would be; 1 sets it back to the last bit."""
        if self._base is not None:
            _set(self._estimator, self._base * factor)
            return
        for holder, name in _schedulers(self._estimator):
            found = getattr(holder, name)
            inner = found.inner if isinstance(found, Scaled) else found
            setattr(holder, name, inner if factor == 1 else Scaled(inner, factor))


def _schedulers(estimator: Any) -> Iterator[tuple[Any, str]]:
    """Yield what holds a scheduler of a learning rate, and the name of the attribute."""
    for part in parts_of([estimator]):
        if isinstance(part, Optimizer) and not isinstance(part, _RATELESS):
            if isinstance(getattr(part, "lr", None), Scheduler):
                yield part, "lr"
        elif isinstance(part, GLM) and not isinstance(part.optimizer, _RATELESS):
            yield part, "intercept_lr"


def _float(holder: Any, name: str) -> float:
    steps = getattr(holder, "n_iterations", 0)
    return float(getattr(holder, name).get(steps))


def _name(estimator: Any) -> str:
    return "eta0" if hasattr(estimator, "eta0") else "learning_rate_init"


def _base(estimator: Any) -> float | None:
    """Return the rate that an estimator of scikit-learn was made with, if it has one."""
    if hasattr(estimator, "eta0"):
        schedule = getattr(estimator, "learning_rate", "constant")
        return float(estimator.eta0) if schedule in _SCHEDULES else None
    found = getattr(estimator, "learning_rate_init", None)
    return None if found is None else float(found)


def _set(estimator: Any, rate: float) -> None:
    setattr(estimator, _name(estimator), rate)
    # A network's optimizer is made at its first lesson and keeps a rate of its own.
    optimizer = getattr(estimator, "_optimizer", None)
    if optimizer is not None:
        optimizer.learning_rate *= rate / optimizer.learning_rate_init
        optimizer.learning_rate_init = rate
