"""The models that have a name of their own, as specifications for `learner.models.build`."""

from __future__ import annotations

from typing import Any, NamedTuple

Spec = Any
"""A dotted path, a table with `class` and arguments, or a list of these: a pipeline."""
SCALINGS = ("standard", "minmax", "none")
"""What can stand before an estimator of scikit-learn."""


class Preset(NamedTuple):
    """A model by name. `labels` says which labels it takes, `scaling` what stands before it."""

    spec: Spec
    labels: str
    scaling: str = "none"


_TWO = "two classes; more, once declared, go one against the rest"
_ANY = "any classes, as they come"
_DECLARED = "classes declared beforehand"
_NUMBER = "a number"
_ANOMALY = "true or 1 for an anomaly, else false or 0; only to score the scores, never to learn"
_SCALER = "river.preprocessing.StandardScaler"
_SGD = "sklearn.linear_model.SGD"

PRESETS: dict[str, Preset] = {
    "logistic": Preset([_SCALER, "river.linear_model.LogisticRegression"], _TWO),
    "softmax": Preset([_SCALER, "river.linear_model.SoftmaxRegression"], _ANY),
    "perceptron-river": Preset([_SCALER, "river.linear_model.Perceptron"], _TWO),
    "naive-bayes": Preset("river.naive_bayes.GaussianNB", _ANY),
    "hoeffding-tree": Preset("river.tree.HoeffdingTreeClassifier", _ANY),
    "adaptive-tree": Preset("river.tree.HoeffdingAdaptiveTreeClassifier", _ANY),
    "adaptive-forest": Preset("river.forest.ARFClassifier", _ANY),
    "bagging": Preset(
        {
            "class": "river.ensemble.BaggingClassifier",
            "model": {"class": "river.tree.HoeffdingTreeClassifier"},
            "n_models": 5,
        },
        _ANY,
    ),
    "knn": Preset([_SCALER, "river.neighbors.KNNClassifier"], _ANY),
    "linear": Preset([_SCALER, "river.linear_model.LinearRegression"], _NUMBER),
    "tree-regressor": Preset("river.tree.HoeffdingTreeRegressor", _NUMBER),
    "knn-regressor": Preset([_SCALER, "river.neighbors.KNNRegressor"], _NUMBER),
    "half-space-trees": Preset(
        ["river.preprocessing.MinMaxScaler", "river.anomaly.HalfSpaceTrees"], _ANOMALY
    ),
    "one-class-svm": Preset([_SCALER, "river.anomaly.OneClassSVM"], _ANOMALY),
    "loda": Preset([_SCALER, "river.anomaly.LODA"], _ANOMALY),
    "multinomial-nb": Preset("sklearn.naive_bayes.MultinomialNB", _DECLARED, "minmax"),
    "bernoulli-nb": Preset("sklearn.naive_bayes.BernoulliNB", _DECLARED, "standard"),
    "gaussian-nb": Preset("sklearn.naive_bayes.GaussianNB", _DECLARED),
    "perceptron": Preset("sklearn.linear_model.Perceptron", _DECLARED, "standard"),
    "sgd": Preset({"class": f"{_SGD}Classifier", "loss": "log_loss"}, _DECLARED, "standard"),
    # scikit-learn has put its PassiveAggressive classes away in favour of these.
    "passive-aggressive": Preset(
        {
            "class": f"{_SGD}Classifier",
            "loss": "hinge",
            "penalty": None,
            "learning_rate": "pa1",
            "eta0": 1.0,
        },
        _DECLARED,
        "standard",
    ),
    "mlp": Preset("sklearn.neural_network.MLPClassifier", _DECLARED, "standard"),
    "sgd-regressor": Preset(f"{_SGD}Regressor", _NUMBER, "standard"),
    "passive-aggressive-regressor": Preset(
        {
            "class": f"{_SGD}Regressor",
            "loss": "epsilon_insensitive",
            "penalty": None,
            "learning_rate": "pa1",
            "eta0": 1.0,
        },
        _NUMBER,
        "standard",
    ),
    "mlp-regressor": Preset("sklearn.neural_network.MLPRegressor", _NUMBER, "standard"),
}


def named(spec: Spec) -> str:
    """Return what a specification is called for short, whatever its arguments.

    >>> named([{"class": "river.preprocessing.MinMaxScaler"}, "river.anomaly.LODA"])
    'MinMaxScaler+LODA'
    """
    if isinstance(spec, list):
        return "+".join(map(named, spec))
    if isinstance(spec, dict):
        spec = spec.get("class", "")
    return str(spec).rpartition(".")[2]
