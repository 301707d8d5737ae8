"""A model learns more slowly or faster after a drift, and finds its way back."""

import random

import pytest
from river import linear_model, optim, preprocessing
from river.optim.base import Optimizer

from learner.models.build import build
from learner.models.rate import Rate
from learner.models.traces import parts_of
from stream.errors import SettingError
from tests.learner.policies.streams import stream
from tests.learner.told import learner, rows, sample, tell

SGD = {"class": "sklearn.linear_model.SGDClassifier", "learning_rate": "constant", "eta0": 0.5}
ADAM = [
    "river.preprocessing.StandardScaler",
    {
        "class": "river.linear_model.LogisticRegression",
        "optimizer": {"class": "river.optim.Adam"},
    },
]
ONCE = {"class": "tests.doubles.FourthMistake", "every": 20}
"""A detector that alarms at the twentieth mistake; the next one is far."""


def made(model, **how):
    """Return a model for the classes 0 and 1."""
    return build(model, seed=1, classes=(0, 1), **how)


@pytest.mark.parametrize(
    "model",
    ["logistic", "softmax", "linear", "sgd-regressor", "mlp", "perceptron", ADAM, SGD],
)
def test_a_rate_is_scaled_and_set_back_to_the_last_bit(model):
    """Also where it is scaled twice in between: the factor is of what it would be."""
    made_of = made(model)
    xs, ys = [{"a": float(i)} for i in range(8)], [0, 1] * 4
    made_of.learn(xs, ys)
    rate = Rate(made_of)
    before = rate.now

    rate.scale(0.3)
    rate.scale(0.5)
    assert rate.now == before * 0.5
    made_of.learn(xs, ys)
    rate.scale(1)
    plain = Rate(made(model))
    assert rate.now == pytest.approx(plain.now) or model == "softmax"
    assert rate.now == before


@pytest.mark.parametrize(
    "model",
    [
        *("hoeffding-tree", "naive-bayes", "knn", "sgd", "passive-aggressive"),
        [{"class": "river.linear_model.LogisticRegression",
          "optimizer": {"class": "river.optim.AdaDelta"}}],
        [{"class": "river.linear_model.LogisticRegression",
          "optimizer": {"class": "river.optim.FTRLProximal"}}],
    ],
)  # fmt: skip
@pytest.mark.parametrize("policy", ["slower", "faster"])
def test_a_model_without_a_learning_rate_is_refused(model, policy):
    """In one sentence that names models that have one."""
    with pytest.raises(SettingError, match="has none; models that have one are logistic"):
        learner(model, policy=policy, classes=(0, 1))


def test_models_made_while_the_rate_is_changed_are_set_back_too():
    """A tree's new leaves, or the classes that a softmax first sees then."""
    chance = random.Random(1)
    xs = [{"a": chance.random(), "b": chance.random()} for _ in range(2000)]
    tree, softmax = build("tree-regressor", seed=1), build("softmax", seed=1)
    for model, labels in (
        (tree, [5 * x["a"] + 3 * (x["b"] > 0.5) for x in xs]),
        (softmax, [int(9 * x["a"]) for x in xs]),
    ):
        model.learn(xs[:100], labels[:100])
        rate = Rate(model)
        rate.scale(7.0)
        model.learn(xs, labels)
        rate.scale(1)
        optimizers = [p for p in parts_of([model.estimator]) if isinstance(p, Optimizer)]
        assert len(optimizers) > 3
        assert {each.learning_rate for each in optimizers} == {0.01}


@pytest.mark.parametrize("factor", [0.25, 4.0])
def test_it_is_what_one_does_by_hand(factor):
    """Optimizer and intercept take other steps from the drift's sample on, for a while."""
    name = "slower" if factor < 1 else "faster"
    policy = {"name": name, "factor": factor, "samples": 100}
    pairs = stream("sine")[:500]
    told = learner("logistic", policy=policy, detector=ONCE, direction="any")

    turn = tell(told, *(sample(i, y, **x) for i, (x, y) in enumerate(pairs)))

    scaler = preprocessing.StandardScaler()
    model = linear_model.LogisticRegression()
    changed = {}
    for offset, kind, _ in turn.events:
        if kind in (name, "rate-restored"):
            changed[offset] = factor if kind == name else 1.0
    guesses = []
    for at, (x, y) in enumerate(pairs):
        guesses.append(model.predict_one(scaler.transform_one(x)))
        if at in changed:
            rate = 0.01 * changed[at]
            model.optimizer.lr = optim.schedulers.Constant(rate)
            model.intercept_lr = optim.schedulers.Constant(rate)
        scaler.learn_one(x)
        model.learn_one(scaler.transform_one(x), y)
    assert [row["y_pred"] for row in rows(turn)] == guesses
    assert len(changed) >= 2
    starts = [offset for offset, kind, _ in turn.events if kind == name]
    restored = [offset for offset, kind, _ in turn.events if kind == "rate-restored"]
    assert all(offset - 100 in starts for offset in restored)
    details = next(details for _, kind, details in turn.events if kind == name)
    assert details.keys() == {
        *("detector", "before", "after", "rate_before", "rate", "samples"),
    }
    assert (details["rate_before"], details["rate"]) == (0.01, 0.01 * factor)


