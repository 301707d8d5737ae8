import gc
import shutil
import threading
import time

import pytest

from learner.checkpoint import Checkpoints
from learner.config import Config
from learner.keys import key_of
from learner.loop import learn
from learner.models.river import RiverModel
from learner.run import Run
from stream.errors import CheckpointError, SeatLost, SettingError, TopicTimeout
from stream.memory import MemoryLog
from stream.records import Record, decode_outcomes, encode
from stream.seats import Alone

CONFIG = Config(model="naive-bayes", policy="none")
GROUP = "driftline.s.main"


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
    committed = log.committed(GROUP)
    assert min(committed.values()) > 200
    shutil.rmtree(tmp_path / "s" / "main" / "p0")
    for _ in range(3):
        learn(log, CONFIG, run, stopping=after(1))
        shutil.rmtree(tmp_path / "s" / "main" / "p0", ignore_errors=True)
        now = log.committed(GROUP)
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


def test_a_lost_cursor_is_found_in_the_outcomes(log, tmp_path, caplog):
    """As Kafka forgets that of a group idle for a week: nothing is said again."""
    learn(log, CONFIG, Run(state=tmp_path, turn=100), stopping=after(5))
    log._cursors.clear()
    learn(log, CONFIG, Run(state=tmp_path, until_end=True))
    assert "outcomes reach to" in caplog.text
    assert said(log, 0) == list(range(600))
    assert said(log, 1) == list(range(600))


def test_what_somebody_else_has_written_among_the_outcomes_is_passed_over(log, tmp_path):
    """Only where nothing else is left nobody knows how far all was said."""
    learn(log, CONFIG, Run(state=tmp_path / "a", until_end=True))
    writer = log.writer("stranger")
    writer.append("s.main.outcomes", b"no outcome", partition=0)
    writer.commit()
    learn(log, CONFIG, Run(state=tmp_path / "b", until_end=True))
    assert log.topic("s.main.outcomes").end()[0] == 2

    for _ in range(4096):
        writer.append("s.main.outcomes", b"no outcome", partition=0)
    writer.commit()
    with pytest.raises(CheckpointError, match=r"none of the last 4096 messages of s\.main"):
        learn(log, CONFIG, Run(state=tmp_path / "c", until_end=True))


def test_a_cursor_set_back_says_nothing_again(log, tmp_path):
    """By whatever tool it was done."""
    learn(log, CONFIG, Run(state=tmp_path, turn=100), stopping=after(5))
    log._cursors[GROUP][0] = 10
    learn(log, CONFIG, Run(state=tmp_path, until_end=True))
    assert said(log, 0) == list(range(600))


@pytest.mark.parametrize("way", ["rebuild", "fresh"])
def test_a_cursor_set_forward_is_for_a_person_to_decide(log, tmp_path, monkeypatch, way):
    """It is refused with the two ways on, which then leave the gap that was asked for."""
    monkeypatch.setattr("learner.start._APPEARING", 0.0)
    learn(log, CONFIG, Run(state=tmp_path, turn=100), stopping=after(2))
    told = len(said(log, 0))
    log._cursors[GROUP][0] = 500
    with pytest.raises(CheckpointError, match=r"--fresh .* or --rebuild"):
        learn(log, CONFIG, Run(state=tmp_path, until_end=True))
    learn(log, CONFIG, Run(state=tmp_path, until_end=True, **{way: True}))
    assert said(log, 0) == [*range(told), *range(500, 600)]


def test_a_new_state_where_old_samples_are_gone_goes_on_though_it_said_nothing(log, tmp_path):
    """Stopped before its first outcome, it finds its own cursor to be no stranger's."""
    learn(log, CONFIG, Run(state=tmp_path, turn=100), stopping=after(2))
    told = len(said(log, 0))
    log.topic("s.samples").drop(0, 400)
    learn(log, CONFIG, Run(state=tmp_path, fresh=True), stopping=after(1))
    learn(log, CONFIG, Run(state=tmp_path, until_end=True))
    assert said(log, 0) == [*range(told), *range(400, 600)]


