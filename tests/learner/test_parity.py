"""The oracle is River itself, and scikit-learn itself: the same guesses, the same figures."""

import datetime as dt
import functools
import json
import random
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
from river import (
    datasets,
    ensemble,
    evaluate,
    forest,
    linear_model,
    metrics,
    naive_bayes,
    neighbors,
    preprocessing,
    tree,
)
from river.datasets import synth
from sklearn import datasets as sets
from sklearn.linear_model import Perceptron, SGDClassifier, SGDRegressor
from sklearn.naive_bayes import BernoulliNB, GaussianNB, MultinomialNB
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from threadpoolctl import threadpool_limits

from learner.config import Config
from learner.loop import learn
from learner.run import Run
from producer.replay import Replay, produce
from stream.memory import MemoryLog

SCALER = "river.preprocessing.StandardScaler"
SCALED = preprocessing.StandardScaler


class Stream(NamedTuple):
    """A stream as the producer is told of it, and the same pairs as the oracle gets them."""

    source: str
    pairs: Callable[[], Any]
    limit: int | None = None
    rows: Callable[[], list] | None = None


class Race(NamedTuple):
    """A stream, a model as the learner is told of it, and the same one built by hand."""

    stream: str
    model: Any
    built: Callable[[], Any]


def weather():
    """Return rows with texts and labels that are texts, some values missing."""
    chance = random.Random(8)
    rows = []
    for i in range(700):
        sky = chance.choice(["clear", "cloudy", "dark"])
        heat = chance.gauss({"clear": 25, "cloudy": 15, "dark": 5}[sky], 6)
        town = chance.choice(["Bonn", "Köln", "Ulm"])
        wet = heat < 12 + 8 * (i > 350)
        y = ("snow" if heat < 2 else "rain") if wet else "dry"
        rows.append({"sky": sky, "heat": heat, "town": town, "day": i % 7, "y": y})
    return rows


def gaps():
    """Return rows of numbers, of which some are missing, with two labels that are texts."""
    chance = random.Random(9)
    rows = []
    for i in range(600):
        y = "spam" if i < 45 or chance.random() < 0.5 else "ham"
        n, m = chance.gauss(y == "spam", 1), chance.random()
        holes = i > 0 and chance.random() < 0.2
        rows.append({"n": None if holes else n, "m": m, "y": y})
    return rows


def whole():
    """Return the rows of `gaps` that have no gap."""
    return [row for row in gaps() if row["n"] is not None]


def holes():
    """Return the rows of `gaps` with what is missing left out."""
    return [{k: v for k, v in row.items() if v is not None} for row in gaps()]


def split(rows):
    """Return features and label of each row."""
    return [({k: v for k, v in row.items() if k != "y"}, row["y"]) for row in rows]


def named(pairs):
    """Return pairs with the names of features as JSON has them."""
    return [({str(name): value for name, value in x.items()}, y) for x, y in pairs]


STREAMS = {
    "phishing": Stream("river:Phishing", datasets.Phishing),
    "few": Stream("river:Phishing", datasets.Phishing, limit=450),
    "bananas": Stream("river:Bananas", datasets.Bananas, limit=1500),
    "segments": Stream("river:ImageSegments", datasets.ImageSegments, limit=600),
    "weather": Stream("weather.jsonl", lambda: split(weather()), rows=weather),
    "gaps": Stream("gaps.jsonl", lambda: split(gaps()), rows=gaps),
    "holes": Stream("holes.jsonl", lambda: split(holes()), rows=holes),
    "whole": Stream("whole.jsonl", lambda: split(whole()), rows=whole),
    "sea": Stream("synth:SEA(seed=3)", lambda: synth.SEA(seed=3), limit=1200),
    "trump": Stream("river:TrumpApproval", datasets.TrumpApproval),
    "chicks": Stream("river:ChickWeights", datasets.ChickWeights),
    "friedman": Stream("synth:Friedman(seed=5)", lambda: synth.Friedman(seed=5), limit=800),
}


@functools.cache
def pairs_of(stream):
    """Return what the oracle learns of a stream."""
    found = iter(STREAMS[stream].pairs())
    limit = STREAMS[stream].limit
    return named(pair for pair, _ in zip(found, range(limit or 10**6), strict=False))


def swinn():
    """Return the search engine that nearest neighbours make themselves, with a seed."""
    return neighbors.SWINN(seed=1)


