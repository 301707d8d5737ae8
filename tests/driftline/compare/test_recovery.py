"""What a drift cost, and for how long: on courses whose answer is known."""

import math

import pytest

from driftline.compare.recovery import after_drifts, false_alarms
from driftline.compare.series import curve

MARK = {"mark": "drift", "kind": "abrupt", "at": 1000}


def after(errors, events, window=100, *, classes=True):
    """Return what came after the drifts of a course whose offsets are those of a list."""
    places = range(len(errors))
    return after_drifts(places, places, errors, events, window=window, classes=classes)


def every(n, length):
    """Return errors of which every n-th is a mistake."""
    return [float(i % n == 0) for i in range(length)]


def test_a_fall_is_lost_until_it_is_made_good():
    """From 90 % to 50 for 300 samples, and back: all four figures follow."""
    errors = every(10, 1000) + every(2, 300) + every(10, 700)
    (drift,) = after(errors, [(1000, "mark", MARK), (1020, "drift", {})])
    assert (drift.at, drift.kind, drift.width) == (1000, "abrupt", 1)
    assert drift.before == pytest.approx(0.9)
    assert drift.lost == pytest.approx(0.4)
    # Over 50 samples 95 % of 0.9 is at most 7 mistakes: 46 good ones behind the bad.
    assert 300 < drift.recovery <= 350
    means = [sum(errors[k - 50 : k]) / 50 for k in range(1050, 2001)]
    fell = next(i for i, mean in enumerate(means) if mean > 1 - 0.95 * 0.9)
    back = next(i for i in range(fell, len(means)) if means[i] <= 1 - 0.95 * 0.9)
    assert drift.recovery == 50 + back
    assert drift.extra == pytest.approx(sum(errors[1000:]) - 100)
    assert (drift.delay, drift.alarms) == (21, 1)


def test_what_never_falls_is_back_at_once_and_what_stays_down_never():
    """0 samples, and None."""
    (calm,) = after(every(10, 2000), [(1000, "mark", MARK)])
    assert (calm.recovery, calm.delay, calm.alarms) == (0, None, 0)
    assert calm.lost == pytest.approx(0.0)
    (down,) = after(every(10, 1000) + every(2, 1000), [(1000, "mark", MARK)])
    assert down.recovery is None


def test_the_next_drift_ends_the_time_of_the_one_before():
    """Nothing of it counts for the first, and the first is over before the second's window."""
    errors = every(10, 1000) + every(2, 200) + every(10, 800)
    events = [(1000, "mark", MARK), (1200, "mark", MARK)]
    one, two = after(errors, events)
    assert one.recovery is None
    assert one.extra == pytest.approx(80)
    assert two.before == pytest.approx(0.5)
    assert two.recovery == 0


def test_what_was_before_never_reaches_back_beyond_the_drift_before():
    """Two drifts within a window of one another have little between them."""
    errors = every(10, 1000) + every(2, 60) + every(10, 940)
    _, two = after(errors, [(1000, "mark", MARK), (1060, "mark", MARK)])
    assert two.before == pytest.approx(0.5)


@pytest.mark.parametrize(("window", "last"), [(300, 600), (100, 500)])
def test_an_alarm_is_of_a_drift_from_its_first_sample_to_two_windows_later(window, last):
    """Or to 500 samples later; one on the sample before is false, and so is one after that."""
    events = [(1000, "mark", MARK)]
    for at, delay in ((999, None), (1000, 1), (999 + last, last), (1000 + last, None)):
        told = sorted([*events, (at, "drift", {})], key=lambda event: event[0])
        (drift,) = after(every(10, 2000), told, window)
        assert (at, drift.delay) == (at, delay)


def test_a_gradual_drift_begins_half_its_width_before_its_mark():
    """And alarms are in time until 500 samples after its end."""
    errors = every(10, 900) + every(2, 200) + every(10, 900)
    gradual = {**MARK, "kind": "gradual", "width": 200}
    alarms = [(at, "drift", {}) for at in (890, 950, 1590, 1605)]
    (drift,) = after(errors, sorted([(1000, "mark", gradual), *alarms], key=lambda e: e[0]))
    assert (drift.delay, drift.alarms) == (51, 2)
    assert 200 < drift.recovery <= 250
    assert false_alarms(len(alarms), [drift]) == 2


