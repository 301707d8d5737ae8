"""From a name, a path or a table to a seeded model."""

import pytest
from river import multiclass
from sklearn.neural_network import MLPClassifier

from learner.models.build import build, construct
from learner.models.presets import PRESETS
from stream.errors import SettingError

TREE = "river.tree.HoeffdingTreeClassifier"


def made(spec, **how):
    """Return the model of a specification, with the seed of all tests."""
    return build(spec, **{"seed": 5, **how})


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_can_be_made(preset):
    """Its task is that of its labels."""
    model = made(preset, classes=[0, 1])

    labels = PRESETS[preset].labels
    tasks = {"a number": "regression", PRESETS["loda"].labels: "anomaly"}
    assert model.task == tasks.get(labels, "classification")
    assert not model.needs_classes


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("logistics", "did you mean 'logistic'"),
        ("hoefding-tree", "did you mean 'hoeffding-tree'"),
    ],
)
def test_a_name_that_is_not_known_gets_the_nearest(name, hint):
    """Where nothing is near, the list is named."""
    with pytest.raises(SettingError, match=hint):
        made(name)
    with pytest.raises(SettingError, match="'driftline models' lists them"):
        made("zzz")


def test_a_dotted_path_is_a_model_with_its_own_defaults():
    """As is a table that has nothing but the path."""
    assert made(TREE).estimator._get_params() == made({"class": TREE}).estimator._get_params()


def test_a_table_has_arguments_and_may_hold_tables():
    """Whatever has a class is built first."""
    spec = {
        "class": "river.ensemble.BaggingClassifier",
        "model": {"class": TREE, "grace_period": 17},
        "n_models": 3,
    }

    estimator = made(spec).estimator

    assert (len(estimator), estimator.seed) == (3, 5)
    assert estimator.model.grace_period == 17


def test_a_list_within_a_table_may_hold_tables():
    """Each of them is built."""
    spec = {"class": "river.ensemble.VotingClassifier", "models": [TREE, TREE]}
    spec["models"] = [{"class": path} for path in spec["models"]]

    assert [type(it).__name__ for it in made(spec).estimator.models] == [
        "HoeffdingTreeClassifier"
    ] * 2


def test_a_list_is_a_pipeline():
    """The last step is what predicts."""
    model = made(["river.preprocessing.StandardScaler", {"class": TREE, "max_depth": 3}])

    assert list(model.estimator.steps) == ["StandardScaler", "HoeffdingTreeClassifier"]
    assert (model.task, model.binary) == ("classification", False)


def test_more_than_two_classes_go_one_against_the_rest():
    """Only when they are declared, and only for a model of two."""
    assert made("logistic").binary
    assert made("logistic", classes=["a", "b"]).binary

    model = made("logistic", classes=["a", "b", "c"])

    assert not model.binary
    last = list(model.estimator.steps.values())[-1]
    assert isinstance(last, multiclass.OneVsRestClassifier)
    many = made("hoeffding-tree", classes=["a", "b", "c"]).estimator
    assert type(many).__name__ == "HoeffdingTreeClassifier"


def test_the_seed_reaches_what_was_left_open():
    """A seed of the user's own stays."""
    forest = "river.forest.ARFClassifier"
    mlp = "sklearn.neural_network.MLPClassifier"

    assert made("adaptive-forest").estimator.seed == 5
    assert made({"class": forest, "seed": 9}).estimator.seed == 9
    assert made(mlp, classes=[0, 1]).estimator.random_state == 5
    assert made({"class": mlp, "random_state": 9}, classes=[0, 1]).estimator.random_state == 9


@pytest.mark.parametrize("preset", ["knn", "knn-regressor"])
def test_the_search_engine_of_neighbours_is_seeded(preset):
    """River makes it without, behind the back of whoever asks for neighbours."""
    (neighbours,) = [
        step for step in made(preset).estimator.steps.values() if hasattr(step, "engine")
    ]

    assert neighbours.engine.seed == 5
    assert neighbours._nn.seed == 5


def test_the_seed_reaches_into_ensembles_of_different_models():
    """Two of them are built alike, list or not."""
    spec = {
        "class": "river.ensemble.VotingClassifier",
        "models": [{"class": "river.forest.ARFClassifier"}, {"class": TREE}],
    }

    assert made(spec).estimator.models[0].seed == 5


def test_a_user_s_own_estimator_is_as_good_as_any():
    """Of River's kind or of scikit-learn's."""
    assert made("tests.doubles.Diary").estimator.seed == 5
    pages = made("tests.doubles.PageDiary", classes=[0, 1])
    assert pages.estimator.random_state == 5
    assert pages.grain > 1


def test_a_model_that_must_know_its_classes_says_so():
    """Until they are known it can be made, but not taught."""
    assert made("sgd").needs_classes
    assert not made("sgd-regressor").needs_classes
    assert made("sgd", classes=["a", "b"]).classes == {"a", "b"}


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        ("river.tree.NoSuchTree", "'river.tree.NoSuchTree' cannot be imported"),
        ("no.such.module", "'no.such.module' cannot be imported"),
        ("river.tree", "'river.tree' is not a class"),
        ({"class": TREE, "depth": 3}, "it takes grace_period, max_depth"),
        ({"klass": TREE}, "must be a name, a dotted path, a table with 'class' or a list"),
        (7, "must be a name, a dotted path, a table with 'class' or a list"),
        ("fractions.Fraction", "has neither learn_one nor partial_fit"),
        ("sklearn.linear_model.LinearRegression", "it has no partial_fit"),
        ({"class": "sklearn.linear_model.SGDRegressor", "alpha": -1}, "'alpha' parameter"),
        ("river.preprocessing.StandardScaler", "neither a classifier nor a regressor"),
        ("river.cluster.KMeans", "neither a classifier nor a regressor"),
        ([], "must be a name"),
    ],
)
def test_what_is_no_model_is_refused_in_a_sentence(spec, sentence):
    """Which thing, what was found, and what to do."""
    with pytest.raises(SettingError, match=sentence):
        made(spec)


def test_arguments_are_not_taken_for_models():
    """Only a table with a class is built; other values go as they are."""
    model = construct(
        {"class": "sklearn.neural_network.MLPClassifier", "hidden_layer_sizes": [3]}
    )

    assert isinstance(model, MLPClassifier)
    assert model.hidden_layer_sizes == [3]


@pytest.mark.parametrize("name", ["mlp", "mlp-regressor"])
def test_a_network_keeps_no_memory_of_every_lesson(name):
    """scikit-learn's own would add a number to its curve of losses for ever."""
    model = build(name, seed=1, classes=(0, 1))
    for _ in range(5):
        model.learn([{"a": 0.1}, {"a": 0.9}], [0, 1])
    assert len(model.estimator.loss_curve_) == 1
