"""What a learner counts of its own work, against what it has written."""

import shutil
import threading
import time

import pytest

from learner import saves
from learner.commits import Commits
from learner.config import Config
from learner.counts import Counts
from learner.loop import learn
from learner.run import Run
from stream.errors import TopicTimeout
from stream.memory import MemoryLog
from stream.records import Record, decode_outcomes, encode
from tests.learner.serving.asking import asked, ready
from tests.pages import lint, values

CONFIG = Config(model="naive-bayes", policy="none")
WHOSE = {"stream": "s", "learner": "main"}
SAMPLES, QUESTIONS, BAD = 900, 60, 40
ALL = SAMPLES + QUESTIONS + BAD
SAVED = "learner_checkpoint_duration_seconds_count"


@pytest.fixture
def log():
    """Give a log of two partitions with samples, questions and what is no record."""
    log = MemoryLog("s")
    log.create("s.samples", partitions=2)
    writer = log.writer("source")
    for i in range(SAMPLES):
        writer.append(
            "s.samples", encode(Record(id=i, x={"a": i % 7}, y=i % 2)), partition=i % 2
        )
    for i in range(QUESTIONS):
        writer.append("s.samples", encode(Record(id=f"q{i}", x={"a": 1.0})), partition=0)
    for _ in range(BAD):
        writer.append("s.samples", b"{", partition=1)
    writer.commit()
    return log


def page(client, seen=lambda now: True, records=ALL):
    """Return the page of a learner that has nothing left to do, once `seen` holds of it."""
    for _ in range(1000):
        found = client.get("/metrics")[1]
        now = values(found, **WHOSE)
        read = now["learner_records_in_total"]
        if records in (None, read) and now["learner_records_in_progress"] == 0 and seen(now):
            return found
        time.sleep(0.01)
    raise AssertionError(found)


def written(log, kind):
    """Return all messages of a learner's topic."""
    topic = log.topic(f"s.main.{kind}")
    return [it for p, end in topic.end().items() for it in topic.scan(p, 0, end)]


def test_the_counts_are_those_of_what_was_read_and_written(log, tmp_path):
    """In is what stands in the samples; out and dead is what stands in the other topics."""
    before = time.time()
    with asked(log, CONFIG, tmp_path, turn=100) as client:
        ready(client)
        assert client.predict({"x": {"a": 1.0}, "partition": 0})[0] == 200
        found = page(client)
    now = values(found, **WHOSE)

    outcomes = [decode_outcomes(it.value) for it in written(log, "outcomes")]
    rows = sum(len(it.rows.offset) for it in outcomes)
    assert rows == SAMPLES
    assert now["learner_records_in_total"] == sum(log.topic("s.samples").end().values())
    assert now["learner_records_out_total", "outcome"] == rows
    assert now["learner_records_out_total", "prediction"] == len(written(log, "predictions"))
    assert now["learner_records_dead_total", "truncated"] == BAD == len(written(log, "dead"))
    assert now["learner_records_replayed_total"] == 0
    assert before <= now["learner_last_record_timestamp_seconds"] <= time.time()
    # A turn of a partition is closed by a message with totals.
    turns = sum(it.totals is not None for it in outcomes)
    assert now["learner_turn_duration_seconds_count"] == turns
    assert 0 < now["learner_commit_duration_seconds_count"] <= turns
    assert now["learner_joins_total"] == now["learner_rebalances_total"] == 1
    assert now["learner_partitions"] == 2
    assert now["learner_requests_total", "answered"] == 1
    assert now["learner_breaker_open"] == now["learner_requests_in_progress"] == 0
    assert sum(it[0] == "build_info" for it in values(found)) == 1
    lint(found)


def test_what_is_learned_again_is_told_apart(log, tmp_path):
    """Without its checkpoints a learner replays in silence, and nothing goes out."""
    with asked(log, CONFIG, tmp_path) as client:
        page(client)
    shutil.rmtree(tmp_path / "s")
    with asked(log, CONFIG, tmp_path) as client:
        now = values(page(client), **WHOSE)

    assert now["learner_records_replayed_total"] == ALL
    assert ("learner_records_out_total", "outcome") not in now
    assert now["learner_turn_duration_seconds_count"] == 0


