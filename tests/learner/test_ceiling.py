"""A model is bounded where that is asked for: by the numbers it holds, whatever the stream."""

import itertools
import pickle
import random
import zlib

import pytest
from river.base import Classifier

from learner.config import Config
from learner.models.build import build
from learner.models.presets import PRESETS
from learner.models.size import parameters
from learner.pickled import dumps, loads
from stream.errors import SettingError
from stream.records import encode
from tests.learner.told import learner, rows, sample, tell


class Closed(Classifier):
    """A model that keeps what it has learned where nobody can look."""

    def __init__(self):
        self.inside = zlib.compressobj()

    def learn_one(self, x, y):
        self.inside.compress(repr((x, y)).encode())

    def predict_one(self, x):
        return None


@pytest.mark.parametrize("name", PRESETS)
def test_what_a_model_holds_is_the_same_after_a_pickle(name):
    """By either way of loading, and it has grown with what was learned."""
    model, chance = build(name, seed=1, classes=(0, 1)), random.Random(1)
    before = parameters(model.parts)
    for _ in range(3):
        xs = [{f"f{k}": chance.random() for k in range(4)} for _ in range(100)]
        ys = [x["f0"] if model.task == "regression" else int(x["f0"] > 0.5) for x in xs]
        model.guess_many(xs)
        model.learn(xs, ys)

    held = parameters(model.parts)

    assert held > before
    assert parameters(pickle.loads(pickle.dumps(model)).parts) == held
    assert parameters(loads(dumps(model)).parts) == held


def test_arrays_and_compiled_mappings_count_by_their_length():
    """So weights do, wherever River or scikit-learn keep them."""
    linear = build("river.linear_model.LogisticRegression", seed=1)
    few = parameters(linear.parts)
    linear.learn_one({f"f{n}": 1.0 for n in range(500)}, True)
    assert parameters(linear.parts) == few + 500

    sgd = build("sgd", seed=1, classes=(0, 1))
    few = parameters(sgd.parts)
    sgd.learn([{f"f{n}": 1.0 for n in range(500)}] * 2, [0, 1])
    assert parameters(sgd.parts) > few + 500


def test_a_look_stops_soon_after_the_ceiling():
    """It costs no more than the ceiling, however large a model is."""

    def endless():
        for n in itertools.count():
            assert n < 200, "it looked on"
            yield [n] * 10

    held = [*itertools.islice(endless(), 150)]
    assert 100 < parameters(held, most=100) < 150


def strangers(count, names=1):
    """Return samples of which each has features of names that never came before."""
    return [
        sample(n, n % 2, a=n % 7, **{f"n{n}-{k}": 1.0 for k in range(names)})
        for n in range(count)
    ]


@pytest.mark.parametrize("policy", ["none", "reset"])
def test_hostile_names_of_features_do_not_fill_the_memory(policy):
    """The model starts over, says so, is counted, and no record is left out."""
    free, bounded = (
        learner("logistic", policy=policy),
        learner("logistic", policy=policy, max_parameters=5000),
    )
    records, largest = strangers(10_000), 0
    for start in range(0, 10_000, 500):
        turn = tell(bounded, *records[start : start + 500])
        assert len(rows(turn)) == 500
        assert not turn.dead
        largest = max(largest, parameters(bounded.policy.model.parts))
    tell(free, *records)

    assert parameters(free.policy.model.parts) > 30_000
    # 5,000 lessons at the most between two looks, of five numbers a name.
    assert largest < 5000 + 5 * 5000
    assert bounded.totals.outgrown >= 1
    assert bounded.totals.resets >= bounded.totals.outgrown


def test_one_that_starts_over_is_a_fresh_one():
    """Model and detector are those of a learner that begins there; the event says why."""
    records = strangers(2500, names=3)
    bounded = learner("logistic", policy="reset", max_parameters=5000)
    turn = tell(bounded, *records[:1000])
    why = {"why": "outgrown", "max_parameters": 5000}
    assert turn.events[-1] == (999, "reset", why)
    fresh = learner("logistic", policy="reset")

    after, oracle = tell(bounded, *records[1000:1900]), tell(fresh, *records[1000:1900])

    told = [
        [(row["id"], row["y_pred"], row["p_pred"]) for row in rows(t)] for t in (after, oracle)
    ]
    assert told[0] == told[1]
    assert len(told[0]) == 900


def test_the_scores_of_arms_outlive_models_that_grew_too_large():
    """They are the learner's since its start."""
    bounded = learner("logistic", policy="auto", max_parameters=8_000)
    tell(bounded, *strangers(1500, names=3))

    totals = bounded.totals

    assert totals.outgrown >= 1
    # A model that has learned nothing yet need not have a guess.
    least = totals.scored - totals.outgrown - 1
    assert all(least <= arm.scored <= totals.scored for arm in totals.arms.values())


@pytest.mark.parametrize(
    ("model", "settings"),
    [
        ("logistic", {}),
        ("hoeffding-tree", {}),
        ("sgd", {"classes": (0, 1), "grain": 64, "max_parameters": 20}),
        ("half-space-trees", {"policy": "none"}),
    ],
)
def test_where_the_stream_is_cut_shows_nowhere(model, settings):
    """Nor does a pickle on the way: a ceiling is reached at the same record."""
    records = strangers(3000)
    if model == "sgd":  # its features are those of the first grain
        records = [sample(n, n % 2, a=n % 7) for n in range(3000)]
    said = []
    for size in (3000, 611):
        told = learner(model, **{"max_parameters": 40, **settings})
        rows_, events = [], []
        for start in range(0, 3000, size):
            turn = tell(told, *records[start : start + size])
            rows_ += turn.rows
            events += turn.events
            told = pickle.loads(pickle.dumps(told))
        said.append((rows_, events, encode(told.totals)))

    assert said[0] == said[1]
    assert any(kind == "reset" for _, kind, _ in said[0][1])


def test_a_model_that_shows_nothing_has_no_ceiling():
    """It is refused with the way out, and without a ceiling it is taken."""
    path = f"{__name__}.Closed"
    Config(model=path)
    with pytest.raises(
        SettingError, match=r"and zlib\.Compress does not show its own; leave it"
    ):
        learner(path, policy="none", max_parameters=1000)
    with pytest.raises(SettingError, match="max_parameters must be at least 1, got 0"):
        Config(max_parameters=0)
