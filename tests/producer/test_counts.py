"""What a producer counts of its own work, against what it has written."""

import itertools
import logging
import re
import time
import urllib.error
import urllib.request

import pytest

from producer.copying import copy
from producer.counts import Counts
from producer.lines import Lines, take
from producer.replay import Replay, produce
from producer.shown import shown
from producer.topics import Copy
from stream.errors import TopicTimeout
from stream.memory import MemoryLog
from stream.records import decode
from stream.sqlite import SqliteLog
from stream.topic import samples_of
from tests.pages import lint, values


def told(counts, stream):
    """Return what the page of a producer shows."""
    page = counts.page("")[0].decode()
    lint(page)
    return values(page, stream=stream)


def written(log):
    """Return all records of the samples."""
    topic = log.topic(samples_of(log.stream))
    return [decode(it.value) for p, end in topic.end().items() for it in topic.scan(p, 0, end)]


def test_a_replay_counts_rows_in_and_records_out(write, tmp_path):
    """By kind what stands in the topic; what cannot be used is dead, and all else was there."""
    rows = "\n".join(f"{i},{i % 2}" for i in range(40))
    path = write("a.csv", f"a,y\n{rows}\n7\n")
    log, before = MemoryLog(), time.time()
    counts = Counts(log.stream)
    replay = Replay(source=path, label="y", label_delay=3)
    produce(log, replay, counts=counts)
    now, records = told(counts, log.stream), written(log)

    questions = sum(it.x is not None and it.y is None for it in records if not it.command)
    assert now["producer_records_in_total"] == 41
    assert now["producer_records_dead_total"] == 1
    assert now["producer_records_out_total", "question"] == 40 <= questions
    assert now["producer_records_out_total", "label"] == sum(it.y is not None for it in records)
    assert now["producer_records_in_progress"] == now["producer_records_resumed_total"] == 0
    assert now["producer_commit_duration_seconds_count"] >= 1
    assert now["producer_commits_retried_total"] == 0
    assert before <= now["producer_last_record_timestamp_seconds"] <= time.time()

    again = Counts(log.stream)
    produce(log, replay, counts=again)
    now = told(again, log.stream)
    assert now["producer_records_resumed_total"] == len(records) == 81
    assert ("producer_records_out_total", "question") not in now
    assert len(written(log)) == len(records)


def test_lines_that_are_no_records_are_dead(tmp_path):
    """They are counted at once, also where nothing is committed meanwhile."""
    log, counts = MemoryLog(), Counts("memory")
    pieces = iter([b"{\n[]\n", b""])
    take(log, Lines(), lambda _: next(pieces), counts=counts)
    now = told(counts, log.stream)

    assert (now["producer_records_in_total"], now["producer_records_dead_total"]) == (2, 2)
    assert "producer_last_record_timestamp_seconds" not in now


def test_a_copy_counts_what_it_took(tmp_path, table):
    """Every record of the source goes out again."""
    source = SqliteLog(tmp_path / "a.db")
    produce(source, Replay(source=table(30), label="class"))
    log, counts = MemoryLog(), Counts("memory")
    copy(log, Copy(source=f"sqlite:{tmp_path / 'a.db'}", until_end=True), counts=counts)
    now = told(counts, log.stream)
    source.close()

    assert now["producer_records_in_total"] == sum(log.topic("memory.samples").end().values())
    assert now["producer_records_out_total", "sample"] == 30
    assert now["producer_records_in_progress"] == 0


def test_a_commit_without_an_answer_is_counted(table):
    """So that a broker that goes away now and then is seen."""
    log = MemoryLog()
    counts, fates = Counts(log.stream), itertools.chain([True], itertools.repeat(False))
    writer_of = log.writer

    def writer(name, *, atomic=True):
        made = writer_of(name, atomic=atomic)
        commit = made.commit

        def mute(*args, **how):
            commit(*args, **how)
            if next(fates):
                raise TopicTimeout("no answer: start again, which finds out")

        made.commit = mute
        return made

    log.writer = writer
    produce(log, Replay(source=table(30), label="class"), counts=counts)

    assert told(counts, log.stream)["producer_commits_retried_total"] == 1


def test_a_producer_is_ready_once_it_writes_and_until_it_is_to_stop(caplog):
    """Health checks of containers ask for this; without a port nobody is answered."""
    counts, stopping = Counts("s"), []

    def ask(path):
        try:
            with urllib.request.urlopen(url + path, timeout=10) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            with error:
                return error.code

    with (
        caplog.at_level(logging.INFO, "driftline.producer"),
        shown(counts, "127.0.0.1", 0, lambda: bool(stopping)),
    ):
        url = re.search(r"metrics=(http://\S+)/metrics", caplog.text)[1]
        assert (ask("/livez"), ask("/metrics"), ask("/readyz")) == (200, 200, 503)
        counts.watch(lambda: None)
        assert ask("/readyz") == 200
        stopping.append(True)
        assert (ask("/livez"), ask("/readyz")) == (200, 503)
    with pytest.raises(urllib.error.URLError):
        ask("/livez")
    with shown(counts, "127.0.0.1", None, lambda: False):
        pass
