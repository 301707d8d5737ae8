"""What a comparison hears from a learner is what the live learner says."""

import contextlib
import math
import uuid

import pytest

from driftline import learn, produce
from driftline.commands.outcomes import lines
from driftline.compare.lessons import lessons
from driftline.compare.play import Course, Task, play, turns
from driftline.compare.records import of_source, of_stream, varies
from learner.config import Config
from learner.messages import outcomes_of
from learner.turn import Turn
from producer.replay import Replay
from stream.connect import connect
from stream.errors import CursorExpired, SettingError
from stream.memory import MemoryLog
from stream.records import NO_GUESS, NOT_FINITE, SCORED
from stream.topic import topic_of

DRIFTS = ("abrupt@900", "gradual@2000+300")
SOURCE = {"source": "synth:Sine", "drifts": DRIFTS, "limit": 3000, "label_delay": 40}
CONFIGS = [
    {"model": "hoeffding-tree", "policy": "reset"},
    {"model": "logistic", "policy": "none", "seed": 3},
    {"model": "sgd", "policy": "reset", "grain": 50},
]


def compared(config, records):
    """Return what 'driftline outcomes' would write of the turns of a comparison."""
    log = MemoryLog()
    topic = log.create("told", partitions=max(records.span.start) + 1)
    writer = log.writer("told")
    for learner, turn, _ in turns(config, records):
        for message in outcomes_of(turn, learner.totals):
            writer.append("told", message, partition=learner.partition)
    writer.commit()
    return {p: [*lines(topic, p)] for p in records.span.start}


def live(url, name="main"):
    """Return what 'driftline outcomes' writes of a live learner, by partition."""
    with contextlib.closing(connect(url)) as log:
        topic = log.topic(topic_of(log.stream, name, "outcomes"))
        return {p: [*lines(topic, p)] for p in range(topic.partitions)}


@pytest.fixture(params=["sqlite", pytest.param("kafka", marks=pytest.mark.kafka)])
def url(request, tmp_path):
    """Give the address of a stream of each kind in turn."""
    if request.param == "sqlite":
        return f"sqlite:{tmp_path / 's.db'}"
    return f"kafka://{request.getfixturevalue('kafka')}/t-{uuid.uuid4().hex[:12]}"


@pytest.mark.parametrize("settings", CONFIGS, ids=lambda each: each["model"])
@pytest.mark.parametrize("partitions", [1, 2])
def test_a_comparison_over_a_stream_says_line_by_line_what_the_live_learner_said(
    tmp_path, monkeypatch, url, settings, partitions
):
    """And comes to the same accuracy, to its last digit."""
    monkeypatch.chdir(tmp_path)
    produce(url, partitions=partitions, **SOURCE)
    summary = learn(url, **settings)
    records = of_stream(url)

    assert compared(Config(**settings), records) == live(url)
    played = play(Task(Config(**settings), records, 100))
    assert played.accuracy == summary.accuracy
    assert (played.samples, played.scored) == (summary.samples, summary.scored)
    assert (played.drifts, played.resets) == (summary.drifts, summary.resets)
    if settings["policy"] == "reset":
        assert played.resets > 0


def test_a_comparison_over_a_data_set_is_one_over_what_produce_would_write(tmp_path):
    """All is the same but the moment at which a sample without a time was written."""
    url = f"sqlite:{tmp_path / 's.db'}"
    produce(url, **SOURCE)
    learn(url, **CONFIGS[0])
    records = of_source(Replay(**SOURCE), tmp_path / "compared.db")

    (found,), (said,) = compared(Config(**CONFIGS[0]), records).values(), live(url).values()

    assert len(found) == 3000
    assert [{**line, "ts": 0} for line in found] == [{**line, "ts": 0} for line in said]


def test_a_comparison_changes_nothing_in_the_stream(tmp_path):
    """No topic, no cursor, no record, no file beside it."""
    url = f"sqlite:{tmp_path / 's.db'}"
    produce(url, source="river:Phishing")
    learn(url, policy="none")

    def looked():
        with contextlib.closing(connect(url)) as log:
            rows = [log.ask(f"SELECT * FROM {name}") for name in ("topics", "ends", "cursors")]
        return rows, sorted(path.name for path in tmp_path.rglob("*"))

    before = looked()
    play(Task(Config(), of_stream(url), 50))
    assert looked() == before


def test_a_range_of_a_stream_is_compared_alone(tmp_path):
    """From one offset up to another, and no more than a limit."""
    url = f"sqlite:{tmp_path / 's.db'}"
    produce(url, source="river:Phishing")

    (found,) = compared(Config(), of_stream(url, begin="100", end="300")).values()
    assert [line["offset"] for line in found] == list(range(100, 300))
    assert len(of_stream(url, begin="100", limit=20)) == 20
    with pytest.raises(SettingError, match="lies beyond the end"):
        of_stream(url, end="9999")


