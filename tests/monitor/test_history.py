import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor import history
from monitor.board import Board
from monitor.follow import Follower
from monitor.history import Buckets
from monitor.past import MESSAGES, Past
from stream.errors import TopicTimeout
from tests.monitor.made import (
    ANOMALIES,
    CLASSES,
    NUMBERS,
    Step,
    anomalies,
    classes,
    cuts,
    later,
    log_with,
    numbers,
    said,
    store,
)

WINDOW = 40
FINE = WINDOW // history.FINE
RIGHT, WRONG = Step("up", "up"), Step("up", "down")


def followed(messages, *, windows=(WINDOW,), looked=True):
    """Return a follower that came when all of it was there, and was looked at to the end."""
    follower = Follower(log_with(messages), ["main"], windows)
    follower.catch_up()
    if looked:
        follower.recall()
    return follower


def accompanied(messages, *, windows=(WINDOW,)):
    """Return a follower that was there from the first message on."""
    log = log_with({p: [] for p in messages})
    follower = Follower(log, ["main"], windows)
    follower.step()
    for p, each in messages.items():
        for outcomes in each:
            store(log, {p: [outcomes]})
            follower.step()
    return follower


def shown(follower):
    """Return curve and events of a follower's board."""
    board = follower.boards[0]
    return board.curve(), board.happened()


def expected(steps, task):
    """Compute the curve of one partition the plain way, as (place, model's figure)."""
    scored = [step for step in steps if step.scored]
    points = []
    for end in range(FINE, len(scored) + 1, FINE):
        rows = scored[max(0, end - WINDOW) : end]
        if task == CLASSES:
            points.append((end, sum(step.right for step in rows) / len(rows)))
        elif task == NUMBERS:
            errors = [step.error for step in rows if step.flag != 3]
            points.append((end, math.fsum(errors) / len(errors) if errors else None))
        else:
            found = [step.y_pred for step in rows if step.y and step.flag != 3]
            points.append((end, math.fsum(found) / len(found) if found else None))
    return points


@pytest.mark.parametrize(
    ("kind", "task"), [(classes(), CLASSES), (numbers(), NUMBERS), (anomalies(), ANOMALIES)]
)
def test_every_point_is_the_plain_mean(kind, task):
    """Each point is the mean of the model over the window that ends there."""

    @given(steps=st.lists(kind, min_size=1, max_size=120), cuts=cuts())
    def holds(steps, cuts):
        curve = accompanied({0: said(steps, cuts, task=task)}).boards[0].curve()
        plain = expected(steps, task)
        assert curve.x == [end for end, _ in plain]
        for value, (_, mean) in zip(next(iter(curve.lines.values()), []), plain, strict=False):
            assert value == (None if mean is None else pytest.approx(mean, rel=1e-5))
        assert any(curve.lines.values()) or all(mean is None for _, mean in plain)

    holds()


@given(
    tales=st.lists(st.lists(classes(), min_size=1, max_size=150), min_size=1, max_size=3),
    cuts=cuts(),
)
def test_who_comes_late_sees_what_one_who_stayed_sees(tales, cuts):
    """Curve and events of a monitor begun at the end are those of one begun at the start."""
    messages = {p: said(steps, cuts) for p, steps in enumerate(tales)}
    assert shown(followed(messages, windows=(4,))) == shown(accompanied(messages, windows=(4,)))


def test_the_newest_is_there_before_the_past_is_read():
    """Whoever opens the page sees the last window at once, and the rest as it is read."""
    steps = [RIGHT] * 300 + [WRONG] * 100
    messages = {0: said(steps, [(10, True)] * 40)}
    follower = followed(messages, looked=False)
    curve = follower.boards[0].curve()
    (line, *_) = curve.lines.values()
    assert curve.x[-1] == 400
    assert line[-1] == 0.0
    assert line[0] is None
    assert follower.recalled == [0.0]

    follower.recall()
    (line, *_) = follower.boards[0].curve().lines.values()
    assert line[0] == 1.0
    assert follower.recalled == [1.0]


@pytest.mark.parametrize(
    ("step", "task", "names"),
    [
        (RIGHT, CLASSES, ["accuracy", "no_change", "majority"]),
        (Step(1.0, 2.0), NUMBERS, ["mae", "no_change", "majority"]),
        (Step(y=True, y_pred=0.5), ANOMALIES, ["anomaly_score", "normal_score"]),
    ],
)
def test_lines_are_there_before_they_have_values(step, task, names):
    """Whoever puts new points behind old ones finds each line as long as the curve."""
    *_, last = said([step] * 100, [(10, True)] * 10, task=task)
    board = Board("tale", "main", (WINDOW,))
    board.feed(0, last)
    curve = board.curve()
    assert len(curve.x) == 100 // FINE
    assert list(curve.lines.items()) == [(name, [None] * len(curve.x)) for name in names]


