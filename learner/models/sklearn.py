"""scikit-learn's dialect: a grain of rows at a time, `partial_fit`."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from operator import is_
from typing import Any

import numpy as np
from sklearn import config_context
from sklearn.base import BaseEstimator, clone, is_classifier, is_regressor
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from threadpoolctl import threadpool_limits

from learner.models.guesses import ClassGuesses
from learner.models.model import Guess, ModelError
from learner.models.vectors import Array, Vectorizer
from stream.errors import SettingError
from stream.records import Features, Label

BLOCK = 256
"""Rows are always guessed in blocks of this many, or of a grain where that is more.

The last one is filled up with zeros.

Matrix products of another shape round otherwise, so a guess would depend on how many others
were asked for with it.
"""
SCALERS = {
    "standard": StandardScaler,
    "minmax": lambda: MinMaxScaler(clip=True),
    "none": lambda: None,
}
"""What can stand before an estimator; each learns along with it, a grain at a time."""
_UNKNOWN = {
    "mean_": 0.0,
    "var_": 0.0,
    "scale_": 1.0,
    "min_": 0.0,
    "data_min_": np.inf,
    "data_max_": -np.inf,
    "data_range_": 0.0,
}
"""What a scaler knows of a column before its first value."""


class SklearnModel:
    """A scikit-learn estimator with `partial_fit` as a `Model`; see `learner.models.model`.

    `scaling` is one of `SCALERS`. A missing number becomes the column's mean where the
    scaling is standard, else 0. `classes` are all labels there will be.
    """

    grain = 256
    one_by_one = False
    skips_missing = False
    numbers_only = False
    binary = False
    unsupervised = False

    def __init__(
        self,
        estimator: BaseEstimator,
        *,
        scaling: str,
        classes: Sequence[Label] | None,
        grain: int | None = None,
    ) -> None:
        if not hasattr(estimator, "partial_fit"):
            raise SettingError(
                f"model {type(estimator).__name__} cannot learn piece by piece: it has no "
                "partial_fit; 'driftline models' lists those that can"
            )
        if not (is_classifier(estimator) or is_regressor(estimator)):
            raise SettingError(
                f"model {type(estimator).__name__} is neither a classifier nor a regressor; "
                "'driftline models' lists what can be learned"
            )
        _check_parameters(estimator)
        self.estimator = estimator
        self._block = max(BLOCK, grain or 0)
        self.task = "classification" if is_classifier(estimator) else "regression"
        self.needs_classes = self.task == "classification" and not classes
        self._classes = list(classes or ())
        self.classes: frozenset[Label] | None = (
            frozenset(self._classes) if self.task == "classification" else None
        )
        self._code = {label: code for code, label in enumerate(self._classes)}
        self._scaler = SCALERS[scaling]()
        self._vectorizer: Vectorizer | None = None
        self._asked: tuple[Sequence[Features], Array] | None = None
        """The samples guessed last, and their rows: mostly those that are learned next."""

    def __getstate__(self) -> dict[str, Any]:
        """Pickle all but what can be made again."""
        return vars(self) | {"_asked": None}

    @property
    def late_features(self) -> int:
        """Values ignored because their feature or category came after the first grain."""
        return self._vectorizer.late if self._vectorizer else 0

    @property
    def parts(self) -> Sequence[object]:
        """The estimator, and what makes rows for it."""
        return [self.estimator, self._scaler, self._vectorizer]

    def guess(self, x: Features) -> Guess:
        """Return the guess for one sample; it costs as much as for `BLOCK`."""
        return self.guess_many([x])[0]

    def guess_many(self, xs: Sequence[Features]) -> Sequence[Guess]:
        """Return a guess for each sample."""
        if self._vectorizer is None or not xs:
            return [(None, None)] * len(xs)
        rows = self._vectorizer.transform(xs)
        self._asked = xs, rows
        rows = self._prepared(rows)
        found = self._in_blocks(self.estimator.predict, rows).tolist()
        if self.task == "regression":
            return [(y, None) for y in found]
        if not hasattr(self.estimator, "predict_proba"):
            return [(self._classes[code], None) for code in found]
        p = self._in_blocks(self.estimator.predict_proba, rows)
        return ClassGuesses(self._code, found, p)

    def consult(self, xs: Sequence[Features]) -> Sequence[Guess]:
        """Return a guess for each sample, leaving no trace of having been asked."""
        if self._vectorizer is None:
            return [(None, None)] * len(xs)
        asked, whole = self._asked, self._vectorizer.whole
        try:
            return type(self).guess_many(self, xs)
        finally:
            self._asked, self._vectorizer.whole = asked, whole

    def _in_blocks(self, ask: Callable[[Array], Array], rows: Array) -> Array:
        """Return what is answered to rows that are asked for a block at a time."""
        size, n = self._block, len(rows)
        if n == size:
            return ask(rows)
        whole = np.zeros((-(-n // size) * size, rows.shape[1]))
        whole[:n] = rows
        return np.concatenate([ask(block) for block in whole.reshape(-1, size, rows.shape[1])])[
            :n
        ]

    def learn_one(self, x: Features, y: Label) -> None:
        """Learn one labelled sample."""
        self.learn([x], [y])

    def learn(self, xs: Sequence[Features], ys: Sequence[Label]) -> None:
        """Learn a grain; the first one settles which features there are."""
        if self._vectorizer is not None:
            self._lesson(self._vectorizer, xs, ys)
            return
        vectorizer = Vectorizer(xs)
        if not vectorizer.columns:
            raise ValueError("the first grain has no features")
        try:
            self._lesson(vectorizer, xs, ys)
        except ModelError:
            # What has learned half of its first lesson may neither guess nor learn again.
            self.estimator = clone(self.estimator)
            self._scaler = self._scaler and clone(self._scaler)
            raise
        self._vectorizer = vectorizer

    def _lesson(
        self, vectorizer: Vectorizer, xs: Sequence[Features], ys: Sequence[Label]
    ) -> None:
        rows = self._rows(vectorizer, xs)
        if self._scaler is not None:
            _teach(self._scaler, rows)
        rows = self._prepared(rows)
        if self.task == "regression":
            self.estimator.partial_fit(rows, np.array(ys, dtype=np.float64))
        else:
            codes = np.array([*map(self._code.__getitem__, ys)])
            # Said again, scikit-learn's own compare them with what was said, grain by grain.
            own = type(self.estimator).__module__.startswith("sklearn.")
            told = own and getattr(self.estimator, "classes_", None) is not None
            classes = None if told else np.arange(len(self._classes))
            self.estimator.partial_fit(rows, codes, classes=classes)
        # Networks keep the loss of every lesson there ever was, and look at the last alone.
        if curve := getattr(self.estimator, "loss_curve_", None):
            del curve[:-1]

    def _rows(self, vectorizer: Vectorizer, xs: Sequence[Features]) -> Array:
        asked, self._asked = self._asked, None
        same = asked and len(asked[0]) == len(xs) and all(map(is_, asked[0], xs))
        if asked and same and vectorizer.whole:
            return asked[1]
        return vectorizer.transform(xs, count=True)

    def _prepared(self, rows: Array) -> Array:
        if type(self._scaler) is StandardScaler:
            # What its `transform` does, but for a look at rows that were looked at before.
            rows = (rows - self._scaler.mean_) / self._scaler.scale_
        elif self._scaler is not None:
            rows = self._scaler.transform(rows)
        if np.isnan(rows.sum()):
            rows = np.nan_to_num(rows, nan=0.0, posinf=None, neginf=None)
        return rows


def _teach(scaler: Any, rows: Array) -> None:
    """Let a scaler learn a grain, all but the columns that the grain has no value of.

    To scikit-learn's scalers NaN is a missing value, but what they know of a column becomes
    NaN for good by one grain that has no other.
    """
    absent = np.isnan(rows).all(axis=0)
    if not absent.any():
        scaler.partial_fit(rows)
        return
    before = dict(vars(scaler))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        scaler.partial_fit(rows)
    for name, unknown in _UNKNOWN.items():
        if hasattr(scaler, name):
            known = before.get(name)
            getattr(scaler, name)[absent] = unknown if known is None else known[absent]


def _check_parameters(estimator: BaseEstimator) -> None:
    """Refuse wrong parameters at once; while learning nobody looks at them again."""
    if not hasattr(estimator, "_parameter_constraints"):
        return  # somebody's own, who checks them as they please
    try:
        estimator._validate_params()
    except ValueError as error:
        raise SettingError(f"model {type(estimator).__name__} cannot be: {error}") from error


def seeded(estimator: BaseEstimator, seed: int) -> BaseEstimator:
    """Return the estimator with every `random_state` that was left open set to `seed`."""
    estimator = clone(estimator)
    open_seeds: dict[str, Any] = {
        name: seed
        for name, value in estimator.get_params(deep=True).items()
        if name.rpartition("__")[2] == "random_state" and value is None
    }
    return estimator.set_params(**open_seeds)


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep matrix products on one thread: two add up in another order.

    And let scikit-learn not look for what was looked for already: rows are finite here, and
    an estimator's parameters were checked when its model was made.
    """
    quick = config_context(assume_finite=True, skip_parameter_validation=True)
    with threadpool_limits(1), quick:
        yield
