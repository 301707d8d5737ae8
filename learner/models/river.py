"""River's dialect: a dict at a time, `learn_one`."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from river import (
    base,
    compose,
    forest,
    linear_model,
    multiclass,
    naive_bayes,
    preprocessing,
    tree,
)
from river.active.base import ActiveLearningClassifier
from river.neighbors import KNNClassifier, KNNRegressor
from river.neighbors.base import FunctionWrapper
from river.tree import (
    HoeffdingAdaptiveTreeClassifier,
    HoeffdingTreeRegressor,
    hoeffding_tree_classifier,
)
from river.tree.splitter import nominal_splitter_classif, nominal_splitter_reg

from learner.models.model import Guess
from learner.models.traces import guess_without_trace
from stream.errors import SettingError
from stream.records import Features, Label


def _rank(it: Any) -> tuple[int, Any]:
    """Return what to sort by where numbers, texts and nothing come together."""
    it = it[0] if isinstance(it, tuple) else it
    return (2, 0) if it is None else (int(isinstance(it, str)), it)


def _sorted(items: Iterable[Any]) -> list[Any]:
    items = list(items)
    try:
        return sorted(items)
    except TypeError:
        return sorted(items, key=_rank)


# These sort classes, or values of a category. One text among the numbers, as one label "1"
# after many of 1, and they would fail at every sample from then on.
for _module in (hoeffding_tree_classifier, nominal_splitter_classif, nominal_splitter_reg):
    _module.sorted = _sorted  # type: ignore[attr-defined]


class _InOrder(set[Any]):
    """A set of texts and numbers that is walked in order."""

    def __iter__(self) -> Iterator[Any]:
        return iter(sorted(super().__iter__(), key=_rank))


class _KeptInOrder:
    """An attribute that is an `_InOrder` of whatever set it is given."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, instance: Any, owner: type) -> Any:
        return self if instance is None else vars(instance)[self._name]

    def __set__(self, instance: Any, values: set[Any]) -> None:
        vars(instance)[self._name] = _InOrder(values)


# River walks over these sets to add up probabilities and to break ties. Strings in a set
# stand in another order in another process, and even after a pickle within the same one.
for _kind, _name in (
    (HoeffdingAdaptiveTreeClassifier, "classes"),
    (KNNClassifier, "classes"),
    (nominal_splitter_classif.NominalSplitterClassif, "_att_values"),
):
    setattr(_kind, _name, _KeptInOrder(_name))


_OF_NUMBERS = (
    *(preprocessing.StandardScaler, preprocessing.MinMaxScaler, preprocessing.MaxAbsScaler),
    *(preprocessing.RobustScaler, preprocessing.AdaptiveStandardScaler),
    *(linear_model.base.GLM, linear_model.SoftmaxRegression, naive_bayes.GaussianNB),
    *(naive_bayes.MultinomialNB, naive_bayes.ComplementNB),
    *(linear_model.BayesianLinearRegression, forest.AMFClassifier, forest.AMFRegressor),
)
"""What does arithmetic with every feature."""
_YES_OR_NO: frozenset[Label] = frozenset((False, True))


class Straight:
    """A pipeline whose steps are known to be plain: transformers, and one that predicts.

    Does what River's pipeline does with such steps, in the same order, but does not ask at
    every sample what kind of step each one is: that costs more than a scaler.
    """

    def __init__(self, steps: Sequence[base.Transformer], last: Any) -> None:
        self._lessons = [(step.learn_one, step.transform_one) for step in steps]
        self._transforms = [step.transform_one for step in steps]
        self._learn, self._last = last.learn_one, last
        self.parts = [*steps, last]

    def learn_one(self, x: Any, *y: Any) -> None:
        """Let each step learn the sample as the step before has left it."""
        for learn, transform in self._lessons:
            learn(x)
            x = transform(x)
        self._learn(x, *y)

    def _transformed(self, x: Any) -> Any:
        for transform in self._transforms:
            x = transform(x)
        return x

    def predict_one(self, x: Any) -> Any:
        """Return the last step's guess."""
        return self._last.predict_one(self._transformed(x))

    def predict_proba_one(self, x: Any) -> Any:
        """Return the last step's probabilities."""
        for transform in self._transforms:
            x = transform(x)
        return self._last.predict_proba_one(x)

    def score_one(self, x: Any) -> Any:
        """Return the last step's score."""
        return self._last.score_one(self._transformed(x))