def test_nobody_looks_nothing_is_read():
    """The past costs nothing as long as no page is open."""
    follower = followed({0: said([RIGHT] * 400, [(10, True)] * 40)}, looked=False)
    for _ in range(5):
        follower.step()
    assert follower.recalled == [0.0]
    follower.watched = lambda: True
    while follower.recalled != [1.0]:
        follower.step()


def test_points_stay_few_however_long_the_stream(monkeypatch):
    """A fuller curve has wider buckets, and each point is still a mean of its rows."""
    monkeypatch.setattr(history, "POINTS", 8)
    steps = [RIGHT, WRONG, WRONG, WRONG] * 250
    curve = accompanied({0: said(steps, [(100, True)] * 10)}).boards[0].curve()
    assert len(curve.x) <= 8
    assert curve.every * len(curve.x) <= 1000 < curve.every * (len(curve.x) + 1)
    assert set(curve.lines["accuracy"]) == {0.25}


def test_points_stay_few_where_the_rows_before_are_gone():
    """Totals that tell of a million rows, and bring none, make no million points."""
    (asked,) = said([Step(), Step()], [(2, True)])
    asked.totals.scored = 1_000_000
    curve = accompanied({0: [asked]}).boards[0].curve()
    assert len(curve.x) <= history.POINTS
    assert curve.every * (len(curve.x) + 1) > 1_000_000


@given(
    rows=st.lists(st.integers(0, 9), min_size=1, max_size=60),
    at=st.integers(0, 60),
    few=st.integers(1, 8),
)
def test_buckets_hold_what_was_put_in(rows, at, few):
    """In whatever pieces and order rows come, each bucket has the sum of its own."""
    at = min(at, len(rows))
    buckets = Buckets(few)
    if rows[at:]:
        buckets.add(at, [rows[at:]])
    if rows[:at]:
        buckets.add(0, [rows[:at]])
    for bucket in range(len(rows) // few):
        own = rows[bucket * few : (bucket + 1) * few]
        assert buckets.sums(bucket) == [few, sum(own)]


@pytest.mark.parametrize("size", [20, 200, 300])
def test_a_learner_that_began_anew_has_a_curve_of_its_own(size):
    """What another of that name had come to before is no part of it, however it begins."""
    old = said([WRONG] * 200, [(20, True)] * 10)
    fresh = later(said([RIGHT] * 400, [(size, True), *[(20, True)] * 20]), 200)
    messages = {0: [*old, *fresh]}
    for follower in (followed(messages), accompanied(messages)):
        curve = follower.boards[0].curve()
        assert curve.x[-1] == 400
        assert set(curve.lines["accuracy"]) == {1.0}


def test_events_lie_where_they_happened():
    """An event's place is how many guesses were scored before it, over all partitions."""
    calm = [RIGHT] * 50
    steps = [
        *calm,
        Step("up", "up", events=["mark"]),
        *calm,
        Step("up", "up", events=["drift"]),
    ]
    board = accompanied({0: said(steps, []), 1: said(calm, [])}).boards[0]
    assert [(x, event.kind) for x, event in board.happened()] == [
        (51 + 50, "mark"),
        (102 + 50, "drift"),
    ]


def test_a_past_that_retention_takes_is_no_fault():
    """What is gone while it is being read is left out."""
    messages = {0: said([RIGHT] * 100, [(1, True)] * 100)}
    log = log_with(messages)
    topic = log.topic("tale.main.outcomes")
    board = Board("tale", "main", (WINDOW,))
    for outcomes in messages[0][-5:]:
        board.feed(0, outcomes)
    past = Past(topic, {0: 100}, board)
    past.step()
    before = past.read
    while past.left:
        past.step()
    assert 0 < before < past.read == 1.0


def test_a_log_that_does_not_answer_is_asked_again(monkeypatch):
    """Whatever was being read then is read once more, and counted once."""
    messages = {0: said([RIGHT, WRONG] * 60, [(3, False), (4, True)] * 40)}
    log = log_with(messages)
    topic = log.topic("tale.main.outcomes")
    scan, fails = topic.scan, iter([3, 20])

    def failing(partition, start, stop):
        left = next(fails, 1000)
        for entry in scan(partition, start, stop):
            if not left:
                raise TopicTimeout("no answer")
            left -= 1
            yield entry

    monkeypatch.setattr(topic, "scan", failing)
    board = Board("tale", "main", (WINDOW,))
    for outcomes in messages[0][-4:]:
        board.feed(0, outcomes)
    past = Past(topic, topic.end(), board)
    failures = 0
    while past.left:
        try:
            past.step()
        except TopicTimeout:
            failures += 1
    assert failures == 2
    assert board.curve() == accompanied(messages).boards[0].curve()


@pytest.mark.parametrize("turns", [MESSAGES - 1, MESSAGES, MESSAGES + 1, 2 * MESSAGES])
def test_every_partition_is_read_whole(turns):
    """However many messages each has, as many as one step reads among them."""
    messages = {p: said([RIGHT, WRONG] * 2 * turns, [(4, True)] * turns) for p in range(3)}
    assert shown(followed(messages, windows=(4,))) == shown(accompanied(messages, windows=(4,)))