def test_an_error_of_numbers_is_lost_by_its_rise():
    """In the label's unit, and back at the 20th part more."""
    errors = [2.0] * 1000 + [10.0] * 100 + [2.0] * 900
    (drift,) = after(errors, [(1000, "mark", MARK)], classes=False)
    assert (drift.before, drift.lost) == (2.0, 8.0)
    assert drift.recovery == 150
    assert drift.extra == pytest.approx(800)


@pytest.mark.parametrize("huge", [1e17, 1e100])
def test_one_huge_error_wipes_out_nothing_that_comes_after_it(huge):
    """Nor does one that is tiny: all figures are those of the others alone."""
    calm = [0.1] * 999 + [0.7] * 1000
    (expected,) = after([0.1, *calm], [(1000, "mark", MARK)], classes=False)
    assert (expected.before, expected.lost) == pytest.approx((0.1, 0.6))
    for first in (huge, 5e-324):
        assert after([first, *calm], [(1000, "mark", MARK)], classes=False) == [expected]


@pytest.mark.parametrize("held", [1, 40, 1500])
def test_labels_held_back_move_no_drift(held):
    """The mark stands among the samples; the same is lost, and the alarm is no false one."""
    errors = every(10, 1000) + every(2, 300) + every(10, 700)
    # One offset a record: a question each, and so many later its label; then those left.
    of, places = [], []
    for n in range(2000 + held):
        of += [len(of) + len(places)] if n < 2000 else []
        places += [len(of) + len(places)] if n >= held else []
    told = [(of[1000], "mark", MARK), (places[1020], "drift", {})]

    late = after_drifts(places, of, errors, sorted(told), window=100, classes=True)

    assert late == after(errors, [(1000, "mark", MARK), (1020, "drift", {})])
    assert (late[0].at, late[0].delay, false_alarms(1, late)) == (1000, 21, 0)


def test_where_labels_come_in_any_order_the_samples_before_a_mark_are_counted():
    """Those that came before it, wherever they are scored."""
    of = [*range(0, 2000, 2), *range(1999, 0, -2)]
    places = range(3000, 5000)
    (drift,) = after_drifts(
        *(places, of, every(10, 2000), [(700, "mark", MARK)]), window=100, classes=True
    )
    assert drift.at == 700


def test_a_model_that_gives_no_guess_has_fallen():
    """As one that begins anew and learns by grains of 256; time goes on meanwhile."""
    errors = every(10, 1000) + [math.nan] * 256 + every(10, 744)
    (drift,) = after(errors, [(1000, "mark", MARK)])
    assert drift.lost == pytest.approx(0.1, abs=0.11)
    assert 256 < drift.recovery < 330
    points = curve([(errors, errors, errors)], 100, classes=True)
    assert points[10].model is None
    assert points[9].model == pytest.approx(0.9)
    assert [point.samples for point in points] == list(range(100, 2001, 100))


@pytest.mark.parametrize("width", [None, -3, "x", True, 2**50, 1.5])
def test_a_mark_of_somebody_else_breaks_nothing(width):
    """Whatever it says of its width; one that is no drift is none."""
    events = [(500, "mark", {"mark": "drift", "width": width}), (700, "mark", {"mark": "x"})]
    (drift,) = after(every(10, 1000), events)
    assert (drift.at, drift.width, drift.kind) == (500, 1, "")


def test_a_drift_at_the_very_beginning_or_end_has_no_figures():
    """There is no before, or no after; its alarms count all the same."""
    first, last = after(
        every(10, 1000), [(0, "mark", MARK), (30, "drift", {}), (990, "mark", MARK)]
    )
    assert (first.before, first.lost, first.recovery, first.extra) == (None,) * 4
    assert (first.delay, first.alarms) == (31, 1)
    assert (last.before, last.recovery) == (None, None)
