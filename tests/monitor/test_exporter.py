import re
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from monitor.board import Board
from monitor.exporter import KINDS, REASONS, BoardCollector, page, registry
from monitor.metrics import METRICS
from monitor.resources import Resources, about_of
from stream.records import NOT_FINITE, ArmTotals
from tests.monitor.made import ANOMALIES, NUMBERS, Step, message
from tests.pages import lint

RIGHT, WRONG = Step("up", "up", no_change=1.0), Step("up", "down", majority=1.0)
HERE = {"stream": "tale", "learner": "main"}


def boards():
    """Return a classifier's board of two partitions, a regressor's, and one that waits."""
    steps = [
        RIGHT,
        WRONG,
        RIGHT,
        Step("up", "down", events=["drift", "reset"], dead="too_large"),
    ]
    main = Board("tale", "main", (2, 500))
    main.feed(0, message(steps, 0, 3))
    main.feed(1, message([RIGHT], 0, 0))
    main.look(lag={0: 5, 1: 0}, seen_at={0: 1000.5})
    number = Board("tale", "numbers", (2, 500))
    steps = [Step(1.0, 4.0, no_change=0.5), Step(1.0, None, NOT_FINITE), Step(2.0, 2.0)]
    number.feed(0, message(steps, 0, 2, task=NUMBERS))
    waiting = Board("tale", "waiting", (2, 500))
    waiting.expect([0])
    return [main, number, waiting, *larger()]


def larger():
    """Return boards with all that a classifier, a regressor and a detector can show."""
    likely = Board("tale", "likely", (10,))
    steps = [
        Step(
            n % 3 == 0,
            n % 2 == 0,
            p_true=p if (n % 3 == 0) == (n % 2 == 0) else 1 - p,
            p_pred=p,
        )
        for n, p in enumerate([0.5, 0.625, 0.75, 1.0] * 3)
    ]
    likely.feed(0, message(steps, 0, 11))
    likely.look(
        resources={
            0: Resources(*(2e8, 1.5, 3e4, 50, 1e-5, 2e-5, 0.1, 0.02, 0, 40.0, 41.0, 39.0, 0, 1))
        },
        newest={0: 47.5},
        about=("logistic", "reset"),
    )
    numbers = Board("tale", "more-numbers", (10,))
    steps = [Step(float(n), n + 1.5) for n in range(10)]
    numbers.feed(0, message(steps, 0, 9, task=NUMBERS))
    scores = Board("tale", "scores", (10,))
    steps = [Step(n > 7, float(n), no_change=1.0) for n in range(10)]
    scores.feed(0, message(steps, 0, 9, task=ANOMALIES))
    several = Board("tale", "several", (10,))
    told = message([RIGHT], 0, 0)
    told.totals.arms["tree"] = ArmTotals(1, 1, fading_error=0.0, fading_weight=1.0)
    several.feed(0, told)
    metres = Board("tale", "metres", (10,))
    told = message([Step(1.0, 2.0)], 0, 0, task=NUMBERS)
    told.totals.arms["tree"] = ArmTotals(1, absolute_error=1.0)
    metres.feed(0, told)
    return [likely, numbers, scores, several, metres]


@pytest.fixture
def shown():
    """Give a function that looks up a metric of the boards by its name and labels."""
    scraped = registry(boards)

    def look(name, **labels):
        return scraped.get_sample_value(f"driftline_{name}", {**HERE, **labels})

    return look


def test_counts_are_shown_for_each_partition(shown):
    """Counters carry the partition, so that a sum over it is the learner's."""
    assert shown("samples_total", partition="0") == 4
    assert shown("samples_total", partition="1") == 1
    assert shown("scored_total", partition="0") == 4
    assert shown("correct_total", partition="0") == 2
    assert shown("drifts_total", partition="0") == shown("resets_total", partition="0") == 1
    assert shown("baseline_error_total", partition="0", baseline="no_change") == 2
    assert shown("baseline_error_total", partition="0", baseline="majority") == 1
    assert shown("dead_total", partition="0", reason="too_large") == 1
    assert shown("lag_records", partition="0") == 5
    assert shown("last_outcome_timestamp_seconds", partition="0") == 1000.5
    assert shown("last_outcome_timestamp_seconds", partition="1") is None