def straight(estimator: Any) -> Any:
    """Return a `Straight` in place of a pipeline that has none but plain steps."""
    if not isinstance(estimator, compose.Pipeline):
        return estimator
    *steps, last = estimator.steps.values()
    plain = all(
        isinstance(step, base.Transformer)
        and not isinstance(step, compose.TransformerUnion | base.AnomalyFilter)
        and not step._supervised
        for step in steps
    )
    return (
        Straight(steps, last) if plain and not isinstance(last, compose.Pipeline) else estimator
    )


class RiverModel:
    """A River estimator as a `Model`; see `learner.models.model`."""

    grain = 1
    one_by_one = True
    needs_classes = False
    late_features = 0

    def __init__(self, estimator: Any, skips_missing: bool = False) -> None:
        self.estimator = estimator
        self.skips_missing = skips_missing
        last = _last(estimator)
        self.numbers_only = _numbers_only(estimator)
        self.task = _task_of(last)
        self.binary = self.task == "classification" and not last._multiclass
        self.unsupervised = self.task == "anomaly"
        self._asked = straight(estimator)
        self.learn_one = self._learn_sample if self.unsupervised else self._asked.learn_one
        self.classes: frozenset[Label] | None = _YES_OR_NO if self.unsupervised else None
        self.guess = self._untimed = self._guess_of(last)

    def __reduce__(self) -> tuple[type[RiverModel], tuple[Any, bool]]:
        """Pickle the estimator alone; the rest follows from it."""
        return type(self), (self.estimator, self.skips_missing)

    @property
    def parts(self) -> Sequence[object]:
        """The estimator, in which all is."""
        return [self.estimator]

    def _guess_of(self, last: Any) -> Any:
        """Return the method that guesses, with all questions of type settled beforehand."""
        if self.unsupervised:
            return self._score
        if self.task == "regression":
            return self._guess_number
        if type(last).predict_one is base.Classifier.predict_one:
            return self._guess_likeliest
        if type(last).predict_proba_one is base.Classifier.predict_proba_one:
            return self._guess_class
        return self._guess_class_and_probability

    def _learn_sample(self, x: Features, _: Label) -> None:
        self._asked.learn_one(x)

    def _score(self, x: Features) -> Guess:
        return self._asked.score_one(x), None

    def _guess_number(self, x: Features) -> Guess:
        return self._asked.predict_one(x), None

    def _guess_class(self, x: Features) -> Guess:
        return self._asked.predict_one(x), None

    def _guess_class_and_probability(self, x: Features) -> Guess:
        return self._asked.predict_one(x), self._asked.predict_proba_one(x)

    def _guess_likeliest(self, x: Features) -> Guess:
        # What River's Classifier.predict_one does with these, without asking twice.
        p = self._asked.predict_proba_one(x)
        if len(p) == 2:
            (one, p_one), (other, p_other) = p.items()
            return (other if p_other > p_one else one), p
        return (max(p, key=p.get), p) if p else (None, None)

    def guess_many(self, xs: Sequence[Features]) -> list[Guess]:
        """Return a guess for each sample."""
        return [self.guess(x) for x in xs]

    def consult(self, xs: Sequence[Features]) -> list[Guess]:
        """Return a guess for each sample, leaving no trace of having been asked."""
        asked = self._asked
        parts = asked.parts if isinstance(asked, Straight) else [self.estimator]
        return guess_without_trace(self, parts, self._untimed, xs)

    def learn(self, xs: Sequence[Features], ys: Sequence[Label]) -> None:
        """Learn labelled samples, in their order."""
        for x, y in zip(xs, ys, strict=True):
            self.learn_one(x, y)


