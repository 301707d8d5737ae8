import json
import logging
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.exporter import BoardCollector, page, registry
from monitor.figures import ALL
from monitor.follow import Follower
from monitor.picture import picture
from stream.errors import TopicMissing, TopicTimeout
from stream.memory import MemoryLog
from stream.records import encode
from stream.sqlite import SqliteLog
from stream.topic import group_of
from tests.monitor.made import (
    ANOMALIES,
    NUMBERS,
    Step,
    accuracy,
    again,
    anomalies,
    classes,
    cuts,
    last_scored,
    likely,
    log_with,
    message,
    named,
    numbers,
    said,
    store,
)

WINDOWS = (3, 20)
RIGHT, WRONG = Step("up", "up"), Step("up", "down")
PROCESS = {"driftline_samples_per_second", "driftline_refused_total"}


class Clock:
    """A clock that stands until told to go; waiting moves it."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now

    def wait(self, seconds):
        self.now += seconds


def following(log, *, names=("main",), windows=WINDOWS, clock=None):
    """Return a follower whose waiting takes no time."""
    clock = clock or Clock()
    return Follower(log, names, windows, clock=clock, hour=lambda: 1000.0, pause=clock.wait)


def metrics(follower):
    """Return all a scrape would show but what belongs to the process."""
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in BoardCollector(lambda: follower.boards).collect()
        for sample in family.samples
        if sample.name not in PROCESS
    }


def never_restarted(messages, after=lambda follower: None):
    """Follow a topic from before its first message; call `after` each message."""
    log = log_with({p: [] for p in messages}, samples=100)
    clock = Clock()
    follower = following(log, clock=clock)
    follower.step()
    tellers = {p: iter(said_there) for p, said_there in messages.items()}
    while tellers:
        for p in list(tellers):
            if (outcomes := next(tellers[p], None)) is None:
                del tellers[p]
                continue
            store(log, {p: [outcomes]})
            clock.wait(1.0)
            follower.step()
            after(follower, log)
    return follower


def restarted(log):
    """Return a follower that begins now."""
    follower = following(log)
    follower.catch_up()
    return follower


@given(
    tales=st.lists(st.lists(classes(), min_size=1, max_size=60), min_size=1, max_size=2),
    cuts=cuts(),
)
def test_a_restart_at_any_message_shows_the_same_metrics(tales, cuts):
    """Every metric of a monitor begun after any message is that of one never stopped."""

    def compare(follower, log):
        assert metrics(restarted(log)) == metrics(follower)

    never_restarted({p: said(steps, cuts) for p, steps in enumerate(tales)}, compare)


@given(steps=st.lists(numbers(), min_size=1, max_size=60), cuts=cuts())
def test_a_restart_shows_the_same_mean_errors(steps, cuts):
    """What holds for classes holds for numbers, to the last digit."""

    def compare(follower, log):
        assert metrics(restarted(log)) == metrics(follower)

    never_restarted({0: said(steps, cuts, task=NUMBERS)}, compare)


@given(
    tales=st.lists(st.lists(likely(), min_size=1, max_size=60), min_size=1, max_size=2),
    cuts=cuts(),
)
def test_a_restart_shows_the_same_probabilities(tales, cuts):
    """Log loss, calibration and the area under the curve need only the window's rows."""

    def compare(follower, log):
        assert metrics(restarted(log)) == metrics(follower)

    never_restarted({p: said(steps, cuts) for p, steps in enumerate(tales)}, compare)


@given(steps=st.lists(anomalies(), min_size=1, max_size=60), cuts=cuts())
def test_a_restart_shows_the_same_scores_of_anomalies(steps, cuts):
    """What holds for classes holds for scores, to the last digit."""

    def compare(follower, log):
        assert metrics(restarted(log)) == metrics(follower)

    never_restarted({0: said(steps, cuts, task=ANOMALIES)}, compare)


@given(
    tales=st.lists(st.lists(named(), min_size=1, max_size=80), min_size=1, max_size=2),
    cuts=cuts(),
    many=st.sampled_from([2, 1000]),
)
def test_a_restart_shows_the_same_classes(tales, cuts, many):
    """Which classes there are, their order and their names, hang not on where reading began."""

    def compare(follower, log):
        assert metrics(restarted(log)) == metrics(follower)

    with mock.patch("monitor.windows._MANY", many):
        never_restarted({p: said(steps, cuts) for p, steps in enumerate(tales)}, compare)


