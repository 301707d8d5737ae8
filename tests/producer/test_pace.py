"""When each sample comes, on a clock that only sleeping moves."""

import pytest

from producer.pace import pace_of
from producer.replay import Replay, produce
from stream.memory import MemoryLog


class Clock:
    """A clock that moves only when someone sleeps."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


class Times(MemoryLog):
    """A log in memory that notes when each record became readable."""

    def __init__(self, clock):
        super().__init__()
        self.clock, self.seen = clock, []

    def writer(self, name):
        writer = super().writer(name)
        plain = writer.commit

        def commit(*args, **kwargs):
            before = self.topic("memory.samples").end()[0]
            plain(*args, **kwargs)
            after = self.topic("memory.samples").end()[0]
            self.seen += [self.clock.now - 100] * (after - before)

        writer.commit = commit
        return writer


def timed(source, **settings):
    """Replay on a clock of its own; return when each record became readable, and the log."""
    clock = Clock()
    log = Times(clock)
    summary = produce(
        log, Replay(source=source, **settings), clock=clock, sleep=clock.sleep, now=clock
    )
    return log.seen, summary


def test_a_rate_is_kept(table):
    """Two samples a second are readable half a second apart, each as soon as it is due."""
    seen, summary = timed(table(5), label="class", rate=2)

    # The first record declares the classes.
    assert seen == pytest.approx([0, 0, 0.5, 1, 1.5, 2])
    assert summary.seconds == pytest.approx(2)


def test_a_high_rate_is_committed_in_groups(table):
    """At a thousand a second a commit comes about every 50 milliseconds."""
    seen, _ = timed(table(500), label="class", rate=1000)

    assert seen[-1] == pytest.approx(0.499, abs=0.01)
    assert 8 <= len(set(seen)) <= 14


def test_labels_held_back_count_for_the_rate(table):
    """A label record takes a place of its own."""
    seen, _ = timed(table(4), label="class", rate=2, label_delay=1)

    assert seen == pytest.approx([0, *(n / 2 for n in range(8))])


def test_event_time_is_kept(table):
    """An hour a row at 3600 times the speed is a row a second."""
    seen, _ = timed(table(4), label="class", time="day", speed=3600)

    assert seen == pytest.approx([0, 0, 1, 2, 3])


def test_a_label_is_said_when_it_is_due(table):
    """With half an hour of delay a label comes half a second after its question."""
    seen, _ = timed(table(3), label="class", time="day", speed=3600, label_delay="30m")

    assert seen == pytest.approx([0, 0, 0.5, 1, 1.5, 2, 2.5])


def test_a_loop_begins_event_time_anew(table):
    """The first row of the second pass comes at once, the others as in the first."""
    seen, _ = timed(table(3), label="class", time="day", speed=3600, loop=2)

    assert seen == pytest.approx([0, 0, 1, 2, 2, 3, 4])


def test_what_was_missed_long_ago_is_not_made_up_for():
    """After a standstill the pace goes on; within a second it catches up."""
    pace = pace_of(10, None)

    assert [round(pace(now, None), 6) for now in (0, 0, 0.5, 0.5)] == [0, 0.1, -0.3, -0.2]
    assert [round(pace(now, None), 6) for now in (60, 60)] == [0, 0.1]


def test_a_wish_to_stop_is_heard_while_waiting(table):
    """What was said is committed, and the next run goes on behind it."""
    clock, log = Clock(), MemoryLog()
    replay = Replay(source=table(10), label="class", rate=0.01)

    summary = produce(
        log, replay, clock=clock, sleep=clock.sleep, stopping=lambda: clock.now > 350
    )

    assert (summary.samples, summary.stopped) == (3, True)
    assert clock.now < 351
    summary = produce(log, replay, clock=clock, sleep=clock.sleep)
    assert (summary.samples, summary.resumed, summary.stopped) == (7, 4, False)