def _task_of(last: Any) -> str:
    if isinstance(last, base.Classifier) and not isinstance(last, ActiveLearningClassifier):
        return "classification"
    if isinstance(last, base.Regressor):
        return "regression"
    # A filter passes verdicts on, and a supervised detector scores labels, not samples.
    if isinstance(last, base.AnomalyDetector) and not isinstance(last, base.AnomalyFilter):
        return "anomaly"
    raise SettingError(
        f"model {type(last).__name__} is neither a classifier nor a regressor nor a detector "
        "of anomalies; 'driftline models' lists what can be learned"
    )


def _numbers_only(estimator: Any) -> bool:
    """Whether it fails on a text, mostly only after it has learned what stood before it.

    Where that cannot be told, the answer is no.
    """
    while isinstance(estimator, compose.Pipeline | base.Wrapper):
        if isinstance(estimator, compose.Pipeline):
            estimator = next(iter(estimator.steps.values()))
        else:
            estimator = estimator._wrapped_model
    if isinstance(estimator, HoeffdingTreeRegressor):
        return bool(estimator.leaf_prediction != "mean")
    if isinstance(estimator, tree.SGTClassifier | tree.SGTRegressor):
        return not estimator.nominal_attributes
    if isinstance(estimator, KNNClassifier | KNNRegressor):
        # Of a distance that somebody brings nothing is known.
        return not isinstance(estimator.engine.dist_func, FunctionWrapper)
    return isinstance(estimator, _OF_NUMBERS)


def _last(estimator: Any) -> Any:
    """Return the step that predicts."""
    while isinstance(estimator, compose.Pipeline):
        estimator = estimator[-1]
    return estimator


def pipeline(steps: Sequence[base.Estimator]) -> base.Estimator:
    """Return the steps joined, in order."""
    return compose.Pipeline(*steps)


def one_vs_rest(estimator: Any) -> base.Estimator:
    """Return the estimator with its classifier made fit for more than two classes."""
    if not isinstance(estimator, compose.Pipeline):
        return multiclass.OneVsRestClassifier(estimator)
    *steps, last = estimator.steps.values()
    return compose.Pipeline(*steps, one_vs_rest(last))


def seeded(estimator: Any, seed: int) -> Any:
    """Return the estimator with every seed that was left open set to `seed`.

    Goes through all that it was built of. Nearest neighbours make their search engine
    themselves, unseeded, unless they are given one.
    """
    if isinstance(estimator, compose.Pipeline):
        return compose.Pipeline(
            *((name, seeded(step, seed)) for name, step in estimator.steps.items())
        )
    if not isinstance(estimator, base.Base):
        return estimator
    changes = {}
    for name in inspect.signature(type(estimator).__init__).parameters:
        value = getattr(estimator, name, None)
        if name == "seed" and value is None:
            changes[name] = seed
        elif (new := _seeded_part(value, seed)) is not value:
            changes[name] = new
    if not changes:
        return estimator
    return type(estimator)(**{**_arguments(estimator), **changes})


def _seeded_part(value: Any, seed: int) -> Any:
    if isinstance(value, base.Base | compose.Pipeline):
        return seeded(value, seed)
    if type(value) in (list, tuple):
        parts = [_seeded_part(part, seed) for part in value]
        if any(new is not old for new, old in zip(parts, value, strict=True)):
            return type(value)(parts)
    return value


def _arguments(estimator: base.Base) -> dict[str, Any]:
    parameters = inspect.signature(type(estimator).__init__).parameters.values()
    if any(p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in parameters):
        raise SettingError(
            f"model {type(estimator).__name__} takes a free list of arguments, so its seeds "
            "cannot be set here; give them yourself"
        )
    return {p.name: getattr(estimator, p.name) for p in parameters if p.name != "self"}
