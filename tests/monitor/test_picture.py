import json

from hypothesis import given
from hypothesis import strategies as st

from monitor.picture import picture, whole
from stream.records import encode
from tests.monitor.made import (
    ANOMALIES,
    CLASSES,
    NUMBERS,
    anomalies,
    cuts,
    likely,
    named,
    numbers,
    said,
)
from tests.monitor.test_history import accompanied, followed

EXEMPT = {"rate", "seen_at", "refused", "mistakes"}
"""What belongs to a monitor and its hour; of each partition `lag` and `seen_at` too."""


def shown(follower):
    """Return all that a page shows but what is exempt, as a browser gets it."""
    board = follower.boards[0]
    found = json.loads(encode({**picture(board), **whole(board)}))
    for part in found["parts"]:
        del part["lag"], part["seen_at"]
    del found["figures"]["lag"]
    return {name: value for name, value in found.items() if name not in EXEMPT}


def tales(task, step):
    """Draw what one or two partitions of a task said."""
    steps = st.lists(step, min_size=1, max_size=60)
    return st.tuples(st.just(task), st.lists(steps, min_size=1, max_size=2))


@given(
    tales=tales(CLASSES, named() | likely())
    | tales(NUMBERS, numbers())
    | tales(ANOMALIES, anomalies()),
    cuts=cuts(),
)
def test_a_monitor_begun_anew_shows_the_same(tales, cuts):
    """Every value on the page but the exempt ones is that of a monitor that never ended."""
    task, steps = tales
    messages = {p: said(each, cuts, task=task) for p, each in enumerate(steps)}
    assert shown(followed(messages, windows=(5, 20))) == shown(
        accompanied(messages, windows=(5, 20))
    )
