import math
import random
import sys

import pytest
from prometheus_client.parser import text_string_to_metric_families

from driftline import learn, produce
from driftline.__main__ import main
from monitor.exporter import page, registry
from monitor.follow import Follower
from monitor.metrics import METRICS
from stream.connect import connect
from stream.records import NO_GUESS, NOT_FINITE
from stream.sqlite import SqliteLog
from tests.monitor.made import ANOMALIES, CLASSES, NUMBERS, Step, said, store
from tests.monitor.oracle import expected, rows_of

WINDOWS = (1, 7, 100, 1000)
# What is held elsewhere: counts, sums and lag, and what the windows showed before.
ELSEWHERE = {
    *("prequential_accuracy_ratio", "prequential_mae", "prequential_rmse"),
    *("baseline_accuracy_ratio", "baseline_mae"),
}
LEARNED = {
    "two classes": ("river:Phishing", "logistic", {}),
    "two classes with certainty": ("river:Phishing", "naive-bayes", {}),
    "ten classes": ("sklearn:digits", "softmax", {}),
    "seven classes of text": ("river:ImageSegments", "hoeffding-tree", {}),
    "without probabilities": ("river:Phishing", "perceptron-river", {}),
    "numbers": ("river:TrumpApproval", "linear", {}),
    "several partitions": ("river:Phishing", "logistic", {"partitions": 3}),
}


@pytest.fixture
def outcomes(tmp_path, monkeypatch, capsys):
    """Give what `driftline outcomes` writes of a stream in this folder."""

    def written(address):
        monkeypatch.setattr(sys, "argv", ["driftline", "outcomes", "--stream", address])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        assert not ended.value.code
        return capsys.readouterr().out

    return written


def shown(log):
    """Return the figures of windows that a scrape shows, as the oracle gives them."""
    follower = Follower(log, ["main"], WINDOWS)
    follower.catch_up()
    text = page(registry(lambda: follower.boards))[0].decode()
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = {k: v for k, v in sample.labels.items() if k not in ("stream", "learner")}
            if "window" in labels and "partition" not in labels:
                key = sample.name, frozenset(labels.items())
                assert key not in found, key
                found[key] = sample.value
    return {
        key: value
        for key, value in found.items()
        if key[0].removeprefix("driftline_") not in ELSEWHERE
    }


def assert_equal(found, wanted):
    """Compare figure by figure: the same ones, and no further apart than 1e-12."""
    assert found.keys() == wanted.keys()
    apart = {
        key: (value, wanted[key])
        for key, value in found.items()
        if not math.isclose(value, wanted[key], rel_tol=1e-12, abs_tol=1e-14)
    }
    assert apart == {}


@pytest.mark.parametrize("case", LEARNED)
def test_every_figure_of_a_learner_is_that_of_scikit_learn_and_river(case, tmp_path, outcomes):
    """Over the rows a learner has said, whatever the window, all figures are theirs."""
    source, model, settings = LEARNED[case]
    address = f"sqlite:{tmp_path / 's.db'}"
    produce(address, source=source, **settings)
    task = "regression" if model == "linear" else "classification"
    learn(address, model=model, policy="none")
    log = connect(address)

    wanted = expected(rows_of(outcomes(address)), WINDOWS, task)
    assert_equal(shown(log), wanted)
    log.close()


def many_classes(rng, n):
    """Return steps over thirteen classes, some without a guess and some not finite."""
    labels = [f"class {k:02}" for k in range(13)]
    weights = [1.5**-k for k in range(13)]
    steps, seen, last = [], {}, None
    for _ in range(n):
        (y,) = rng.choices(labels, weights)
        guess = y if rng.random() < 0.7 else rng.choice(labels)
        flag = rng.choice([0] * 20 + [NO_GUESS, 2, NOT_FINITE])
        most = max(seen, key=seen.get) if seen else None
        steps.append(
            Step(
                y,
                None if flag == NO_GUESS else guess,
                flag,
                no_change=float(y != last),
                majority=float(y != most),
            )
        )
        seen[y], last = seen.get(y, 0) + 1, y
    return steps


def scores_of_anomalies(rng, n):
    """Return steps of a detector of anomalies, with ties and scores that are not finite."""
    steps = []
    for _ in range(n):
        y = rng.random() < 0.1
        score = round(rng.gauss(1.0 if y else 0.0, 0.7), 1)
        lost = rng.random() < 0.05
        steps.append(Step(y, None, NOT_FINITE) if lost else Step(y, score))
    return steps


def numbers(rng, n):
    """Return steps of a regressor, some of whose guesses were not finite."""
    steps = []
    for _ in range(n):
        y = rng.gauss(5.0, 2.0)
        lost = rng.random() < 0.1
        steps.append(Step(y, None, NOT_FINITE) if lost else Step(y, y + rng.gauss(0.0, 1.0)))
    return steps


@pytest.mark.parametrize(
    ("task", "draw"),
    [(CLASSES, many_classes), (NUMBERS, numbers), (ANOMALIES, scores_of_anomalies)],
)
def test_every_figure_of_made_rows_is_that_of_scikit_learn_and_river(
    task, draw, tmp_path, outcomes
):
    """More classes than have names, rows that are no good, and scores: all agree too."""
    rng = random.Random(11)
    log = SqliteLog(tmp_path / "s.db")
    log.create("local.samples", partitions=2)
    log.create("local.main.outcomes", partitions=2)
    store(log, {p: said(draw(rng, 1500), [(300, True)] * 9, task=task) for p in (0, 1)})

    wanted = expected(rows_of(outcomes(f"sqlite:{log.path}")), WINDOWS, task)
    assert_equal(shown(log), wanted)
    log.close()


def test_no_figure_of_a_window_is_left_out_here():
    """All metrics with a window and no partition are compared above, but for the oldest."""
    rng = random.Random(3)
    rows = {
        "classification": [
            {"y": y, "y_pred": rng.choice("ab"), "p_true": "0.5", "p_pred": "0.5", "flag": "0"}
            for y in "ab" * 50
        ],
        "regression": [{"y": str(n), "y_pred": "3", "flag": "0"} for n in range(100)],
        "anomaly": [{"y": y, "y_pred": "1", "flag": "0"} for y in ("true", "false") * 50],
    }
    compared = set()
    for task, each in rows.items():
        for row in each:
            row |= {"last": None, "most": None}
        compared |= {name for name, _ in expected([each], [100], task)}

    windowed = {
        it.name for it in METRICS if "window" in it.labels and "partition" not in it.labels
    }
    assert compared == windowed - {f"driftline_{name}" for name in ELSEWHERE}
