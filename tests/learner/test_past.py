"""A range of the past, learned again beside a live learner."""

import contextlib
import dataclasses
import shutil

import pytest

from learner.config import Config
from learner.loop import learn
from learner.run import Run
from stream.errors import CursorExpired, SettingError
from stream.memory import MemoryLog
from stream.records import Declare, Record, decode_outcomes, encode
from stream.sqlite import SqliteLog
from stream.topic import Retention, samples_of, topic_of

CONFIG = Config(model="naive-bayes", policy="none")


def filled(log, samples=600, partitions=1):
    """Put so many samples, with features that tell something, into each partition of a log."""
    name = samples_of(log.stream)
    log.create(name, partitions=partitions)
    writer = log.writer("source")
    for i in range(samples):
        for p in range(partitions):
            record = Record(id=f"{p}-{i}", x={"a": float(i * 7 % 11 + i % 2), "b": p}, y=i % 2)
            writer.append(name, encode(record), partition=p)
    writer.commit()
    return log


def said(log, learner, partition=0):
    """Return the rows of a partition's outcomes, and the events, in their order."""
    rows, events = [], []
    topic = log.topic(topic_of(log.stream, learner, "outcomes"))
    first, end = topic.first()[partition], topic.end()[partition]
    for entry in topic.scan(partition, first, end):
        message = decode_outcomes(entry.value)
        columns = [getattr(message.rows, name) for name in message.rows.__struct_fields__]
        rows += zip(*columns, strict=True)
        events += message.events
    return rows, events


def after(turns):
    """Return a `stopping` that lets so many turns pass."""
    left = iter(range(turns))
    return lambda: next(left, None) is None


def files(folder):
    """Return what lies in a folder, with its bytes."""
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_past_from_the_start_is_what_the_live_learner_said(log, tmp_path):
    """Row by row, on every log; and nothing of the live learner is touched."""
    filled(log)
    state = tmp_path / "state"
    learn(log, CONFIG, Run(state=state, until_end=True))
    group = f"driftline.{log.stream}.main"
    before = log.committed(group), said(log, "main"), files(state)

    summary = learn(log, CONFIG, Run(state=state, begin="0", end="400"))

    assert summary.samples == 400
    rows, events = said(log, summary.name)
    live_rows, live_events = said(log, "main")
    assert rows == [row for row in live_rows if row[0] < 400]
    assert events == [event for event in live_events if event[0] < 400]
    assert (log.committed(group), said(log, "main")) == before[:2]
    assert before[2].items() <= files(state).items()


def test_a_past_may_begin_anywhere_and_have_another_policy(tmp_path):
    """It is then what a learner says whose stream began there."""
    log = filled(MemoryLog("s"))
    learn(log, CONFIG, Run(state=tmp_path, until_end=True))
    other = Config(model="hoeffding-tree", policy="reset")

    summary = learn(log, other, Run(state=tmp_path, begin="150", end="500"))

    rows, _ = said(log, summary.name)
    assert [row[0] for row in rows] == list(range(150, 500))
    learner = filled(MemoryLog("s"))
    learner.topic("s.samples").drop(0, 150)
    learn(learner, other, Run(state=tmp_path / "alone", until_end=True))
    assert rows == said(learner, "main")[0][:350]


def three(log, start=0, samples=300):
    """Put samples of three classes into a log; in front of the first, their declaration."""
    name = samples_of(log.stream)
    log.create(name, partitions=1)
    writer = log.writer("source")
    if not start:
        writer.append(name, encode(Declare(["a", "b", "c"])), partition=0)
    for i in range(start, start + samples):
        record = Record(id=str(i), x={"a": float(i % 3), "b": 1.0}, y="abc"[i % 3])
        writer.append(name, encode(record), partition=0)
    writer.commit()
    return log


@pytest.mark.parametrize("model", ["logistic", "sgd"])
@pytest.mark.parametrize("way", ["past", "fresh", "rebuild"])
def test_who_begins_behind_the_declaration_knows_the_classes(tmp_path, model, way):
    """A range of the past, and a new state in mid-stream, also when it is replayed."""
    log, config = three(MemoryLog("s")), Config(model=model, policy="none", grain=10)
    run = Run(state=tmp_path, name="other", until_end=True)
    if way == "past":
        run = Run(state=tmp_path, name="other", begin="101")
    else:
        learn(log, CONFIG, run)
        three(log, start=300)
        run = dataclasses.replace(run, fresh=True)
    if way == "rebuild":
        learn(log, config, run)
        three(log, start=600)
        run = dataclasses.replace(run, fresh=False, rebuild=True)

    summary = learn(log, config, run)

    assert (summary.dead, summary.samples) == (
        0,
        {"past": 200, "fresh": 300, "rebuild": 600}[way],
    )
    rows, _ = said(log, "other")
    assert {row[5] for row in rows[-100:]} == {"a", "b", "c"}


@pytest.mark.parametrize("lost", [False, True])
@pytest.mark.parametrize("name", ["main", "night"])
@pytest.mark.parametrize("turns", [1, 2, 4])
def test_a_past_that_was_cut_goes_on_where_it_stopped(tmp_path, name, turns, lost):
    """Under the name it got or was given, with its checkpoints or by silent replay."""
    log = filled(MemoryLog("s"))
    how = Run(state=tmp_path, name=name, begin="100", turn=50, turn_seconds=0)
    cut = learn(log, CONFIG, how, stopping=after(turns))
    if lost:
        shutil.rmtree(tmp_path / "s" / cut.name / "p0", ignore_errors=True)

    filled(log, 10)  # the end is the one it had when it began
    summary = learn(log, CONFIG, how)

    assert summary.name == cut.name
    assert [row[0] for row in said(log, summary.name)[0]] == list(range(100, 600))
    assert learn(log, CONFIG, how).samples == 500


