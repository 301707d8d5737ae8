"""A pipeline of plain steps, gone through straight, is River's own to the last digit."""

import pytest
from river import (
    anomaly,
    compose,
    datasets,
    feature_selection,
    linear_model,
    naive_bayes,
    preprocessing,
    stats,
)

from learner.models.river import RiverModel, Straight, one_vs_rest, straight

PAIRS = [(dict(x), y) for x, y in datasets.Phishing()][:600]
PLAIN = {
    "scaled": lambda: preprocessing.StandardScaler() | linear_model.LogisticRegression(),
    "twice": lambda: (
        preprocessing.MinMaxScaler() | preprocessing.StandardScaler() | naive_bayes.GaussianNB()
    ),
    "selected": lambda: (
        compose.SelectType(float) | preprocessing.RobustScaler() | linear_model.Perceptron()
    ),
}
OTHERS = {
    "union": lambda: (
        (preprocessing.StandardScaler() + preprocessing.MinMaxScaler())
        | linear_model.LogisticRegression()
    ),
    "supervised": lambda: (
        feature_selection.SelectKBest(similarity=stats.PearsonCorr(), k=3)
        | linear_model.LogisticRegression()
    ),
    "filtered": lambda: (
        anomaly.QuantileFilter(anomaly.OneClassSVM(nu=0.2), q=0.9)
        | linear_model.LogisticRegression()
    ),
    "nested": lambda: compose.Pipeline(
        preprocessing.StandardScaler(),
        preprocessing.MinMaxScaler() | linear_model.LogisticRegression(),
    ),
}


@pytest.mark.parametrize("name", PLAIN)
def test_plain_steps_do_what_the_pipeline_does(name):
    """Guess by guess, while it learns."""
    whole, way = PLAIN[name](), straight(PLAIN[name]())
    assert isinstance(way, Straight)
    for x, y in PAIRS:
        assert way.predict_one(x) == whole.predict_one(x)
        assert way.predict_proba_one(x) == whole.predict_proba_one(x)
        way.learn_one(x, y)
        whole.learn_one(x, y)


def test_scores_are_the_pipelines_as_well():
    """Of a detector of anomalies, which learns without labels."""
    whole = preprocessing.MinMaxScaler() | anomaly.HalfSpaceTrees(seed=1, window_size=50)
    way = straight(
        preprocessing.MinMaxScaler() | anomaly.HalfSpaceTrees(seed=1, window_size=50)
    )
    for x, _ in PAIRS:
        assert way.score_one(x) == whole.score_one(x)
        way.learn_one(x)
        whole.learn_one(x)


@pytest.mark.parametrize("name", OTHERS)
def test_other_steps_are_left_to_the_pipeline(name):
    """What has unions, filters, or steps that learn from labels is not ours to walk."""
    estimator = OTHERS[name]()

    assert straight(estimator) is estimator


def test_a_model_of_numbers_is_one_within_others_too():
    """So declared classes change nothing in what is refused."""
    plain = RiverModel(linear_model.LogisticRegression())
    many = RiverModel(one_vs_rest(linear_model.LogisticRegression()))

    assert plain.numbers_only
    assert many.numbers_only
