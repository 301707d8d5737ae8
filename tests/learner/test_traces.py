import pickle
import random

import pytest

from learner.models.build import build
from learner.models.model import ModelError
from learner.models.presets import PRESETS
from tests.learner.test_laws import CATEGORICAL, labels_of, make

MEMORY = ("adaptive-forest", "bagging", "knn", "knn-regressor")
"""Models that leave traces only once they know much."""
FORESTS = {
    "river.forest.AMFClassifier": [False, True],
    "river.forest.AMFRegressor": [0.5, 1.5],
}
"""Models whose trees have nodes that know their parents, and their labels."""
OWN = {
    "a double": ("tests.doubles.YesNoDiary", False),
    "factors": ({"class": "river.facto.FMClassifier", "seed": 3}, False),
    "imputer": (
        [
            "river.preprocessing.StatImputer",
            "river.preprocessing.StandardScaler",
            "river.linear_model.LogisticRegression",
        ],
        False,
    ),
    "union": (
        [
            {
                "class": "river.feature_extraction.TargetAgg",
                "by": "color",
                "how": {"class": "river.stats.Mean"},
            },
            "river.naive_bayes.GaussianNB",
        ],
        True,
    ),
}


def lesson(chance, labels, texts):
    """Return a sample and its label, which it tells something of."""
    y = chance.randrange(len(labels))
    x = {"a": chance.gauss(y, 1), "b": chance.random(), "c": chance.randrange(4)}
    if texts:
        x["color"] = chance.choice(["red", "green", "blue"][y:])
    return x, labels[y]


def questions(chance, labels, texts):
    """Return samples of all kinds that may be asked about."""
    plain = [lesson(chance, labels, texts)[0] for _ in range(12)]
    return [*plain, plain[0] | {"new": 1.5}, {"a": 1.0}, {}, {"new": 2, "b": 0.5}]


def taught(model, n, labels, texts):
    """Teach a model n samples, each asked about before, as a learner does."""
    chance = random.Random(5)
    for _ in range(n):
        x, y = lesson(chance, labels, texts)
        if model.grain == 1:
            model.guess(x)
            model.learn_one(x, y)
    if model.grain > 1 and n:
        model.learn(*zip(*(lesson(chance, labels, texts) for _ in range(n)), strict=True))
    return model


def asked(model, x, ask):
    """Return a guess in full, or the kind of error it comes to."""
    try:
        return repr(ask(model, x))
    except ModelError as error:
        return type(error)


def hold_the_law(model, xs):
    """See that a model which is consulted says what it would, and stays what it was."""
    before = pickle.dumps(model)
    wanted = [asked(pickle.loads(before), x, lambda m, x: m.guess(x)) for x in xs]

    assert [asked(model, x, lambda m, x: m.consult([x])[0]) for x in xs] == wanted
    assert pickle.dumps(model) == before
    fine = [x for x, said in zip(xs, wanted, strict=True) if isinstance(said, str)]
    together = [repr(guess) for guess in model.consult(fine)]
    assert together == [said for said in wanted if isinstance(said, str)]
    assert pickle.dumps(model) == before


@pytest.mark.parametrize(
    ("preset", "n"),
    [(preset, n) for preset in PRESETS for n in (0, 10, 40)] + [(each, 600) for each in MEMORY],
)
def test_consulted_a_model_stays_in_every_bit_what_it_was(preset, n):
    """It says what a copy of it says that is asked as in a stream; nothing shows in it."""
    labels, texts = labels_of(preset), preset in CATEGORICAL
    model = taught(make(preset), n, labels, texts)

    hold_the_law(model, questions(random.Random(6), labels, texts))


@pytest.mark.parametrize("name", OWN)
def test_a_model_of_ones_own_stays_what_it_was(name):
    """It is copied where nobody knows what it does when it is asked."""
    spec, texts = OWN[name]
    model = taught(build(spec, seed=7), 60, [False, True], texts)

    hold_the_law(model, questions(random.Random(6), [False, True], texts))


@pytest.mark.parametrize("n", [0, 3, 200])
@pytest.mark.parametrize("name", FORESTS)
def test_a_forest_whose_nodes_know_their_parents_can_be_asked(name, n):
    """A walk through its parts comes to an end, and nothing shows in it."""
    spec = {"class": name, "n_estimators": 3, "seed": 4}
    model = taught(build(spec, seed=7), n, FORESTS[name], False)

    hold_the_law(model, questions(random.Random(6), FORESTS[name], False))


def test_to_be_asked_would_leave_traces():
    """Were nothing wiped off, the law above would be broken: it is not held by chance."""
    left = set()
    for preset in ("logistic", "knn", "adaptive-forest"):
        labels, texts = labels_of(preset), preset in CATEGORICAL
        model = taught(make(preset), 1500, labels, texts)
        before = pickle.dumps(model)
        for x in questions(random.Random(6), labels, texts) * 5:
            model.guess(x)
        if pickle.dumps(model) != before:
            left.add(preset)

    assert left == {"logistic", "knn", "adaptive-forest"}
