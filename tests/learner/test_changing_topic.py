"""A topic that changes while it is learned: partitions come, records and all of it go."""

import contextlib
import gc
import json
import shutil
import time
import uuid
from dataclasses import replace

import pytest

from learner.config import Config
from learner.loop import learn
from learner.run import Run
from stream.errors import CheckpointError, CursorExpired
from stream.memory import MemoryLog
from stream.records import Record, decode_outcomes, encode
from stream.sqlite import SqliteLog
from stream.topic import samples_of, topic_of
from tests.changes import remake, trim

CONFIG = Config(model="naive-bayes", policy="none")
KAFKA = pytest.param("kafka", marks=pytest.mark.kafka)
PATIENCE = 60.0
# kafka-python lets go of a socket without closing it when it is closed itself meanwhile.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <.*[sS]ocket:ResourceWarning")


@pytest.fixture(autouse=True)
def _collect_sockets():
    """Let the garbage of a test be found while its warnings are ignored."""
    yield
    gc.collect()


@pytest.fixture(params=["memory", "sqlite", KAFKA])
def log(request, tmp_path, monkeypatch):
    """Give a log of each kind with two partitions of 60 samples, looked at all the time."""
    monkeypatch.setattr("learner.lookout._EVERY", 0.0)
    if request.param == "memory":
        log = MemoryLog("s")
    elif request.param == "sqlite":
        log = SqliteLog(tmp_path / "log.db", sync="OFF")
    else:
        from stream.kafka import KafkaLog

        address = request.getfixturevalue("kafka")
        settings = {"metadata_max_age_ms": 3000, "heartbeat_interval_ms": 200}
        log = KafkaLog(address.split(","), f"t-{uuid.uuid4().hex[:12]}", settings)
    log.create(samples_of(log.stream), partitions=2)
    write(log, {0: 60, 1: 60})
    with contextlib.closing(log):
        yield log


def write(log, counts):
    """Write so many samples to each partition."""
    writer = log.writer(f"source-{log.stream}")
    for p, count in counts.items():
        for i in range(count):
            record = Record(id=f"{p}-{i}", x={"a": float(i % 7), "b": p}, y=i % 2)
            writer.append(samples_of(log.stream), encode(record), partition=p)
        writer.commit()
    writer.close()


def said(log, name="main"):
    """Return rows and totals of each partition's outcomes, in order."""
    topic, found = log.topic(topic_of(log.stream, name, "outcomes")), {}
    first, end = topic.first(), topic.end()
    for p in range(topic.partitions):
        rows, totals = [], None
        for entry in topic.scan(p, first[p], end[p]):
            message = decode_outcomes(entry.value)
            columns = json.loads(entry.value)["rows"]
            rows += zip(*columns.values(), strict=True)
            totals = message.totals
        found[p] = rows, totals
    return found


def undisturbed(log, tmp_path):
    """Return what a learner says that begins when all is there."""
    state = tmp_path / "oracle"
    learn(log, CONFIG, Run(name="oracle", state=state, until_end=True))
    return said(log, "oracle")


def whole(log, reached):
    """Return a `stopping` that waits until all there is was learned, of all partitions."""
    deadline = time.monotonic() + PATIENCE

    def stopping():
        assert time.monotonic() < deadline, reached
        end = log.topic(samples_of(log.stream)).end()
        return all(reached.get(p, 0) >= end[p] for p in end)

    return stopping


@pytest.mark.parametrize("port", [None, 0], ids=["plain", "asked"])
def test_partitions_that_come_while_it_learns_begin_at_their_first_record(
    log, tmp_path, caplog, port
):
    """Each with a state of its own, and room for what is said of it; a line says so."""
    caplog.set_level("INFO", "driftline.learner")
    reached, grown = {}, []

    def moved(cursors):
        reached.update(cursors)
        if not grown and all(reached.values()):
            grown.append(True)
            log.widen(samples_of(log.stream), 4)
            write(log, {0: 30, 2: 50, 3: 40})

    run = Run(state=tmp_path / "state", turn=20, port=port)
    summary = learn(log, CONFIG, run, stopping=whole(log, reached), moved=moved)
    assert summary.samples == 240
    assert "has grown from 2 to 4 partitions" in caplog.text
    assert "a key may now go to another partition" in caplog.text
    assert said(log) == undisturbed(log, tmp_path)
    for kind in ("outcomes", "predictions", "dead"):
        assert log.topic(topic_of(log.stream, "main", kind)).partitions == 4