RACES = [
    Race("phishing", "logistic", lambda: SCALED() | linear_model.LogisticRegression()),
    Race("phishing", "perceptron-river", lambda: SCALED() | linear_model.Perceptron()),
    Race("few", "adaptive-forest", lambda: forest.ARFClassifier(seed=1)),
    Race("few", "knn", lambda: SCALED() | neighbors.KNNClassifier(engine=swinn())),
    Race("bananas", "hoeffding-tree", tree.HoeffdingTreeClassifier),
    Race("bananas", "adaptive-tree", lambda: tree.HoeffdingAdaptiveTreeClassifier(seed=1)),
    Race("segments", "naive-bayes", naive_bayes.GaussianNB),
    Race("segments", "softmax", lambda: SCALED() | linear_model.SoftmaxRegression()),
    Race(
        "segments",
        "bagging",
        lambda: ensemble.BaggingClassifier(tree.HoeffdingTreeClassifier(), n_models=5, seed=1),
    ),
    Race("segments", "adaptive-forest", lambda: forest.ARFClassifier(seed=1)),
    Race("sea", "logistic", lambda: SCALED() | linear_model.LogisticRegression()),
    Race("weather", "hoeffding-tree", tree.HoeffdingTreeClassifier),
    Race("weather", "adaptive-forest", lambda: forest.ARFClassifier(seed=1)),
    Race(
        "weather",
        ["river.preprocessing.OneHotEncoder", "river.linear_model.SoftmaxRegression"],
        lambda: preprocessing.OneHotEncoder() | linear_model.SoftmaxRegression(),
    ),
    Race("holes", "hoeffding-tree", tree.HoeffdingTreeClassifier),
    Race(
        "gaps",
        [
            "river.preprocessing.PreviousImputer",
            SCALER,
            {"class": "river.linear_model.LogisticRegression", "l2": 0.01},
        ],
        lambda: (
            preprocessing.PreviousImputer()
            | SCALED()
            | linear_model.LogisticRegression(l2=0.01)
        ),
    ),
    Race("whole", "logistic", lambda: SCALED() | linear_model.LogisticRegression()),
    Race("trump", "linear", lambda: SCALED() | linear_model.LinearRegression()),
    Race("chicks", "tree-regressor", tree.HoeffdingTreeRegressor),
    Race("chicks", "knn-regressor", lambda: SCALED() | neighbors.KNNRegressor(engine=swinn())),
    Race("friedman", "tree-regressor", tree.HoeffdingTreeRegressor),
    Race(
        "friedman",
        {"class": "river.forest.ARFRegressor", "n_models": 3},
        lambda: forest.ARFRegressor(n_models=3, seed=1),
    ),
]
EACH_RACE = {f"{race.stream}-{json.dumps(race.model)[:24]}": race for race in RACES}


class Figures(NamedTuple):
    """The guesses in their order, and what they come to."""

    guesses: list
    accuracy: float | None = None
    mae: float | None = None
    rmse: float | None = None


def by_river(pairs, model, **delay):
    """Return what River's own evaluation says; two texts it knows as False and True."""
    labels = list(dict.fromkeys(y for _, y in pairs))
    names = None
    if isinstance(labels[0], str) and not getattr(model, "_multiclass", False):
        names = dict(zip((False, True), labels, strict=True))
        codes = {label: code for code, label in names.items()}
        pairs = [(x, codes[y]) for x, y in pairs]
    regression = isinstance(labels[0], float) or len(labels) > 50
    metric = metrics.MAE() + metrics.RMSE() if regression else metrics.Accuracy()
    steps = evaluate.iter_progressive_val_score(
        pairs, model, metric, step=1, yield_predictions=True, **delay
    )
    guesses = [step["Prediction"] for step in steps]
    if names:
        guesses = [None if guess is None else names[guess] for guess in guesses]
    if regression:
        return Figures(guesses, mae=metric[0].get(), rmse=metric[1].get())
    return Figures(guesses, accuracy=metric.get())


@functools.cache
def expected(name):
    """Return the oracle's figures for a race."""
    race = EACH_RACE[name]
    return by_river(pairs_of(race.stream), race.built())


def produced(log, stream, folder, **replay):
    """Write a stream to a log, from a file where it has rows of its own."""
    source, _, limit, rows = STREAMS[stream]
    if rows is not None:
        source = folder / source
        source.write_text("".join(f"{json.dumps(row)}\n" for row in rows()))
        replay["label"] = "y"
    produce(log, Replay(source=str(source), limit=limit, **replay))


def outcomes(log, name="main"):
    """Return every row of the outcomes topic, in order, decoded by no code of ours."""
    topic = log.topic(f"{log.stream}.{name}.outcomes")
    rows = []
    for entry in topic.scan(0, topic.first()[0], topic.end()[0]):
        columns = json.loads(entry.value)["rows"]
        rows += (
            dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)
        )
    return rows


def by_learner(log, folder, *, turn, **config):
    """Return what a learner says and sums up of the samples in a log."""
    run = Run(state=folder / "state", turn=turn, until_end=True)
    summary = learn(log, Config(policy="none", **config), run)
    guesses = [row["y_pred"] for row in outcomes(log)]
    return Figures(guesses, summary.accuracy, summary.mae, summary.rmse)