def test_a_new_state_outlives_a_crash_before_its_first_turn(log, tmp_path, monkeypatch):
    """It is kept though the cursor lies before it: what is between was lost, not learned."""
    learn(log, CONFIG, Run(state=tmp_path, turn=100), stopping=after(5))
    told = len(said(log, 1))
    log.topic("s.samples").drop(1, 400)

    def crash(store, learner):
        save(store, learner)
        if store.partition == 1:
            raise EOFError

    save = Checkpoints.save
    with monkeypatch.context() as patch:
        patch.setattr(Checkpoints, "save", crash)
        with pytest.raises(EOFError):
            learn(log, CONFIG, Run(state=tmp_path, fresh=True))
    learn(log, CONFIG, Run(state=tmp_path, until_end=True))
    assert said(log, 1) == [*range(told), *range(400, 600)]


def test_a_turn_waits_for_more_but_not_for_long(tmp_path):
    """What comes in its time is one message; a turn of no time takes what is there."""
    for seconds, messages in ((5.0, 1), (0.0, 20)):
        log = filled(0)
        feeding = threading.Thread(target=trickle, args=(log, 20, seconds == 0))
        feeding.start()
        run = Run(state=tmp_path / str(seconds), turn=20, turn_seconds=seconds)
        learn(log, CONFIG, run, stopping=lambda log=log: taken(log) == 20)
        feeding.join()
        assert log.topic("s.main.outcomes").end()[0] == messages


def test_a_group_that_does_not_come_to_rest_is_joined_anew(log, tmp_path, monkeypatch, caplog):
    """Members may push each other out for good; a seat is given up for another then."""
    monkeypatch.setattr("learner.work._UNREST", 0.0)
    share, rounds = Alone.share, iter(range(3))
    monkeypatch.setattr(
        Alone,
        "share",
        lambda seat, **how: None if next(rounds, None) is not None else share(seat, **how),
    )
    learn(log, CONFIG, Run(state=tmp_path, until_end=True))
    assert "'main' has not come to rest within 0 s; joining again" in caplog.text
    assert said(log, 0) == list(range(600))


def failing(method, *errors):
    """Return a method that raises the errors first, one a call; None lets a call pass."""
    left = iter(errors)

    def tried(self, *how, **more):
        if (error := next(left, None)) is not None:
            raise error
        return method(self, *how, **more)

    return tried


def test_a_seat_that_cannot_be_had_yet_is_asked_for_again(log, tmp_path, monkeypatch, caplog):
    """What took the seat from a learner may last for a while."""
    lost, away = SeatLost("the group has gone on"), TopicTimeout("no answer")
    monkeypatch.setattr(Alone, "share", failing(Alone.share, lost))
    monkeypatch.setattr(MemoryLog, "join", failing(MemoryLog.join, None, away, away))
    learn(log, CONFIG, Run(state=tmp_path, until_end=True))
    assert caplog.text.count("joining again") == 3
    assert said(log, 0) == list(range(600))


def test_who_never_had_a_seat_gives_up(log, tmp_path, monkeypatch):
    """A log that does not answer at all is for a person to look at."""
    away = failing(MemoryLog.join, TopicTimeout("no answer"))
    monkeypatch.setattr(MemoryLog, "join", away)
    with pytest.raises(TopicTimeout):
        learn(log, CONFIG, Run(state=tmp_path, until_end=True))


def taken(log):
    """Return how many samples have been committed."""
    return log.committed(GROUP).get(0, 0)


def trickle(log, samples, one_by_one):
    """Write samples one after the other, each when the one before is committed or at once."""
    writer = log.writer("trickle")
    for i in range(samples):
        writer.append("s.samples", encode(Record(id=i, x={"a": 1.0}, y=i % 2)), partition=0)
        writer.commit()
        deadline = time.monotonic() + 60
        while one_by_one and taken(log) <= i and time.monotonic() < deadline:
            time.sleep(0.001)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"turn_seconds": -1.0}, "turn_seconds must be from 0"),
        ({"delivery": "sometimes"}, "exactly-once or at-least-once, got 'sometimes'"),
        ({"member": "A"}, "member 'A' must be"),
        ({"member": "a"}, "give it with --key-file"),
    ],
)
def test_a_wrong_setting_of_a_run_is_named(tmp_path, wrong, message):
    """With what it must be, or what else it needs."""
    with pytest.raises(SettingError, match=message):
        Run(state=tmp_path, **wrong)


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
    monkeypatch.setattr("learner.saves._SHARE", 1e9)  # save after every turn
    alive = []

    def moved(_):
        alive.append(sum(type(each) is RiverModel for each in gc.get_objects()))

    how = Run(state=tmp_path, turn=2, until_end=True)
    learn(filled(30), Config(model="naive-bayes"), how, moved=moved)

    assert len(alive) >= 30
    assert max(alive[5:]) <= alive[1] + 2
