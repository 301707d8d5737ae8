import gc
import shutil

import pytest

from learner.checkpoint import key_of
from learner.config import Config
from learner.loop import Run, learn
from learner.models.river import RiverModel
from stream.errors import SettingError
from stream.memory import MemoryLog
from stream.records import Record, decode_outcomes, encode

CONFIG = Config(model="naive-bayes", policy="none")


@pytest.fixture
def log():
    """Give a log with 600 samples in each of two partitions."""
    return filled(600)


def filled(samples):
    """Return a log with so many samples in each of two partitions."""
    log = MemoryLog("s")
    log.create("s.samples", partitions=2)
    writer = log.writer("source")
    for i in range(samples):
        for p in (0, 1):
            record = Record(id=f"{p}-{i}", x={"a": float(i % 7), "b": p}, y=i % 2)
            writer.append("s.samples", encode(record), partition=p)
    writer.commit()
    return log


def after(turns):
    """Return a `stopping` that lets so many turns pass."""
    left = iter(range(turns))
    return lambda: next(left, None) is None


def said(log, partition):
    """Return the offsets of a partition's outcomes, in the order in which they were said."""
    return [
        offset
        for entry in log.topic("s.main.outcomes").scan(partition, 0, 10**9)
        for offset in decode_outcomes(entry.value).rows.offset
    ]


def test_a_partition_that_replays_never_takes_its_committed_cursor_back(log, tmp_path):
    """Killed twice while one partition replays and the other speaks: nothing is doubled."""
    run = Run(state=tmp_path, turn=100)
    learn(log, CONFIG, run, stopping=after(8))
    committed = log.committed("driftline.s.main")
    assert min(committed.values()) > 200
    shutil.rmtree(tmp_path / "s" / "main" / "p0")
    for _ in range(3):
        learn(log, CONFIG, run, stopping=after(1))
        shutil.rmtree(tmp_path / "s" / "main" / "p0", ignore_errors=True)
        now = log.committed("driftline.s.main")
        assert all(now[p] >= committed[p] for p in committed)
        committed = now
    learn(log, CONFIG, Run(state=tmp_path, turn=100, until_end=True))
    assert said(log, 0) == list(range(600))
    assert said(log, 1) == list(range(600))


def test_the_cursors_are_told_before_the_first_turn(log, tmp_path):
    """Who waits for an end that is reached already hears of it."""
    run = Run(state=tmp_path, until_end=True)
    learn(log, CONFIG, run)
    told = []
    learn(log, CONFIG, run, moved=told.append)
    assert told == [{0: 600, 1: 600}]


def test_checkpoints_of_a_topic_that_was_made_anew_are_put_aside(log, tmp_path):
    """They neither stand in the way of new ones nor lend their start to a rebuild."""
    learn(log, CONFIG, Run(state=tmp_path, until_end=True))
    for rebuild in (False, True):
        other = filled(80)
        summary = learn(other, CONFIG, Run(state=tmp_path, until_end=True, rebuild=rebuild))
        assert summary.samples == 160
        assert said(other, 0) == list(range(80))
        names = [p.name for p in (tmp_path / "s" / "main" / "p0").iterdir()]
        assert names == [f"{80:020d}"]
        assert learn(other, CONFIG, Run(state=tmp_path, until_end=True)).samples == 160


def test_a_lost_key_is_not_replaced_in_silence(log, tmp_path):
    """The sentence names --key-file, --rebuild and --fresh; with --rebuild it goes on."""
    learn(log, CONFIG, Run(state=tmp_path, until_end=True))
    (tmp_path / "key").unlink()
    with pytest.raises(SettingError, match=r"--key-file.*--rebuild.*--fresh"):
        learn(log, CONFIG, Run(state=tmp_path, until_end=True))
    learn(log, CONFIG, Run(state=tmp_path, until_end=True, rebuild=True))
    assert said(log, 0) == list(range(600))


@pytest.mark.parametrize("kind", ["file", "below"])
def test_a_state_folder_that_cannot_be_is_a_wrong_setting(log, tmp_path, kind):
    """A file in its place, or above it, is said in a sentence."""
    (tmp_path / "file").write_text("x")
    state = tmp_path / "file" if kind == "file" else tmp_path / "file" / "sub"
    with pytest.raises(SettingError, match="--state"):
        learn(log, CONFIG, Run(state=state, until_end=True))


def test_two_who_make_the_key_at_once_use_the_same(tmp_path):
    """The loser of the race takes the winner's."""
    assert key_of(tmp_path) == key_of(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_learners_that_were_replaced_do_not_pile_up(tmp_path, monkeypatch):
    """Each checkpoint leaves one behind, and they go round in circles."""
    monkeypatch.setattr("learner.loop._SHARE", 1e9)  # save after every turn
    alive = []

    def moved(_):
        alive.append(sum(type(each) is RiverModel for each in gc.get_objects()))

    how = Run(state=tmp_path, turn=2, until_end=True)
    learn(filled(30), Config(model="naive-bayes"), how, moved=moved)

    assert len(alive) >= 30
    assert max(alive[5:]) <= alive[1] + 2