def test_partitions_that_came_meanwhile_are_there_after_a_restart(log, tmp_path):
    """The learner's topics get as many; what went before goes on."""
    run = Run(state=tmp_path / "state", until_end=True)
    learn(log, CONFIG, run)
    log.widen(samples_of(log.stream), 3)
    write(log, {1: 20, 2: 30})
    assert learn(log, CONFIG, run).samples == 170
    assert said(log) == undisturbed(log, tmp_path)


def test_the_end_that_was_asked_for_has_no_later_partitions(log, tmp_path):
    """A run to the end, as it stood, does not wait for them."""
    grown = []

    def moved(cursors):
        if not grown:
            grown.append(True)
            log.widen(samples_of(log.stream), 3)
            write(log, {2: 30})

    run = Run(state=tmp_path / "state", until_end=True, turn=20)
    assert learn(log, CONFIG, run, moved=moved).samples == 120
    assert learn(log, CONFIG, run).samples == 150
    assert said(log) == undisturbed(log, tmp_path)


def test_records_that_go_before_they_are_learned_stop_a_learner(log, tmp_path, caplog):
    """With the exact gap, as it runs and as it starts; a new state goes on behind it."""
    run = Run(state=tmp_path / "state", until_end=True)
    learn(log, CONFIG, run)
    before, place = said(log), log.committed(f"driftline.{log.stream}.main")[0]
    write(log, {0: 40, 1: 40})
    first = place + 25
    with pytest.raises(
        CursorExpired, match=rf"@{place} is no longer .*: 25 are gone; .*--fresh"
    ):
        # The cursors are told before anything is read.
        learn(log, CONFIG, run, moved=lambda _: trim(log, samples_of(log.stream), 0, first))
    gap = "25 records are gone, and 25 of them have no outcome yet.*--fresh.*another --name"
    with pytest.raises(CheckpointError, match=gap):
        learn(log, CONFIG, run)
    with pytest.raises(CheckpointError, match=gap.replace("25 r", r"\d+ r")):
        learn(log, CONFIG, replace(run, rebuild=True))
    assert said(log)[0] == before[0]
    learn(log, CONFIG, replace(run, fresh=True))
    assert f"records {place} to {first - 1} are no longer kept, and get no" in caplog.text
    after = [row[0] for row in said(log)[0][0]]
    assert after == [*(row[0] for row in before[0][0]), *range(first, place + 40)]
    assert [row[0] for row in said(log)[1][0]] == [it.offset for it in offsets(log, 1)]


def test_records_that_go_after_they_were_said_cost_no_outcome(log, tmp_path):
    """Only the state is lost with them, if its checkpoint is; the sentence says so."""
    run = Run(state=tmp_path / "state", until_end=True)
    learn(log, CONFIG, run)
    shutil.rmtree(tmp_path / "state" / log.stream / "main" / "p0")
    trim(log, samples_of(log.stream), 0, 30)
    write(log, {0: 10})
    with pytest.raises(CheckpointError, match="30 records are gone, and all of them were said"):
        learn(log, CONFIG, run)
    learn(log, CONFIG, replace(run, fresh=True))
    assert len(said(log)[0][0]) == 70


def offsets(log, partition):
    """Return all entries of a partition of the samples."""
    topic = log.topic(samples_of(log.stream))
    return list(topic.scan(partition, 0, topic.end()[partition]))


@pytest.mark.parametrize("log", ["sqlite", KAFKA], indirect=True)
@pytest.mark.parametrize("longer", [False, True])
def test_a_topic_made_anew_stops_a_learner(log, tmp_path, longer):
    """While it runs and when it starts again; under another name all begins anew."""
    made = []

    def moved(cursors):
        if not made and len(cursors) == 2 and all(cursors.values()):
            made.append(True)
            remake(log, samples_of(log.stream), 2)
            write(log, {0: 90, 1: 90} if longer else {0: 5})

    run = Run(state=tmp_path / "state", turn=200, turn_seconds=0.5)
    deadline = time.monotonic() + PATIENCE
    with pytest.raises(CheckpointError, match=r"made anew.*--name"):
        learn(log, CONFIG, run, moved=moved, stopping=lambda: time.monotonic() > deadline)
    before = said(log)
    for way in ({}, {"fresh": True}, {"rebuild": True}):
        again = Run(state=tmp_path / "state", until_end=True, **way)
        with pytest.raises(CheckpointError, match=r"made anew.*--name"):
            learn(log, CONFIG, again)
    assert said(log) == before
    assert [len(rows) for rows, _ in before.values()] == [60, 60]
    found = undisturbed(log, tmp_path)
    assert [len(rows) for rows, _ in found.values()] == ([90, 90] if longer else [5, 0])