def told_apart(figures):
    """Return figures so that True differs from 1, and 1.0 from 1 does not."""
    guesses = [(isinstance(guess, bool), guess) for guess in figures.guesses]
    return figures._replace(guesses=guesses)


SLOW = ("forest", "ARF", "bagging", "knn")
TURNS = [(name, 7) for name in EACH_RACE]
TURNS += [(name, 1000) for name in EACH_RACE if not any(word in name for word in SLOW)]


@pytest.mark.parametrize(("name", "turn"), TURNS)
def test_guesses_and_figures_are_river_s(name, turn, tmp_path):
    """Guess by guess, and to the last digit of every figure."""
    race, log = EACH_RACE[name], MemoryLog()
    produced(log, race.stream, tmp_path)

    figures = by_learner(log, tmp_path, model=race.model, turn=turn)

    assert told_apart(figures) == told_apart(expected(name))


@pytest.mark.parametrize(
    ("stream", "model", "limit"),
    [("phishing", "logistic", 150), ("segments", "naive-bayes", 100), ("trump", "linear", 100)],
)
def test_turns_of_one_record_are_river_s(stream, model, limit, tmp_path):
    """A learner that commits after every single sample guesses the same."""
    log = MemoryLog()
    built = next(race.built for race in RACES if (race.stream, race.model) == (stream, model))
    produce(log, Replay(source=STREAMS[stream].source, limit=limit))

    figures = by_learner(log, tmp_path, model=model, turn=1)

    assert told_apart(figures) == told_apart(by_river(pairs_of(stream)[:limit], built()))


@pytest.mark.parametrize(
    "name",
    [
        'phishing-"logistic"',
        'segments-"naive-bayes"',
        'whole-"logistic"',
        'weather-"hoeffding-tree"',
        'chicks-"tree-regressor"',
    ],
)
def test_every_log_gives_river_s_guesses(log, name, tmp_path):
    """What carries the samples does not show."""
    race = EACH_RACE[name]
    produced(log, race.stream, tmp_path)

    figures = by_learner(log, tmp_path, model=race.model, turn=1000)

    assert told_apart(figures) == told_apart(expected(name))


def test_a_binary_guess_before_its_label_has_a_name_is_right_or_wrong_as_river_has_it(tmp_path):
    """A model of two may guess True while only one text has appeared; that is a mistake."""
    pairs = [({"n": float(n)}, "spam" if n < 9 else "ham") for n in range(10)]
    eager = {"class": "river.linear_model.LogisticRegression", "intercept_init": 5.0}
    log, path = MemoryLog(), tmp_path / "late.jsonl"
    path.write_text("".join(json.dumps(x | {"y": y}) + "\n" for x, y in pairs))
    produce(log, Replay(source=str(path), label="y"))

    figures = by_learner(log, tmp_path, model=eager, turn=1000)

    oracle = by_river(pairs, linear_model.LogisticRegression(intercept_init=5.0))
    assert oracle.guesses[0] == "ham"
    assert figures == oracle


# ---------------------------------------------------------------- labels that come late


@pytest.mark.parametrize(
    ("stream", "model", "built", "delay"),
    [
        ("phishing", "logistic", RACES[0].built, 1),
        ("phishing", "hoeffding-tree", tree.HoeffdingTreeClassifier, 100),
        ("segments", "naive-bayes", naive_bayes.GaussianNB, 37),
        ("whole", "logistic", RACES[0].built, 20),
        ("trump", "linear", lambda: SCALED() | linear_model.LinearRegression(), 250),
    ],
)
@pytest.mark.parametrize("turn", [7, 1000])
def test_labels_so_many_samples_late_give_river_s_guesses(
    stream, model, built, delay, turn, tmp_path
):
    """The guess is that of the question, the lesson comes with the label."""
    log = MemoryLog()
    produced(log, stream, tmp_path, label_delay=delay)

    figures = by_learner(log, tmp_path, model=model, turn=turn)

    assert told_apart(figures) == told_apart(by_river(pairs_of(stream), built(), delay=delay))


@pytest.mark.parametrize(
    ("source", "pairs", "time", "delay"),
    [
        ("river:AirlinePassengers", datasets.AirlinePassengers, "month", dt.timedelta(days=92)),
        ("river:WaterFlow", datasets.WaterFlow, "Time", dt.timedelta(hours=30)),
    ],
)
def test_labels_so_much_time_late_give_river_s_guesses(
    log, source, pairs, time, delay, tmp_path
):
    """Event time decides which lessons come before which question."""
    produce(log, Replay(source=source, label_delay=delay, limit=400))

    figures = by_learner(log, tmp_path, model="linear", turn=50)

    epoch = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)

    def seconds(moment):
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=dt.UTC)
        return (moment - epoch).total_seconds()

    told = [(x | {time: seconds(x[time])}, y) for x, y in list(pairs())[:400]]
    oracle = by_river(
        told,
        SCALED() | linear_model.LinearRegression(),
        moment=lambda x: epoch + dt.timedelta(seconds=x[time]),
        delay=delay,
    )
    assert len(oracle.guesses) == len(told)
    assert figures == oracle