def test_a_page_is_of_one_moment():
    """What was read is in progress on it, or something has come of it."""
    counts, over = Counts("s", "main"), threading.Event()

    def work():
        while not over.is_set():
            counts.began(1)
            counts.replayed(1)
            counts.done(None)

    worker = threading.Thread(target=work)
    worker.start()
    try:
        pages = [values(counts.page("")[0].decode(), **WHOSE) for _ in range(300)]
    finally:
        over.set()
        worker.join()

    read = [it["learner_records_in_total"] for it in pages]
    open_ = [it["learner_records_in_progress"] for it in pages]
    replayed = [it["learner_records_replayed_total"] for it in pages]
    assert read[-1] > 100
    assert all(a - b <= c <= a for a, b, c in zip(read, open_, replayed, strict=True))


def test_what_no_commit_has_stored_is_not_out(log, tmp_path, monkeypatch):
    """A learner that joins again says it again, and it goes out once."""
    commit, fates = Commits._commit, iter([True])

    def lose(self, cursors):
        if next(fates, False):
            raise TopicTimeout("no answer")
        commit(self, cursors)

    monkeypatch.setattr(Commits, "_commit", lose)
    out = ("learner_records_out_total", "outcome")
    with asked(log, CONFIG, tmp_path, turn=100) as client:
        found = page(client, lambda now: now.get(out, 0) >= SAMPLES, records=None)
        now = values(found, **WHOSE)

    assert now[out] == SAMPLES
    assert now["learner_records_dead_total", "truncated"] == BAD
    assert ALL < now["learner_records_in_total"] <= ALL + 200
    assert now["learner_joins_total"] == now["learner_rebalances_total"] == 2


def test_checkpoints_are_counted_by_what_became_of_them(log, tmp_path, monkeypatch):
    """Saved and loaded; failed where there is no room, and of no use where damaged."""
    learn(log, CONFIG, Run(state=tmp_path, until_end=True))
    newest = max((tmp_path / "s" / "main" / "p0").iterdir())
    newest.write_bytes(newest.read_bytes()[:-1])
    failing = []

    def save(self, learner):
        failing.append(learner)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(saves, "_SHARE", 1e9)
    monkeypatch.setattr(saves, "_AGAIN", 0.0)
    monkeypatch.setattr("learner.checkpoint.Checkpoints.save", save)
    failed = ("learner_checkpoints_total", "failed")
    with asked(log, CONFIG, tmp_path) as client:
        replayed = log.topic("s.samples").end()[0]
        now = values(page(client, lambda now: failed in now, replayed), **WHOSE)

    told = {key[1]: n for key, n in now.items() if key[0] == "learner_checkpoints_total"}
    assert told["refused"] == 1
    assert told["loaded"] == 1
    assert 0 < told["failed"] <= len(failing)


def test_the_checkpoints_held_are_those_of_all_partitions(log, tmp_path, monkeypatch):
    """Their size is that of the files a restart would read, their age that of the oldest."""
    monkeypatch.setattr(saves, "_SHARE", 1e9)
    before = time.time()
    with asked(log, CONFIG, tmp_path) as client:
        now = values(page(client, lambda now: now[SAVED] >= 2), **WHOSE)
        assert now["learner_checkpoints_total", "saved"] >= 2
    with asked(log, CONFIG, tmp_path) as client:
        now = values(page(client, lambda now: "learner_checkpoint_bytes" in now, 0), **WHOSE)
    folders = (tmp_path / "s" / "main").iterdir()
    newest = [max(folder.iterdir()).stat() for folder in folders]

    assert len(newest) == now["learner_partitions"] == 2
    assert now["learner_checkpoint_bytes"] == sum(it.st_size for it in newest)
    oldest = min(it.st_mtime for it in newest)
    assert now["learner_checkpoint_timestamp_seconds"] == pytest.approx(oldest, abs=0.1)
    assert before < now["learner_checkpoint_timestamp_seconds"] < time.time()
