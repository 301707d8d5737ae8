"""A monitor of topics that change: partitions that come are followed, a topic made anew too."""

import contextlib

import pytest

from monitor.follow import Follower
from stream.memory import MemoryLog
from stream.sqlite import SqliteLog
from tests.changes import remake
from tests.monitor.made import Step, message, said, store

RIGHT, WRONG = Step("up", "up"), Step("up", "down")
OUTCOMES, SAMPLES = "main.outcomes", "samples"


@pytest.fixture(params=["memory", "sqlite"])
def log(request, tmp_path):
    """Give a log with samples and outcomes of one partition each."""
    log = MemoryLog("s") if request.param == "memory" else SqliteLog(tmp_path / "s.db")
    with contextlib.closing(log):
        for name in (OUTCOMES, SAMPLES):
            log.create(f"{log.stream}.{name}", partitions=1)
        yield log


def follow(log):
    """Return a follower that looks around at each step, after one."""
    seconds = iter(range(10**6))
    follower = Follower(log, ["main"], [10], clock=lambda: 2.0 * next(seconds))
    follower.step()
    return follower


def widen(log, partitions, samples):
    """Add partitions, with so many samples in the last one."""
    for name in (OUTCOMES, SAMPLES):
        log.widen(f"{log.stream}.{name}", partitions)
    writer = log.writer("source")
    for _ in range(samples):
        writer.append(f"{log.stream}.{SAMPLES}", b"{}", partition=partitions - 1)
    writer.commit()


def test_partitions_that_come_are_followed_from_their_first_record(log):
    """What is said of them shows as it would to a monitor begun later, and so does the lag."""
    store(log, {0: said([RIGHT] * 3, [])})
    follower = follow(log)
    widen(log, 3, samples=9)
    follower.step()
    assert list(follower.boards[0].figures().parts) == [0, 1, 2]
    store(log, {2: [message([WRONG] * 4, 0, 3)]})
    for _ in range(3):
        follower.step()
    mine, late = (each.boards[0].figures() for each in (follower, follow(log)))
    assert mine.count("scored") == 7
    assert [it.totals for it in mine.parts.values()] == [
        it.totals for it in late.parts.values()
    ]
    assert mine.scores("10") == late.scores("10")
    assert [part.lag for part in mine.parts.values()] == [0, 0, 5]


def test_outcomes_made_anew_are_read_from_their_start(tmp_path):
    """Longer than the old ones or not."""
    with contextlib.closing(SqliteLog(tmp_path / "s.db")) as log:
        log.create("local.main.outcomes", partitions=1)
        log.create("local.samples", partitions=1)
        store(log, {0: said([RIGHT] * 3, [])})
        follower = follow(log)
        assert follower.boards[0].figures().count("scored") == 3
        remake(log, "local.main.outcomes", 1)
        store(log, {0: said([WRONG] * 5, [(1, True)] * 5)})
        for _ in range(3):
            follower.step()
        figures = follower.boards[0].figures()
        assert (figures.count("scored"), figures.count("correct")) == (5, 0)
