"""Where most records are refused a learner pauses, and nothing else changes for it."""

import logging
import random
import time

import pytest

from learner import breaker
from learner.breaker import RECENT, Recent
from learner.config import Config
from learner.loop import learn
from learner.run import Run
from stream.errors import BreakerOpen, RecordError, SettingError
from stream.memory import MemoryLog
from stream.records import decode_outcomes, encode
from stream.topic import Batch
from tests.learner.serving.asking import asked
from tests.learner.told import learner

CONFIG = Config(model="naive-bayes", policy="none")
GOOD = [{"id": n, "x": {"a": n % 7}, "y": n % 2} for n in range(1500)]
BAD = [b"id;a;y", b'{"id": 1, "y": 1}', b"id;a;y"]


def values(good=500, bad=1400, after=600):
    """Return records of which the middle ones are bad, two of three no JSON at all."""
    middle = [BAD[n % 3] for n in range(bad)]
    return [*map(encode, GOOD[:good]), *middle, *map(encode, GOOD[good : good + after])]


def filled(records, log=None):
    """Return a log with these records."""
    log = log or MemoryLog()
    log.create("memory.samples", partitions=1)
    writer = log.writer("source")
    for value in records:
        writer.append("memory.samples", value, partition=0)
    writer.commit()
    return log


def outcomes(log):
    """Return all rows and totals that were said, by offset."""
    topic = log.topic("memory.main.outcomes")
    messages = [decode_outcomes(e.value) for e in topic.scan(0, 0, topic.end()[0])]
    rows = [
        row for each in messages for row in zip(each.rows.offset, each.rows.y_pred, strict=True)
    ]
    return rows, messages[-1].totals


def run(log, folder, **how):
    """Learn to the end."""
    return learn(log, CONFIG, Run(state=folder, until_end=True, **how))


def test_a_learner_that_is_to_end_fails_with_one_sentence(tmp_path):
    """It names the reasons, a place and the setting; all before it is committed and saved."""
    log = filled(values())

    with pytest.raises(BreakerOpen) as raised:
        run(log, tmp_path, turn=100)

    assert str(raised.value) == (
        "600 of the last 1000 records of partition 0 are dead letters (not_json 400, "
        "unknown_id 200), as not_json of samples[0]@1099; see 'driftline dead', mend what "
        "writes them, and go on with --breaker off"
    )
    assert log.committed("driftline.memory.main") == {0: 1100}
    assert [*tmp_path.rglob("*1100")]
    assert log.topic("memory.main.dead").end() == {0: 600}


def test_a_restart_does_not_run_on(tmp_path):
    """From a checkpoint, and by replay without one, it stands where it stood."""
    log = filled(values())
    for lost in (False, False, True, True):
        if lost:
            for path in tmp_path.rglob("p0/*"):
                path.unlink()
        with pytest.raises(BreakerOpen):
            run(log, tmp_path, turn=100)
        assert log.committed("driftline.memory.main") == {0: 1100}


@pytest.mark.parametrize("turn", [70, 257, 5000])
def test_outcomes_are_those_of_a_learner_without_a_breaker(tmp_path, turn):
    """However often it pauses, and is sent on, nothing that it says is another."""
    log, unbroken = filled(values()), filled(values())
    run(unbroken, tmp_path / "unbroken", breaker="off")
    pauses, share = 0, 0.1
    while share <= 1:
        try:
            run(log, tmp_path / "broken", turn=turn, breaker=share)
            break
        except BreakerOpen:
            pauses, share = pauses + 1, round(share + 0.1, 1)

    assert outcomes(log) == outcomes(unbroken)
    assert pauses == (9 if turn == 70 else pauses)
    assert turn == 5000 or pauses


def test_it_goes_on_by_itself_once_the_bad_ones_are_behind(tmp_path):
    """Lifted for one start it is as before at the next."""
    log = filled(values(after=900))
    run(log, tmp_path, breaker="off")
    filled(map(encode, GOOD[:100]), log)

    assert run(log, tmp_path).samples == 1500


def test_what_is_read_to_the_end_is_not_paused(tmp_path):
    """A stream that ends in bad records has nothing left to wait with."""
    log = filled(values(after=0))

    assert run(log, tmp_path).dead == 1400


def test_whoever_asks_is_told_why_and_still_gets_answers(tmp_path, monkeypatch, caplog):
    """503 with the reason, a line every few seconds, and a figure in the outcomes' headers."""
    monkeypatch.setattr(breaker, "_SAY", 0.1)
    log = filled(values())
    with asked(log, CONFIG, tmp_path, turn=100) as client:
        deadline = time.monotonic() + 20
        while "dead letters" not in client.get("/readyz")[1]:
            assert time.monotonic() < deadline
        status, text = client.get("/readyz?verbose")
        assert status == 503
        assert "[-] breaker closed\nnot ready: 600 of the last 1000 records" in text
        assert client.get("/livez")[0] == 200
        assert client.predict({"x": {"a": 1}})[0] == 200
        said = [r for r in caplog.records if r.getMessage().startswith("paused: 600 of")]
        while len(said) < 2:
            said = [r for r in caplog.records if r.getMessage().startswith("paused: 600 of")]
            assert time.monotonic() < deadline
        assert said[0].levelno == logging.ERROR
    topic = log.topic("memory.main.outcomes")
    headers = [e.headers["resources"] for e in topic.scan(0, 0, topic.end()[0])]
    assert b'"paused":1' in headers[-1]
    assert b'"paused":0' in headers[0]


def test_one_that_is_paused_ends_when_told(tmp_path, caplog):
    """Soon, and in good order."""
    log = filled(values())
    run = Run(state=tmp_path, turn=100)
    summary = learn(log, CONFIG, run, stopping=lambda: "paused: 600 of" in caplog.text)
    assert summary.cursor == {"0": 1100}


def test_the_last_records_are_those_of_an_oracle():
    """Whatever is cut where, and whichever lessons fail at the end of their grain."""
    chance = random.Random(5)
    records = [chance.choice([b"bad", encode(GOOD[n % 1500])]) for n in range(4000)]
    dead = [n for n, value in enumerate(records) if value == b"bad"]
    told, at = learner(), 0
    while at < len(records):
        size = chance.choice([1, 7, 300, 1500])
        part = [*enumerate(records[at : at + size], at)]
        told.learn(Batch(0, part, at + len(part)))
        at += len(part)
        assert [*told.recent.dead] == [n for n in dead if at - RECENT <= n < at]


def test_a_lesson_that_failed_late_counts_where_its_record_stood():
    """And no longer once that has left the last thousand."""
    recent, error = Recent(), RecordError("not_learned", "x")
    recent.take([(n, b"") for n in range(900)], [])
    recent.take([(n, b"") for n in range(900, 1100)], [(50, b"", error), (1000, b"", error)])

    assert recent.dead == {1000: "not_learned"}


@pytest.mark.parametrize("share", [0, -0.5, 1.5, float("nan")])
def test_a_share_that_cannot_be_is_refused(tmp_path, share):
    """Before anything is opened."""
    with pytest.raises(SettingError, match="breaker must be off, or above 0 and at most 1"):
        Run(state=tmp_path, breaker=share)
