import json
import time

import psutil
import pytest

from learner.config import Config
from learner.learner import Learner
from learner.loop import learn
from learner.resources import SAMPLED, Timed, event_time
from learner.run import Run
from stream.memory import MemoryLog
from stream.records import Record, decode, encode
from stream.topic import Batch

SAMPLES = [Record(id=i, ts=1000.0 + i, x={"a": i % 7 / 7}, y=i % 2) for i in range(600)]


def told(log):
    """Return the header of every message of the outcomes."""
    topic = log.topic(f"{log.stream}.main.outcomes")
    return [
        json.loads(entry.headers["resources"]) for entry in topic.scan(0, 0, topic.end()[0])
    ]


@pytest.fixture
def log():
    """Give a log with samples in one partition."""
    log = MemoryLog()
    log.create(f"{log.stream}.samples", partitions=1)
    writer = log.writer("feed")
    for sample in SAMPLES:
        writer.append(f"{log.stream}.samples", encode(sample), partition=0)
    writer.commit()
    return log


@pytest.mark.parametrize("model", ["logistic", "sgd"])
def test_every_turn_says_what_it_cost(log, tmp_path, model):
    """Seconds and bytes of this process, in a header beside what follows from the records."""
    began = time.time()
    config = Config(model=model, classes=(0, 1), grain=1 if model == "logistic" else 100)
    learn(log, config, Run(state=tmp_path, turn=200, until_end=True))

    first, second, last = told(log)
    assert first["memory_bytes"] > 10 * 1024**2
    assert 0 < first["cpu_seconds"] <= last["cpu_seconds"]
    assert 0 < last["predict_seconds"] < last["turn_seconds"] < 10
    assert 0 < last["learn_seconds"] < last["turn_seconds"]
    assert "commit_seconds" not in first
    assert "model_bytes" not in first
    assert second["commit_seconds"] > 0
    newest = max(tmp_path.glob("*/main/p0/[0-9]*"))
    assert 0 < second["model_bytes"] <= newest.stat().st_size * 2
    assert [each["event_time"] for each in (first, second, last)] == [1199.0, 1399.0, 1599.0]
    assert began <= first["time"] <= last["time"] <= time.time()


@pytest.mark.parametrize("error", [OSError(24, "Too many open files"), psutil.NoSuchProcess(1)])
def test_what_cannot_be_read_of_the_process_is_left_out(log, tmp_path, monkeypatch, error):
    """Where no file is left to read it from, the learner learns on."""

    def fail():
        raise error

    monkeypatch.setattr("learner.resources._process", fail)
    learn(log, Config(model="naive-bayes"), Run(state=tmp_path, turn=300, until_end=True))

    assert len(told(log)) == 2
    for each in told(log):
        assert not {"memory_bytes", "cpu_seconds"} & set(each)
        assert each["turn_seconds"] > 0


@pytest.mark.parametrize(("records", "timed"), [(3, 3), (SAMPLED, SAMPLED), (300, SAMPLED)])
def test_a_few_samples_of_a_turn_are_timed(records, timed):
    """So many are enough to know, and cost next to nothing."""
    learner = Learner(Config(model="naive-bayes"), 0, 0)
    entries = [(i, encode(sample)) for i, sample in enumerate(SAMPLES[:records])]

    turn = learner.learn(Batch(0, entries, records))

    assert (turn.timed.predicted, turn.timed.learned) == (timed, timed)
    assert len(turn.rows) == records


def test_a_model_is_left_as_it_was_found():
    """Whatever is raised while it is timed."""
    for name in ("naive-bayes", "sgd"):
        model = Learner(Config(model=name, classes=(0, 1)), 0, 0).policy.model
        before = set(vars(model))
        timed = Timed()

        def fail(model=model, timed=timed):
            with timed.on(model):
                model.learn([{"a": 1.0}], [0])
                raise KeyError

        with pytest.raises(KeyError):
            fail()
        assert timed.learned >= 1
        learned = timed.learned
        model.learn([{"a": 1.0}], [0])
        model.guess({"a": 1.0})
        assert timed.learned == learned
        assert set(vars(model)) == before


def test_the_time_of_a_batch_is_that_of_its_last_record_that_has_one():
    """Whatever stands behind it."""
    records = [Record(ts=5.0, x={}), Record(ts=4.0, x={}), Record(id=1, y=1)]
    entries = list(enumerate([*map(encode, records), b"no record"]))

    assert event_time(entries, decode) == 4.0
    assert event_time(entries[2:], decode) is None
