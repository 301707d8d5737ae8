"""A log that does not answer, and a producer that goes on by itself."""

import io
import itertools
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producer.lines import Lines, take
from producer.patience import Patient
from producer.replay import Replay, produce
from stream.errors import TopicTimeout
from stream.memory import MemoryLog
from stream.topic import samples_of

STORED, LOST, FINE = "stored", "lost", "fine"


class MuteLog(MemoryLog):
    """Does not answer to some commits; some of those it has stored, and some it has not."""

    def __init__(self, fates=()):
        super().__init__("s")
        self.fates = itertools.chain(fates, itertools.repeat(FINE))

    def writer(self, name, *, atomic=True):
        writer = super().writer(name, atomic=atomic)
        commit = writer.commit

        def mute(*args, **how):
            fate = next(self.fates)
            if fate != LOST:
                commit(*args, **how)
            if fate != FINE:
                raise TopicTimeout("no answer: start again, which finds out")

        writer.commit = mute
        return writer


def values(log):
    """Return all that stands in the samples, by partition."""
    topic = log.topic(samples_of("s"))
    first, end = topic.first(), topic.end()
    return [[it.value for it in topic.scan(p, first[p], end[p])] for p in first]


@given(
    commits=st.lists(st.lists(st.integers(0, 1), min_size=1, max_size=4), max_size=6),
    fates=st.lists(st.sampled_from([STORED, LOST, FINE]), max_size=12),
)
def test_whatever_becomes_of_a_commit_each_record_is_stored_once(commits, fates):
    """Where nobody answers, it is found out what is stored, and the rest is said again."""
    log, row, expected = MuteLog(fates), 0, [[], []]
    log.create(samples_of("s"), partitions=2)
    writer = Patient(log, "a")
    for partitions in commits:
        for p in partitions:
            writer.append(samples_of("s"), b"%d" % row, partition=p, row=row)
            expected[p].append(b"%d" % row)
            row += 1
        writer.commit()
    assert values(log) == expected


def test_asked_to_stop_it_says_that_the_fate_is_unknown(caplog):
    """Nobody who stops is held up by a log that does not answer."""
    log, tries = MuteLog([LOST] * 100), iter([False, False, True])
    log.create(samples_of("s"), partitions=1)
    writer = Patient(log, "a", stopping=lambda: next(tries))
    writer.append(samples_of("s"), b"x", partition=0, row=0)
    with caplog.at_level(logging.WARNING), pytest.raises(TopicTimeout, match="start again"):
        writer.commit()
    assert [it.getMessage() for it in caplog.records] == [
        "no answer; finding out, and going on"
    ] * 2


def test_replays_and_lines_go_on_by_themselves():
    """Both leave in a log that is mute now and then what they leave in one that is not."""
    found = []
    for fates in ([], [STORED, LOST, LOST, STORED]):
        log = MuteLog(fates)
        log.create(samples_of("s"), partitions=2)
        produce(log, Replay(source="synth:Sine(seed=7)", limit=300, rate=1e6), now=lambda: 0.0)
        text = b'{"a": 1, "y": 0}\n{"a": 2, "y": 1}\n'
        take(log, Lines(), io.BytesIO(text).read, now=lambda: 0.0)
        found.append(values(log))
    assert found[0] == found[1]
    assert sum(map(len, found[0])) > 300
