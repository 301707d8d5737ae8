import threading

import pytest

from learner.commits import Commits
from stream.errors import TopicTimeout

CURSORS = {0: 7}


class Slow:
    """A writer whose commits last until they are let go."""

    def __init__(self, error=None):
        self.begun, self.go = threading.Event(), threading.Event()
        self.stored, self.error = [], error

    def commit(self, cursors):
        self.begun.set()
        assert self.go.wait(10)
        if self.error:
            raise self.error
        self.stored.append(cursors)


def test_work_goes_on_while_a_commit_is_under_way():
    """Nobody is told of it before it is over."""
    writer, told = Slow(), []
    with Commits(writer, told.append) as commits:
        commits.start(CURSORS, {0: 9})
        assert writer.begun.wait(10)
        assert (writer.stored, told) == ([], [])
        writer.go.set()
        commits.settle()
        assert (writer.stored, told) == ([CURSORS], [{0: 9}])


def test_commits_come_one_after_the_other():
    """A second one waits for the first, and each is told of once."""
    writer, told = Slow(), []
    writer.go.set()
    with Commits(writer, told.append) as commits:
        for n in range(20):
            commits.start({0: n}, {0: n})
        commits.settle()
        commits.settle()
    assert writer.stored == told == [{0: n} for n in range(20)]


def test_what_a_commit_raises_is_raised_to_whoever_settles():
    """And it is not taken for done."""
    writer, told = Slow(TopicTimeout("the disk sleeps")), []
    writer.go.set()
    with Commits(writer, told.append) as commits:
        commits.start(CURSORS, CURSORS)
        with pytest.raises(TopicTimeout, match="sleeps"):
            commits.settle()
        commits.settle()
    assert told == []


def test_leaving_waits_for_what_was_begun():
    """An error elsewhere cuts no commit in two."""
    writer = Slow()

    def fail():
        with Commits(writer, lambda _: None) as commits:
            commits.start(CURSORS, CURSORS)
            assert writer.begun.wait(10)
            threading.Timer(0.05, writer.go.set).start()
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert writer.stored == [CURSORS]
