"""Ranges of a topic, as a person writes them, on every log."""

import pytest

from stream.errors import CursorExpired, SettingError
from stream.memory import MemoryLog
from stream.span import Span, offsets, span


def filled(log, partitions, records=10):
    """Return a topic with so many records in each partition."""
    topic = log.create("t.samples", partitions=partitions)
    writer = log.writer("w")
    for i in range(records):
        for p in range(partitions):
            writer.append("t.samples", b"%d" % i, partition=p)
    writer.commit()
    return topic


def test_what_is_not_said_is_the_whole_topic_as_it_stands(log):
    """And what is said of one partition leaves the others out."""
    topic = filled(log, 3)
    end = topic.end()

    assert span(topic, None, None) == Span({0: 0, 1: 0, 2: 0}, end)
    assert span(topic, "1:4", None) == Span({1: 4}, {1: end[1]})
    assert span(topic, "1:4", "1:6,2:3") == Span({1: 4, 2: 0}, {1: 6, 2: 3})
    found = span(topic, "1:4", "1:6,2:3")
    read = {
        p: [e.offset for e in topic.scan(p, at, found.stop[p])] for p, at in found.start.items()
    }
    assert read == {1: [4, 5], 2: [0, 1, 2]}


def test_a_range_whose_beginning_is_gone_is_refused_with_the_gap():
    """To the record, and with where to begin instead."""
    topic = filled(MemoryLog(), 1)
    topic.drop(0, 7)
    with pytest.raises(CursorExpired, match=r"begins at 7, .* records 2 to 6 .* begin at 0:7"):
        span(topic, "2", "9")
    assert span(topic, None, "9") == Span({0: 7}, {0: 9})


@pytest.mark.parametrize("text", ["", "a", "1:", ":1", "1:2:3", "0:1;1:2", "1.5", "+3", "0:1,"])
def test_what_is_no_offset_is_refused(text):
    """The sentence shows how one is written."""
    with pytest.raises(SettingError, match="OFFSET, or PARTITION:OFFSET with commas between"):
        offsets(text, "--from", 2)


def test_a_topic_without_records_has_a_range_without_any():
    """Which is no mistake."""
    topic = filled(MemoryLog(), 1, records=0)
    assert span(topic, None, None) == Span({0: 0}, {0: 0})