def test_gradually_the_rate_goes_back_in_small_steps():
    """Each of them nearer to what it was, without an event of its own."""
    policy = {"name": "faster", "factor": 16.0, "samples": 40, "gradual": True}
    told = learner("logistic", policy=policy, detector=ONCE, direction="any")
    seen, kinds = [], []
    for i, (x, y) in enumerate(stream("sine")):
        kinds += [kind for _, kind, _ in tell(told, sample(i, y, **x)).events]
        if kinds and kinds[-1] == "drift":
            raise AssertionError("a drift without an answer")
        seen.append(told.policy._rate.now)
        if "rate-restored" in kinds:
            break

    changed = [rate for rate in seen if rate != 0.01]
    assert changed[0] == 0.16
    assert changed == sorted(changed, reverse=True)
    assert 15 <= len(set(changed)) <= 21
    assert changed[20] == pytest.approx(0.04, rel=0.2)
    assert seen[-1] == 0.01
    assert kinds == ["drift", "faster", "rate-restored"]


def test_a_drift_on_the_way_back_begins_it_anew():
    """With the same factor, not with its square."""
    often = {"class": "tests.doubles.FourthMistake", "every": 5}
    policy = {"name": "faster", "factor": 3.0, "samples": 1000}
    told = learner("logistic", policy=policy, detector=often, direction="any")

    turn = tell(told, *(sample(i, y, **x) for i, (x, y) in enumerate(stream("sine")[:300])))

    details = [details for _, kind, details in turn.events if kind == "faster"]
    assert len(details) > 2
    assert {each["rate"] for each in details} == {0.03}
    assert [each["rate_before"] for each in details[:2]] == [0.01, 0.03]


@pytest.mark.parametrize("model", [SGD, "mlp"])
def test_scikit_learn_s_rates_change_what_is_learned(model):
    """From the grain of the drift on."""
    settings = {"grain": 20, "classes": (False, True), "detector": ONCE, "direction": "any"}
    lessons = [sample(i, y, **x) for i, (x, y) in enumerate(stream("sine"))]
    plain, told = (
        learner(model, policy="none", **settings),
        learner(model, policy={"name": "slower", "factor": 0.01}, **settings),
    )

    before, turn = tell(plain, *lessons), tell(told, *lessons)

    first = next(offset for offset, kind, _ in turn.events if kind == "slower")
    assert rows(turn)[: first + 1] == rows(before)[: first + 1]
    mine, theirs = told.policy.model, plain.policy.model
    xs = [x for x, _ in stream("sine")[:50]]
    assert mine.guess_many(xs) != theirs.guess_many(xs) or rows(turn) != rows(before)


@pytest.mark.parametrize(
    ("policy", "sentence"),
    [
        ({"name": "slower", "factor": 1}, "factor of policy 'slower' must be a number above 0"),
        ({"name": "faster", "factor": 1}, "factor of policy 'faster' must be a number above 1"),
        ({"name": "faster", "factor": "2"}, "below 1000, got '2'"),
        ({"name": "faster", "samples": 0}, "samples of policy 'faster' must be a whole number"),
        (
            {"name": "faster", "gradual": "y"},
            "gradual of policy 'faster' must be true or false",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused(policy, sentence):
    """Before a record is read."""
    with pytest.raises(SettingError, match=sentence):
        learner("logistic", policy=policy)


def test_a_detector_of_anomalies_has_no_drift_to_answer():
    """Though it may have a learning rate."""
    with pytest.raises(SettingError, match="the score of an anomaly has none"):
        learner("one-class-svm", policy="slower")


def test_the_rate_that_is_told_is_the_optimizer_s():
    """The intercept of a linear model has another, which stays as it is made."""
    optimizer = {"class": "river.optim.SGD", "lr": 0.1}
    model = [{"class": "river.linear_model.LogisticRegression", "optimizer": optimizer}]
    rate = Rate(build(model, seed=1))
    assert rate.now == 0.1
    rate.scale(2)
    assert rate.now == 0.2