@given(
    steps=st.lists(classes(), min_size=1, max_size=60),
    lives=st.lists(cuts(), max_size=4),
    back=st.lists(st.integers(0, 30), min_size=4, max_size=4),
)
def test_a_restart_after_repetitions_shows_the_same_metrics(steps, lives, back):
    """Of a learner that repeated itself a new monitor knows the same, once that is over."""
    messages = again(steps, lives, back)
    furthest = [-1]
    seen = []

    def compare(follower, log):
        newest = messages[len(seen)]
        seen.append(newest)
        if newest.totals and newest.last > furthest[0]:
            furthest[0] = newest.last
            assert metrics(restarted(log)) == metrics(follower)

    never_restarted({0: messages}, compare)


def test_a_restart_reads_back_no_more_than_it_must():
    """Of a long topic only the end is read: as much as fills the longest window, or double."""
    steps = [RIGHT] * 600
    log = log_with({0: said(steps, [(1, True)] * 600)})
    read = []
    scan = log.topic("tale.main.outcomes").scan
    log.topic("tale.main.outcomes").scan = lambda *place: read.append(place[1:]) or scan(*place)

    follower = restarted(log)

    assert follower.boards[0].figures().pooled["20"].scored == 20
    assert read == [(592, 600), (568, 592)]
    assert follower.boards[0].figures().count("scored") == 600


@given(steps=st.lists(classes(), min_size=30, max_size=60), kept=st.integers(1, 10))
def test_cumulative_figures_survive_retention(steps, kept):
    """What is no longer kept is missing from windows only; totals know it still."""
    messages = said(steps, [(2, True)] * 40)
    log = log_with({0: messages})
    log.topic("tale.main.outcomes").drop(0, len(messages) - kept)

    figures = restarted(log).boards[0].figures()

    scored = last_scored(steps, 100)
    if scored:
        assert figures.scores(ALL) == {"accuracy": accuracy(scored)}
    assert figures.pooled["20"].scored <= 2 * kept


def test_what_was_read_is_not_read_again():
    """With nothing new a step takes nothing in."""
    log = log_with({0: []})
    follower = following(log)
    follower.step()
    store(log, {0: said([RIGHT] * 4, [(2, True)] * 2)})

    assert [follower.step(), follower.step()] == [2, 0]


def test_outcomes_removed_under_our_feet_are_a_restart(caplog):
    """When retention overtakes a slow monitor it goes on from what is kept."""
    steps = [RIGHT, WRONG] * 20
    messages = said(steps, [(2, True)] * 20)
    log = log_with({0: messages[:5]})
    follower = following(log)
    follower.step()
    store(log, {0: messages[5:]})
    log.topic("tale.main.outcomes").drop(0, 10)

    follower.step()
    follower.step()

    assert metrics(follower) == metrics(restarted(log))
    assert follower.boards[0].figures().count("scored") == 40
    assert "starting_over=" in caplog.text


def test_a_topic_made_anew_is_followed_from_its_start():
    """A topic that was deleted and made again ends before where we stood."""
    log = log_with({0: said([RIGHT] * 30, [(1, True)] * 30)})
    follower = following(log, clock=(clock := Clock()))
    follower.step()
    log._topics.clear()
    log.create("tale.samples", partitions=1)
    topic = log.create("tale.main.outcomes", partitions=1)
    follower._trails[0]._topic = topic
    store(log, {0: [message([WRONG], 0, 0)]})

    clock.wait(2.0)
    follower.step()
    follower.step()

    assert follower.boards[0].figures().scores(ALL) == {"accuracy": 0.0}


def test_outcomes_that_are_not_there_yet_are_waited_for(caplog):
    """A missing topic is said once in a while, not at every look, and then followed."""
    caplog.set_level(logging.INFO)
    log, clock = MemoryLog("tale"), Clock()
    follower = following(log, clock=clock)
    with pytest.raises(TopicMissing):
        follower.catch_up()

    for _ in range(20):
        assert follower.step(0.5) == 0
    assert clock.now == 10.0
    assert caplog.text.count("tale.main.outcomes") == 2
    assert follower.caught_up == {"main": False}

    log.create("tale.main.outcomes", partitions=1)
    store(log, {0: [message([RIGHT], 0, 0)]})
    follower.step()
    assert follower.caught_up == {"main": True}
    assert follower.boards[0].figures().scores(ALL) == {"accuracy": 1.0}


def test_a_log_that_does_not_answer_is_asked_again():
    """A time-out costs a step, not the monitor."""
    log = log_with({0: [message([RIGHT], 0, 0)]})
    topic = log.topic("tale.main.outcomes")
    end, answers = topic.end, iter([TopicTimeout("no answer"), None])

    def sometimes():
        if error := next(answers, None):
            raise error
        return end()

    topic.end = sometimes
    follower = following(log)
    follower.step(0.1)
    assert follower.caught_up == {"main": False}
    follower.step(0.1)
    assert follower.caught_up == {"main": True}