def test_each_range_and_each_configuration_has_a_name_of_its_own(tmp_path):
    """So that any policy can be tried on the same past without naming it."""
    log = filled(MemoryLog("s"))
    other = Config(model="naive-bayes", policy="reset")

    wanted = [(CONFIG, "300"), (other, "300"), (CONFIG, "301"), (CONFIG, "300")]
    found = [learn(log, config, Run(state=tmp_path, end=end)) for config, end in wanted]

    names = [summary.name for summary in found]
    assert len(set(names)) == 3
    assert names[0] == names[3]
    assert [summary.samples for summary in found] == [300, 300, 301, 300]


def test_a_past_of_some_partitions_leaves_the_others_alone(tmp_path):
    """Each has its own beginning and end."""
    log = filled(MemoryLog("s"), partitions=3)

    summary = learn(log, CONFIG, Run(state=tmp_path, begin="0:20,2:5", end="2:30"))

    assert summary.cursor == {"0": 600, "2": 30}
    assert [row[0] for row in said(log, summary.name, 0)[0]] == list(range(20, 600))
    assert said(log, summary.name, 1) == ([], [])
    assert [row[0] for row in said(log, summary.name, 2)[0]] == list(range(5, 30))


def test_a_live_learner_s_name_is_refused_to_a_past_and_the_other_way_round(tmp_path):
    """Also where it has nothing but a cursor, or nothing but outcomes."""
    log = filled(MemoryLog("s"))
    learn(log, CONFIG, Run(state=tmp_path, name="live"), stopping=after(1))
    past = Run(state=tmp_path, name="live", end="10")
    with pytest.raises(SettingError, match="'live' is there already"):
        learn(log, CONFIG, past)
    learn(log, CONFIG, Run(state=tmp_path, name="live", until_end=True))
    log._cursors.clear()
    with pytest.raises(SettingError, match="'live' is there already"):
        learn(log, CONFIG, past)

    learn(log, CONFIG, Run(state=tmp_path, name="night", end="10"))
    with pytest.raises(SettingError, match="'night' has learned a range of the past"):
        learn(log, CONFIG, Run(state=tmp_path, name="night", until_end=True))
    with pytest.raises(SettingError, match="another past, --from None --to 10;"):
        learn(log, CONFIG, Run(state=tmp_path, name="night", end="20"))


def test_what_is_no_longer_kept_is_named_to_the_record(tmp_path):
    """And where to begin instead; nothing is left behind by the attempt."""
    log = filled(MemoryLog("s"))
    log.topic("s.samples").drop(0, 250)

    with pytest.raises(CursorExpired, match=r"records 100 to 249 .* begin at 0:250 or later"):
        learn(log, CONFIG, Run(state=tmp_path, begin="100", end="400"))

    assert learn(log, CONFIG, Run(state=tmp_path, end="400")).samples == 150
    assert log.groups() == [f"driftline.s.{path.name}" for path in (tmp_path / "s").iterdir()]


@pytest.mark.parametrize(
    ("begin", "end", "sentence"),
    [
        ("400", "300", "does not lie before the end of the range, 300"),
        ("5", "5", "does not lie before"),
        (None, "601", "--to 0:601 lies beyond the end of s.samples\\[0\\], which is 600"),
        ("x", None, "--from 'x' must be OFFSET, or PARTITION:OFFSET"),
        ("-5", None, "must be OFFSET"),
        ("1:5", None, "names partition 1, and the topic has 1"),
        ("0:5,0:6", None, "names partition 0 twice"),
    ],
)
def test_a_range_that_cannot_be_is_refused(tmp_path, begin, end, sentence):
    """With what was found, before anything is written."""
    log = filled(MemoryLog("s"))
    with pytest.raises(SettingError, match=sentence):
        learn(log, CONFIG, Run(state=tmp_path, begin=begin, end=end))
    assert log.groups() == []
    assert list(tmp_path.iterdir()) == []


def test_an_offset_alone_needs_a_topic_of_one_partition(tmp_path):
    """The sentence says how to write it."""
    log = filled(MemoryLog("s"), partitions=2)
    with pytest.raises(SettingError, match="the topic has 2; write PARTITION:OFFSET"):
        learn(log, CONFIG, Run(state=tmp_path, begin="5"))


def test_a_past_that_is_learned_holds_no_retention(tmp_path, monkeypatch):
    """Its checkpoints stay, and the samples they came of may go."""
    monkeypatch.setattr("stream.sqlite_writer._SWEEP", -1.0)
    with contextlib.closing(SqliteLog(tmp_path / "log.db")) as log:
        log.create("local.samples", partitions=1, retention=Retention(size=20_000))
        filled(log, 100)
        cut = Run(state=tmp_path, begin="10", end="90", turn=20, turn_seconds=0)
        learn(log, CONFIG, cut, stopping=after(3))
        filled(log, 2000)
        assert 10 <= log.topic("local.samples").first()[0] <= 50

        assert learn(log, CONFIG, cut).samples == 80
        filled(log, 2000)
        assert log.topic("local.samples").first()[0] > 2000