def test_a_range_behind_the_declaration_knows_its_classes(tmp_path):
    """As a learner does that begins there: no class that was declared is refused."""
    url = f"sqlite:{tmp_path / 's.db'}"
    produce(url, source="river:ImageSegments")
    records = of_stream(url, begin="700")

    played = play(Task(Config(model="logistic", policy="none"), records, 50))

    assert (played.dead, played.samples) == (0, len(records))
    assert len(lessons(records).classes) == 7


def test_a_range_that_is_gone_is_named(tmp_path, monkeypatch):
    """Before anything is learned."""
    url = f"sqlite:{tmp_path / 's.db'}"
    produce(url, source="river:Phishing")
    monkeypatch.setattr("stream.sqlite_topic.SqliteTopic.first", lambda _: {0: 50})
    with pytest.raises(CursorExpired, match="records 10 to 49 are no longer kept"):
        of_stream(url, begin="10")


def test_a_source_without_an_end_needs_a_limit(tmp_path):
    """The sentence says so."""
    with pytest.raises(SettingError, match="'synth:Sine' has no end; give --limit"):
        of_source(Replay(source="synth:Sine"), tmp_path / "x.db")


def test_only_what_is_drawn_varies_with_the_seed():
    """A generator does, and a shuffled data set."""
    assert varies(Replay(source="synth:Sine"))
    assert varies(Replay(source="river:Phishing", shuffle=True))
    assert not varies(Replay(source="river:Phishing"))


def test_kappa_and_baselines_are_those_of_the_outcomes(tmp_path):
    """By the metric of scikit-learn, and by hand."""
    from sklearn.metrics import cohen_kappa_score

    url = f"sqlite:{tmp_path / 's.db'}"
    produce(url, source="river:ImageSegments")
    config = Config(model="naive-bayes", policy="none")
    records = of_stream(url)

    played = play(Task(config, records, 100))

    (found,) = compared(config, records).values()
    scored = [line for line in found if line["flag"] == 0]
    ys, guesses = [line["y"] for line in scored], [line["y_pred"] for line in scored]
    assert played.kappa == pytest.approx(cohen_kappa_score(ys, guesses), abs=1e-12)
    labels = [line["y"] for line in found]
    kept = sum(a == b for a, b in zip(labels[1:], labels, strict=False)) / len(scored)
    assert played.no_change == pytest.approx(kept, abs=1e-12)
    windows = [point.model for point in played.curve]
    assert len(windows) == 23
    assert windows[3] == sum(line["y"] == line["y_pred"] for line in found[300:400]) / 100


def test_a_drift_stands_at_the_same_place_however_late_labels_are(tmp_path):
    """What it took is told by the same samples, and its alarm is no false one."""
    found = []
    for held in (None, 500):
        source = {"source": "synth:STAGGER(seed=7)", "limit": 3000, "label_delay": held}
        url = f"sqlite:{tmp_path / f'{held}.db'}"
        produce(url, drifts=("abrupt@2000",), **source)
        config = Config(model="naive-bayes", policy="reset")
        found.append(play(Task(config, of_stream(url), 200)))

    prompt, late = found
    assert (prompt.labelled, late.labelled) == (3000, 3000)
    for played in found:
        (drift,) = played.after
        assert (drift.at, drift.alarms, played.drifts) == (2000, 1, 1)
        assert 0 < drift.delay < 200
        assert played.false_alarms == 0
        assert drift.lost > 0.2
    assert late.after[0].before == pytest.approx(prompt.after[0].before, abs=0.02)
    # A guess is as old as its sample, so a model cannot be back before labels are there.
    assert 500 < late.after[0].recovery < 500 + 2 * prompt.after[0].recovery


@pytest.mark.parametrize(
    ("task", "errors"),
    [("classification", [0.0, 1.0, None, 1.0]), ("regression", [0.0, 1.0, None, None])],
)
def test_a_guess_that_is_not_finite_is_wrong_and_none_is_no_guess(task, errors):
    """Of numbers it has no error; the columns stay side by side."""
    flags, guesses = (SCORED, SCORED, NO_GUESS, NOT_FINITE), (1, 2, None, 1)
    told = zip(range(4), guesses, flags, strict=True)
    rows = [(i + 4, i, i, None, 1, guess, None, None, "main", flag) for i, guess, flag in told]
    turn = Turn(0, 8, rows, errors=([1.0] * 4, [0.0] * 4))
    course = Course()

    course.add(turn, task)

    assert [None if math.isnan(each) else each for each in course.errors] == errors
    assert ([*course.of], [*course.places]) == ([0, 1, 2, 3], [4, 5, 6, 7])
    assert [math.isnan(each) for each in course.no_change] == [False, False, True, False]