# ---------------------------------------------------------------------- scikit-learn


def passive_aggressive(kind, loss):
    """Return the estimator that scikit-learn recommends for what it once called so."""
    return kind(loss=loss, penalty=None, learning_rate="pa1", eta0=1.0, random_state=1)


ESTIMATORS = {
    "multinomial-nb": (MultinomialNB, lambda: MinMaxScaler(clip=True)),
    "bernoulli-nb": (BernoulliNB, StandardScaler),
    "gaussian-nb": (GaussianNB, None),
    "perceptron": (Perceptron, StandardScaler),
    "sgd": (lambda: SGDClassifier(loss="log_loss", random_state=1), StandardScaler),
    "passive-aggressive": (lambda: passive_aggressive(SGDClassifier, "hinge"), StandardScaler),
    "mlp": (lambda: MLPClassifier(random_state=1), StandardScaler),
    "sgd-regressor": (lambda: SGDRegressor(random_state=1), StandardScaler),
    "passive-aggressive-regressor": (
        lambda: passive_aggressive(SGDRegressor, "epsilon_insensitive"),
        StandardScaler,
    ),
    "mlp-regressor": (lambda: MLPRegressor(random_state=1), StandardScaler),
}
GRAIN = 100


@functools.cache
def table(preset):
    """Return the numbers and labels that a preset is raced on, and their source."""
    if "regressor" in preset:
        bunch = sets.load_diabetes()
        return "sklearn:diabetes", bunch.data, bunch.target, None
    bunch = sets.load_breast_cancer() if "nb" in preset else sets.load_digits()
    name = "breast_cancer" if "nb" in preset else "digits"
    return f"sklearn:{name}", bunch.data[:700], bunch.target[:700], sorted(set(bunch.target))


def by_scikit_learn(preset):
    """Return the guesses of a plain loop: guess a grain in one block of 256, then learn it."""
    make, scaling = ESTIMATORS[preset]
    estimator, scaler = make(), scaling and scaling()
    _, rows, labels, classes = table(preset)
    guesses = []
    for start in range(0, len(rows), GRAIN):
        part, ys = rows[start : start + GRAIN], labels[start : start + GRAIN]
        if start == 0:
            guesses += [None] * len(part)
        else:
            block = np.zeros((256, rows.shape[1]))
            block[: len(part)] = part if scaler is None else scaler.transform(part)
            guesses += estimator.predict(block)[: len(part)].tolist()
        if len(part) < GRAIN:
            break
        if scaler is not None:
            part = scaler.partial_fit(part).transform(part)
        if classes is None:
            estimator.partial_fit(part, ys)
        else:
            estimator.partial_fit(part, ys, classes=classes)
    return guesses


@functools.cache
def sample_log(preset):
    """Return a log with the samples that a preset is raced on."""
    log = MemoryLog()
    produce(log, Replay(source=table(preset)[0], limit=700))
    return log


@pytest.mark.parametrize("preset", ESTIMATORS)
def test_grains_are_learned_as_scikit_learn_would(preset, tmp_path):
    """Guess by guess, to the last bit, wherever the reads cut the stream, on any threads."""
    said = {}
    with threadpool_limits(2):
        for turn in (1000, 7, 1):
            log = MemoryLog()
            log._topics = dict(sample_log(preset)._topics)
            run = Run(state=tmp_path / str(turn), turn=turn, until_end=True)
            learn(log, Config(model=preset, policy="none", grain=GRAIN), run)
            said[turn] = outcomes(log)
    with threadpool_limits(1):
        oracle = by_scikit_learn(preset)

    assert [row["y_pred"] for row in said[1000]] == oracle
    assert said[7] == said[1000]
    assert said[1] == said[1000]


def test_how_many_threads_there_are_does_not_show(tmp_path):
    """Two would add up a product of matrices in another order than one."""
    log, said = MemoryLog(), []
    produce(log, Replay(source="sklearn:digits"))
    for threads in (1, 2):
        name = f"threads-{threads}"
        run = Run(name=name, state=tmp_path, until_end=True)
        with threadpool_limits(threads):
            learn(log, Config(model="mlp", policy="none"), run)
        said.append(outcomes(log, name))

    assert said[0] == said[1]