def test_ratios_are_pooled_and_their_counts_are_not(shown):
    """A ratio stands for the learner; the counts of each partition give it again."""
    assert shown("prequential_accuracy_ratio", window="2") == 2 / 3
    assert shown("prequential_accuracy_ratio", window="all") == 3 / 5
    assert shown("prequential_accuracy_ratio", window="fading") == pytest.approx(0.6, abs=1e-3)
    assert shown("baseline_accuracy_ratio", baseline="no_change", window="500") == 2 / 5
    assert shown("baseline_accuracy_ratio", baseline="majority", window="all") == 4 / 5
    correct = [shown("window_correct", partition=p, window="2") for p in "01"]
    scored = [shown("window_scored", partition=p, window="2") for p in "01"]
    assert sum(correct) / sum(scored) == 2 / 3


def test_a_regressor_shows_errors_and_no_accuracy(shown):
    """Each task has its own metrics; a guess that was not finite is only counted."""
    number = {"learner": "numbers"}
    assert shown("prequential_mae", **number, window="all") == 1.5
    assert shown("prequential_rmse", **number, window="500") == pytest.approx(4.5**0.5)
    assert shown("baseline_mae", **number, baseline="no_change", window="all") == 0.5 / 3
    assert shown("absolute_error_total", **number, partition="0") == 3.0
    assert shown("squared_error_total", **number, partition="0") == 9.0
    assert shown("not_finite_total", **number, partition="0") == 1
    assert shown("window_not_finite", **number, partition="0", window="500") == 1
    assert shown("prequential_accuracy_ratio", **number, window="all") is None
    assert shown("correct_total", **number, partition="0") is None


def test_a_detector_of_anomalies_shows_neither_accuracy_nor_baselines(shown):
    """What scores samples guesses no label; that it found them is in the curve."""
    scores = {"learner": "scores"}
    assert shown("prequential_roc_auc_ratio", **scores, window="10") == 1.0
    assert shown("anomaly_score_mean", **scores, truth="anomaly", window="10") == 8.5
    assert shown("anomalies_ratio", **scores, window="10") == 0.2
    assert shown("scored_total", **scores, partition="0") == 10
    assert shown("window_scored", **scores, partition="0", window="10") == 10
    for name in ("correct_total", "absolute_error_total"):
        assert shown(name, **scores, partition="0") is None
    for baseline in ("majority", "no_change"):
        assert shown("baseline_error_total", **scores, partition="0", baseline=baseline) is None
        for name in ("baseline_accuracy_ratio", "baseline_mae", "prequential_baseline_kappa"):
            assert shown(name, **scores, baseline=baseline, window="10") is None
    for window in ("10", "all", "fading"):
        assert shown("prequential_accuracy_ratio", **scores, window=window) is None
        assert shown("prequential_mae", **scores, window=window) is None


def test_a_learner_that_has_said_nothing_shows_zeros(shown):
    """Counters begin at 0, so that their first increase is seen; of nothing is no ratio."""
    waiting = {"learner": "waiting"}
    assert shown("samples_total", **waiting, partition="0") == 0
    assert shown("drifts_total", **waiting, partition="0") == 0
    assert shown("prequential_accuracy_ratio", **waiting, window="all") is None


def test_the_page_shows_every_metric_of_the_table_and_no_other():
    """The table is complete, in the order of the page, with counters first."""
    families = list(BoardCollector(boards).collect())

    assert {f"driftline_{sample.name}" for it in families for sample in it.samples} <= {
        f"driftline_{it.name}" for it in METRICS
    }
    assert all(family.samples for family in families)
    assert all(it.help.endswith(".") for it in METRICS)
    counters = [it.name.endswith("_total") for it in METRICS]
    assert counters == sorted(counters, reverse=True)