def test_several_learners_have_a_board_each():
    """One that is not there yet does not keep the other from being followed."""
    log = log_with({0: [message([RIGHT], 0, 0)]})
    follower = following(log, names=("main", "late"))

    follower.step()
    assert follower.caught_up == {"main": True, "late": False}
    log.create("tale.late.outcomes", partitions=1)
    store(log, {0: [message([WRONG], 0, 0)]}, name="late")
    follower.step()

    assert [board.figures().scores(ALL) for board in follower.boards] == [
        {"accuracy": 1.0},
        {"accuracy": 0.0},
    ]


def test_what_is_no_outcome_is_refused_and_counted(caplog):
    """A message of someone else's is named in a line and passed by."""
    log = log_with({0: [message([RIGHT], 0, 0)]})
    follower = following(log)
    follower.step()
    writer = log.writer("stranger")
    writer.append("tale.main.outcomes", b'{"hello": 1}', partition=0)
    writer.commit()

    follower.step()

    assert follower.boards[0].figures().refused == 1
    assert "refused=tale.main.outcomes[0]@1" in caplog.text
    assert follower.boards[0].figures().count("scored") == 1


@pytest.mark.parametrize(
    ("part", "field", "value"),
    [
        ("rows", "of", [-(2**70)]),
        ("rows", "of", [2**63 - 1]),
        ("totals", "samples", 10**400),
        ("totals", "squared_error", -4.0),
    ],
)
def test_numbers_that_none_can_have_harm_nobody(part, field, value, tmp_path):
    """With a page open, on a log that has places of 64 bits: refused, and the rest goes on."""
    log = SqliteLog(tmp_path / "s.db")
    for topic in ("local.samples", "local.main.outcomes"):
        log.create(topic, partitions=1)
    steps = [Step(1.0, 2.0)] * 3
    store(log, {0: [message(steps, 0, 0, task=NUMBERS)]})
    follower = following(log)
    follower.watched = lambda: True
    stranger = json.loads(encode(message(steps, 1, 1, task=NUMBERS)))
    stranger[part][field] = value
    writer = log.writer("stranger")
    writer.append("local.main.outcomes", json.dumps(stranger).encode(), partition=0)
    writer.commit()
    store(log, {0: [message(steps, 2, 2, task=NUMBERS)]})

    follower.step()
    follower.recall()

    board = follower.boards[0]
    assert json.loads(encode(picture(board)))["refused"] == 1
    assert page(registry(lambda: follower.boards))
    assert board.figures().count("scored") == 3
    log.close()


def test_the_lag_is_what_no_outcome_accounts_for():
    """Lag counts records from the last outcome to the samples' end, from the first at first."""
    log = log_with({0: [message([RIGHT] * 3, 0, 2)], 1: []}, samples=10)
    log.topic("tale.samples").drop(1, 4)

    figures = restarted(log).boards[0].figures()

    assert {p: part.lag for p, part in figures.parts.items()} == {0: 7, 1: 6}


def test_the_lag_steps_over_what_the_learner_has_passed():
    """Offsets without a record, as transactions leave, are passed by the learner's cursor."""
    log = log_with({0: [message([RIGHT] * 3, 0, 2)]}, samples=10)
    writer = log.writer(group_of("tale", "main"))
    writer.commit({0: 10})

    assert restarted(log).boards[0].figures().parts[0].lag == 0


def test_the_rate_counts_only_what_comes_live():
    """What was read back at the start came long ago."""
    steps = [RIGHT] * 100
    log = log_with({0: said(steps[:60], [])})
    follower = following(log, clock=(clock := Clock()))
    follower.step()
    assert follower.boards[0].figures().rate == 0.0

    clock.wait(5.0)
    store(log, {0: said(steps, [], start=60)})
    follower.step()

    assert follower.boards[0].figures().rate == 8.0


def test_the_newest_outcomes_tell_when_they_came():
    """What is read back tells the hour at which the log got it, what comes live the present."""
    steps = [RIGHT] * 50
    log = log_with({0: said(steps[:46], [(1, True)] * 46)})
    store(log, {0: [message(steps, 46, 46)]}, at=777.0)
    follower = following(log)
    follower.catch_up()
    assert follower.boards[0].figures().parts[0].seen_at == 777.0

    store(log, {0: [message(steps, 47, 47)]})
    follower.step()
    assert follower.boards[0].figures().parts[0].seen_at == 1000.0
