"""Event time is what the records agree on."""

import random

import pytest

from learner.clock import Age, EventTime, GrainTime
from tests.learner.told import learner, sample, tell

DAY = 86_400.0


def seen(*moments, max_jump=DAY):
    """Return the event time after each moment."""
    time = EventTime(max_jump)
    said = []
    for ts in moments:
        time.observe(ts)
        said.append(time.now)
    return said


def test_it_is_the_latest_moment_seen():
    """What comes late does not turn it back, and what has no time says nothing."""
    assert seen(None, 5.0, None, 3.0, 9.0, 9.0) == [None, 5.0, 5.0, 5.0, 9.0, 9.0]


def test_a_leap_of_one_record_is_not_believed():
    """Nor are nine, with an ordinary record between them and the next."""
    far = [1e12] * 9

    assert seen(0.0, *far, 10.0, *far)[-1] == 10.0


def test_ten_records_in_a_row_are_believed_as_far_as_all_of_them_go():
    """The nearest of the ten is what they agree on."""
    far = [1e9 + n for n in range(10)]
    random.Random(1).shuffle(far)

    assert seen(0.0, *far)[-2:] == [0.0, 1e9]


def test_a_first_record_dated_ahead_is_not_believed_for_ever():
    """Nobody has borne it out: ten that agree set the time back, and late ones do not."""
    assert seen(1e12, *range(9))[-1] == 1e12
    assert seen(1e12, *range(10))[-1] == 0.0
    assert seen(1e12, *range(10), 20.0)[-1] == 20.0
    assert seen(1e12, 1e12 + 5, *range(50))[-1] == 1e12 + 5


def test_what_waits_since_a_first_record_dated_ahead_ends_all_the_same():
    """A grain, and what has come before any time, wait from the time that is believed."""
    grain, age = GrainTime(60, max_jump=DAY), Age(60, max_jump=DAY)
    moments = [1e12, *(10.0 * n for n in range(20))]
    for ts in moments:
        age.observe(ts)
    assert [grain.over(ts) for ts in moments].index(True) == 11
    assert age.over(None)


def test_a_leap_within_bounds_is_taken_at_once():
    """A stream may pause for a day."""
    assert seen(0.0, DAY, 2 * DAY) == [0.0, DAY, 2 * DAY]


def test_a_grain_lasts_so_many_seconds_from_its_beginning():
    """A period that ended begins anew at that moment."""
    time = GrainTime(10.0, max_jump=DAY)
    over = []
    for ts in (100.0, 105.0, 110.0, 112.0, 119.0, 120.0):
        over.append(time.over(ts))
        if over[-1]:
            time.begin()

    assert over == [False, False, True, False, False, True]


def test_without_a_length_no_grain_ends_by_time():
    """Nor does one without any time to go by."""
    assert not any(GrainTime(None, max_jump=DAY).over(ts) for ts in (0.0, 1e9))
    assert not any(GrainTime(1.0, max_jump=DAY).over(None) for _ in range(3))


@pytest.mark.parametrize("size", [1, 2, 10])
def test_a_learner_ends_its_grain_by_event_time(size):
    """What was gathered is learned when its time is over, whatever the turns."""
    diary = learner(policy="none", grain=100, grain_seconds=60)
    records = [sample(i, 0, ts=20.0 * i, a=i) for i in range(10)]

    taught = []
    for start in range(0, 10, size):
        tell(diary, *records[start : start + size])
        taught.append(len(diary.untaught))

    assert taught == {1: [1, 2, 3, 0, 1, 2, 0, 1, 2, 0], 2: [2, 0, 2, 1, 0], 10: [0]}[size]