def test_labels_are_those_of_the_table():
    """Each sample carries stream, learner and the labels its metric is described with."""
    described = {it.name: ("stream", "learner", *it.labels) for it in METRICS}

    for family in BoardCollector(boards).collect():
        for sample in family.samples:
            assert tuple(sample.labels) == described[sample.name]


def test_no_series_tells_when_a_counter_was_made():
    """The `_created` series would double every counter."""
    content, content_type = page(registry(boards))

    assert b"_created" not in content
    assert content_type.startswith("text/plain")


def test_openmetrics_is_spoken_when_asked_for():
    """Prometheus may ask for the newer format, and gets it."""
    content, content_type = page(
        registry(boards), "application/openmetrics-text;version=1.0.0,text/plain;q=0.5"
    )

    assert content.endswith(b"# EOF\n")
    assert content_type.startswith("application/openmetrics-text")


def test_reasons_of_dead_letters_are_bounded():
    """However many reasons there are, or however odd, a few series hold them all."""
    outcomes = message([RIGHT], 0, 0)
    outcomes.totals.dead = {f"reason_{n:03}": 1 for n in range(100)} | {'a"b\n': 7}
    board = Board("tale", "main", (2,))
    board.feed(0, outcomes)
    scraped = CollectorRegistry()
    scraped.register(BoardCollector(lambda: [board]))

    (family,) = [it for it in scraped.collect() if it.name == "driftline_dead"]

    assert len(family.samples) == REASONS + 1
    assert sum(sample.value for sample in family.samples) == 107
    assert family.samples[-1].labels["reason"] == "other"


def test_actions_are_shown_by_kind_from_the_start(shown):
    """A reset is one of them; a kind that has not come yet is there, so that it can come."""
    assert shown("actions_total", kind="reset") == 1
    assert shown("actions_total", kind="swap") == 0


def test_every_kind_of_action_that_a_learner_names_is_known():
    """No policy, detector or tournament does what would only be seen the second time."""
    learner = Path(__file__).parent.parent.parent / "learner"
    files = [
        *(learner / "policies").glob("*.py"),
        learner / "inputs.py",
        learner / "caution.py",
    ]
    named = {
        kind
        for file in files
        for kind in re.findall(r"""\(\s*"([a-z-]+)", (?:\{|why\b)""", file.read_text())
    }

    assert len(named) > 10
    assert named | {"slower", "faster"} <= {*KINDS, "drift", "improvement", "calm"}


def test_hostile_kinds_of_actions_are_bounded():
    """However many there are, or however odd, a few series hold them all."""
    outcomes = message([RIGHT], 0, 0)
    outcomes.totals.actions = {f"kind-{n:03}": 1 for n in range(100)} | {'a"b\n': 7}
    board = Board("tale", "main", (2,))
    board.feed(0, outcomes)

    (family,) = [
        it for it in BoardCollector(lambda: [board]).collect() if it.name == "driftline_actions"
    ]

    assert len(family.samples) == REASONS + 1
    assert sum(sample.value for sample in family.samples) == 107


def test_the_names_of_a_model_are_shown_fit_for_a_label():
    """Whoever writes a header cannot break the page, nor fill it."""
    headers = {"model": b"a" * 10_000 + b"\xff\n", "policy": b'"\n}'}
    board = Board("tale", "main", (2,))
    board.look(about=about_of(headers))
    told = page(registry(lambda: [board]))[0].decode()

    (line,) = [it for it in told.splitlines() if it.startswith("driftline_model_info{")]
    assert len(line) < 300
    lint(told)


def test_promtool_finds_nothing_to_mend():
    """Prometheus' own linter is content with names, units, helps and types."""
    lint(page(registry(boards))[0].decode())
