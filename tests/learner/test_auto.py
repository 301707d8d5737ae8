"""Several ways to meet a drift at once: when arms part and meet, and what is answered."""

import math
import random
from itertools import islice

import pytest
from river import stream
from river.datasets import synth

from learner.checkpoint import Checkpoints
from learner.policies.blend import blended_classes, blended_numbers, weights
from learner.policies.candidates import CLASSES, NUMBERS
from producer.sources.persistent import Persistent
from stream.errors import SettingError
from tests.learner.told import learner, reasons, rows, sample, tell


def fed(told, pairs):
    """Let a learner take pairs of features and label; return the turn."""
    return tell(told, *(sample(i, y, **x) for i, (x, y) in enumerate(pairs)))


def turned(n=4000, seed=1):
    """Return a stream whose labels turn over in the middle."""
    pairs = [*islice(synth.Sine(seed=seed), n)]
    return [
        ({f"f{key}": value for key, value in x.items()}, y if i < n // 2 else 1 - y)
        for i, (x, y) in enumerate(pairs)
    ]


def at_work(told):
    """Return how many models learn."""
    return told.policy.model.at_work


def test_arms_are_one_model_until_they_part():
    """One lesson for all; after an alarm there are more, until the worst go with the best."""
    told = learner("naive-bayes", policy={"name": "auto", "arms": ["none", "adwin", "ddm"]})
    pairs = turned(4000)

    fed(told, pairs[:1900])
    before = at_work(told)
    turn = tell(told, *(sample(2000 + i, y, **x) for i, (x, y) in enumerate(pairs[1900:2300])))
    parted = at_work(told)
    tell(told, *(sample(9000 + i, y, **x) for i, (x, y) in enumerate(pairs[2300:])))

    first = told.policy.model.arms[0]
    assert before == 1 < parted
    assert at_work(told) < parted or first.born > 0
    kinds = {kind for _, kind, _ in turn.events}
    assert {"arm-drift", "arm-reset"} <= kinds
    assert told.totals.actions["arm-joined"] >= 1


def test_those_that_start_over_at_once_share_the_new_model():
    """Two detectors alike are one history."""
    told = learner("naive-bayes", policy="auto")
    council = told.policy.model

    fed(told, turned(2600))

    assert len({id(arm.model) for arm in council.arms}) < len(council.arms)
    assert council.at_work == len({id(arm.model) for arm in council.arms[:-1]})


def test_a_drift_costs_auto_no_more_than_one_who_starts_over():
    """It is nearly as good as reset after a drift, and as none before it."""
    pairs = turned(6000)
    right = {}
    for policy in ("auto", "reset", "none"):
        told = learner("naive-bayes", policy=policy)
        fed(told, pairs)
        right[policy] = told.totals.correct / told.totals.scored

    assert right["none"] < 0.7 < right["reset"]
    assert right["auto"] > right["reset"] - 0.01


def test_labels_that_last_are_said_again_under_that_name():
    """Where no model does as well the last label serves, and the outcomes say so."""
    told = learner("naive-bayes", policy="auto")

    turn = fed(told, islice(Persistent(seed=3, change=0.05), 4000))

    found = rows(turn)
    still = [i for i, row in enumerate(found) if row["arm"] == "no-change"]
    assert {row["arm"] for row in found} == {"blend", "no-change"}
    assert all(found[i]["y_pred"] == found[i - 1]["y"] for i in still)
    assert all(found[i]["p_pred"] is None for i in still)
    switches = [details["to"] for _, kind, details in turn.events if kind == "switch"]
    assert switches[0] == "no-change"
    assert len(switches) <= 4
    arms = told.totals.arms
    assert [name for name, it in arms.items() if it.serving] == [found[-1]["arm"]] or len(
        switches
    ) % 2 == 0


def test_the_arms_have_their_scores_in_the_totals():
    """Each of them by its name; no more than eight."""
    told = learner("naive-bayes", policy="auto")

    fed(told, turned(300))

    assert tuple(told.totals.arms) == CLASSES
    assert len(CLASSES) <= 8 >= len(NUMBERS)
    assert all(arm.scored == 299 for arm in told.totals.arms.values())


@pytest.mark.parametrize("grain", [1, 10])
def test_what_no_model_takes_is_refused_though_the_last_label_could_be_said(grain):
    """As by one model alone, in grains and one by one."""
    model = ["river.preprocessing.Normalizer", "river.naive_bayes.GaussianNB"]
    records = [sample(n, n % 2, a=n % 7, b="red" if n % 5 == 3 else 1.0) for n in range(300)]
    alone = learner(model, policy="none", grain=grain)
    several = learner(model, policy="auto", grain=grain)

    wanted, turn = tell(alone, *records), tell(several, *records)

    assert reasons(turn) == reasons(wanted)
    assert len(turn.dead) >= 55
    assert several.totals.samples == alone.totals.samples


def test_values_that_are_ignored_are_counted_once():
    """However many arms have one and the same model."""
    records = [
        sample(n, n % 2, a=n % 7, **({"late": 1.0} if n >= 60 else {})) for n in range(80)
    ]
    found = []
    for policy in ("none", "auto"):
        told = learner("sgd", policy=policy, classes=(0, 1), grain=20)
        tell(told, *records)
        found.append(told.totals.late_features)
    assert found == [20, 20]


@pytest.mark.parametrize("model", ["logistic", "sgd"])
def test_who_stands_alone_and_is_young_is_still_the_best(model):
    """A window that has just started over, beside none but the last label."""
    policy = {"name": "auto", "arms": ["window-a", "no-change"]}
    told = learner(model, policy=policy, classes=(0, 1))

    turn = fed(told, turned(3500))

    assert turn.dead == []
    assert told.totals.actions["arm-reset"] >= 2


def test_a_label_that_comes_late_takes_no_walk_through_the_models(monkeypatch):
    """The arms are asked again as in a stream: each lesson would cost a look at all of them."""

    def walked(*_):
        raise AssertionError

    monkeypatch.setattr("learner.models.river.guess_without_trace", walked)
    told = learner("hoeffding-tree", policy="auto")
    pairs = turned(300)

    for i, (x, _) in enumerate(pairs):
        tell(told, sample(i, **x))
    labels = [sample(i, y) for i, (_, y) in enumerate(pairs)]
    for label in labels:
        del label["x"]
    turn = tell(told, *labels)

    assert len(turn.rows) == 300
    assert (
        told.totals.arms["none"].scored == 299
    )  # all but the first, which none had a guess of


def test_numbers_are_met_alike():
    """With the detectors that take them; the mean error is near the best arm's."""
    told = learner("linear", policy="auto")
    chance = random.Random(4)
    pairs = []
    for i in range(3000):
        a, b = chance.random(), chance.random()
        pairs.append(({"a": a, "b": b}, 40.0 * a if i < 1500 else 500.0 - 300.0 * b))

    fed(told, pairs)

    totals = told.totals
    assert tuple(totals.arms) == NUMBERS
    best = min(arm.absolute_error / arm.scored for arm in totals.arms.values())
    assert totals.absolute_error / totals.scored < 1.05 * best
    assert totals.actions.get("arm-drift", 0) >= 1


@pytest.mark.parametrize("model", ["naive-bayes", "sgd", "knn"])
def test_checkpoints_keep_arms_together(model, tmp_path):
    """Saved and gone on with anywhere, they share what they shared and say the same."""
    pairs = [*stream.iter_array(*_blocks())]
    grain = {"grain": 16} if model == "sgd" else {}
    classes = (0, 1, 2) if model == "sgd" else None
    store = Checkpoints.at(tmp_path, "s", "main", 0, "id", b"k" * 32)
    whole = learner(model, policy="auto", classes=classes, **grain)
    carried = learner(model, policy="auto", classes=classes, **grain)
    said, again = [], []
    for start in range(0, len(pairs), 97):
        part = [
            sample(start + i, y, **{str(k): v for k, v in x.items()})
            for i, (x, y) in enumerate(pairs[start : start + 97])
        ]
        said += (turn := tell(whole, *part)).rows + turn.events
        again += (turn := tell(carried, *part)).rows + turn.events
        carried = store.save(carried)

    assert said == again
    assert at_work(whole) == at_work(carried)
    assert any(kind == "arm-reset" for _, kind, *_ in said)


def _blocks():
    """Return features and labels of three classes that change their places."""
    chance = random.Random(2)
    xs, ys = [], []
    for i in range(1300):
        y = chance.randrange(3)
        xs.append([chance.gauss((y + i // 500) % 3, 0.4), chance.random()])
        ys.append(y)
    return xs, ys


@pytest.mark.parametrize(
    ("arms", "sentence"),
    [
        (["nobody"], "no arm 'nobody'; choose of none, adwin"),
        ([], "must be 1 to 8 different names"),
        (["none", "none"], "must be 1 to 8 different names"),
        (["no-change"], "with a model among them"),
        (7, "must be a list of names, got 7"),
        ([["none"]], "must be names, got"),
    ],
)
def test_arms_that_cannot_be_are_refused(arms, sentence):
    """In one sentence, with those there are."""
    with pytest.raises(SettingError, match=sentence):
        learner("naive-bayes", policy={"name": "auto", "arms": arms})


@pytest.mark.parametrize("policy", ["auto", "old+new", "old+both"])
def test_scores_of_anomalies_are_refused(policy):
    """They are neither right nor wrong, so nothing says who does better."""
    with pytest.raises(SettingError, match=f"{policy.replace('+', '.')}.*has none; choose"):
        learner("half-space-trees", policy=policy)


def test_weights_fall_with_the_loss_and_know_no_unit():
    """The best has 1; in other units they are the same."""
    found = weights([0.3, 0.4, 0.6], 0.02)

    assert found[0] == 1.0 > found[1] > found[2] > 0.0
    assert found[1] == pytest.approx(math.exp(-8 / 3))
    assert weights([300.0, 400.0, 600.0], 20.0) == pytest.approx(found)
    assert weights([0.0, 1e-9], 0.0) == [1.0, 0.0]


def test_the_blend_is_the_weighted_mean_of_probabilities():
    """One that has none puts its weight on its guess; one that has no guess has no weight."""
    guesses = [("a", {"a": 0.6, "b": 0.4}), ("b", None), (None, None), ("b", {"b": math.nan})]

    y_pred, p = blended_classes(guesses, [1.0, 0.5, 9.0, 0.0])

    assert y_pred == "b"
    assert p == pytest.approx({"a": 0.4, "b": 0.6})
    assert blended_classes([(None, None)], [1.0]) == (None, None)
    assert blended_classes([("a", None), ("b", None)], [1.0, 2.0]) == ("b", None)


def test_numbers_that_are_not_finite_have_no_say():
    """The mean is of those that are."""
    guesses = [(1.0, None), (math.inf, None), (4.0, None), (None, None)]

    assert blended_numbers(guesses, [1.0, 5.0, 2.0, 1.0]) == (3.0, None)
    assert blended_numbers([(math.nan, None)], [1.0]) == (None, None)
