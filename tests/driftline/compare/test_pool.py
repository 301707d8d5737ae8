"""Tasks in processes: in order, alone in their failures, and gone when they should be."""

import multiprocessing
import os
import signal
import time

import pytest

from driftline.compare.pool import Failed, run
from stream.errors import SettingError


def work(task, told):
    """Do as the task says."""
    match task:
        case "refuse":
            raise SettingError("it cannot be; choose another")
        case "break":
            raise ZeroDivisionError("division by zero")
        case "die":
            os.kill(os.getpid(), signal.SIGKILL)
        case "sleep":
            told(1)
            time.sleep(600)
        case "pid":
            return os.getpid()
    told(2)
    told(3)
    return task * 2


@pytest.mark.timeout(300)
def test_a_task_that_fails_or_dies_is_a_sentence_and_the_others_go_on():
    """Results come in the order of the tasks, and steps are told on the way."""
    steps = []

    found = run(
        work, [1, "refuse", "die", 4, "break"], jobs=2, fresh=False, stepped=steps.append
    )

    assert found[0] == 2
    assert found[1] == Failed("it cannot be; choose another")
    assert found[2] == Failed("its process ended by signal 9; was there memory enough?")
    assert found[3] == 8
    assert found[4] == Failed("ZeroDivisionError: division by zero")
    assert sorted(steps) == [2, 2, 3, 3]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("fresh", [False, True])
def test_a_process_is_used_again_unless_each_task_is_to_have_its_own(fresh):
    """So that its memory is the task's alone."""
    found = run(work, ["pid"] * 3, jobs=1, fresh=fresh)
    assert len(set(found)) == (3 if fresh else 1)
    assert os.getpid() not in found


@pytest.mark.timeout(300)
def test_to_stop_ends_every_process_at_once():
    """What has not come to its end is None."""
    going = []
    began = time.monotonic()

    found = run(
        work, ["sleep"] * 3, jobs=2, stopping=lambda: len(going) == 2, stepped=going.append
    )

    assert found == [None, None, None]
    assert time.monotonic() - began < 200
    assert multiprocessing.active_children() == []
