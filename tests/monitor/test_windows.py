import math
from unittest import mock

from hypothesis import given
from hypothesis import strategies as st

from monitor.rate import Rate
from monitor.sums import Sums, baselines, merged, scores, total
from monitor.windows import Window

LONGEST = 8

values = st.lists(st.floats(0, 1e9), max_size=60)
pieces = st.lists(st.integers(0, 7), max_size=40)
lengths = st.integers(1, LONGEST)


def filled(longest, errors, pieces=(), lost=None):
    """Return a window that was given the errors in pieces of these sizes, then the rest."""
    window, start = Window(longest), 0
    lost = lost or [0] * len(errors)
    for size in (*pieces, len(errors)):
        part, gone = errors[start : start + size], lost[start : start + size]
        window.extend(
            part,
            part,
            part,
            no_change=[2 * e for e in part],
            majority=[3 * e for e in part],
            lost=gone,
        )
        start += size
    return window


@given(right=st.lists(st.booleans(), min_size=1), pieces=pieces, n=lengths)
def test_accuracy_is_the_plain_share_of_the_last_n(right, pieces, n):
    """However it was filled, a window's accuracy is right / n to the last digit."""
    window = filled(LONGEST, [not hit for hit in right], pieces)

    expected = sum(right[-n:]) / len(right[-n:])
    assert scores(window.last(n), regression=False) == {"accuracy": expected}


@given(errors=values, pieces=pieces, n=lengths)
def test_mean_errors_are_those_of_the_last_n(errors, pieces, n):
    """Sums are rounded once, whatever has gone through the window before."""
    sums = filled(LONGEST, errors, pieces).last(n)

    last = errors[-n:]
    assert sums.scored == len(last)
    assert sums.error == math.fsum(last)
    assert sums.squared == math.fsum(e * e for e in last)
    assert sums.no_change == math.fsum(2 * e for e in last)
    assert sums.majority == math.fsum(3 * e for e in last)
    if last:
        assert scores(sums, regression=True)["mae"] == math.fsum(last) / len(last)


@given(lost=st.lists(st.booleans(), max_size=60), pieces=pieces, n=lengths)
def test_lost_rows_leave_with_their_window(lost, pieces, n):
    """A guess that was not finite counts for as long as its row is in the window."""
    window = filled(LONGEST, [0.0] * len(lost), pieces, lost)

    assert window.last(n).lost == sum(lost[-n:])


def test_a_window_keeps_no_more_than_twice_its_length():
    """What has left the longest window leaves the memory too."""
    window = Window(10)

    for _ in range(1000):
        window.extend([1, 0, 1], [0, 0, 0], [1, 0, 1], no_change=[0] * 3, majority=[0] * 3)
        assert len(window._errors) <= 20
    assert len(window) == window.last(100).scored == 10


@given(parts=st.lists(st.lists(st.integers(0, 1), max_size=20), max_size=5))
def test_windows_merge_as_sums(parts):
    """The pooled accuracy is that of all parts' rows thrown together."""
    pooled = merged(filled(20, part).last(20) for part in parts)

    everything = [error for part in parts for error in part]
    assert pooled.scored == len(everything)
    assert pooled.error == sum(everything)


def test_nothing_scored_has_no_accuracy():
    """Of no rows there is no mean: neither 0 nor NaN."""
    assert scores(Sums(), regression=False) == {}
    assert scores(Sums(), regression=True) == {}
    assert scores(Sums(scored=2, lost=2), regression=True) == {}
    assert baselines(Sums(), regression=True) == {}
    assert merged([]) == Sums()


def test_errors_beyond_a_float_are_infinite():
    """A model that diverges shows as infinity and stops nothing."""
    window = filled(5, [1e308, 1e308])

    assert total([1e308, 1e308]) == math.inf
    assert scores(window.last(5), regression=True) == {"mae": math.inf, "rmse": math.inf}


def test_the_rate_counts_the_last_ten_seconds():
    """What came more than ten seconds ago is forgotten, and so is its memory."""
    now = [0.0]
    rate = Rate(lambda: now[0])

    rate.add(50)
    assert rate.read() == 50.0
    for _ in range(100_000):
        now[0] += 0.001
        rate.add(1)
    assert 950 < rate.read() < 1050
    assert len(rate._came) < 1200
    now[0] += 60
    assert rate.read() == 0.0


@given(
    rows=st.lists(
        st.tuples(st.text(max_size=1), st.integers(0, 3), st.none() | st.floats(0, 1)),
        max_size=60,
    ),
    pieces=pieces,
    n=lengths,
    many=st.sampled_from([0, 1000]),
)
def test_the_rows_of_a_window_are_the_last_ones(rows, pieces, n, many):
    """Labels, guesses and probabilities come back, also when old classes were forgotten."""
    window, start = Window(LONGEST), 0
    with mock.patch("monitor.windows._MANY", many):
        for size in (*pieces, len(rows)):
            y, guess, p = ([row[k] for row in rows[start : start + size]] for k in range(3))
            nothing = [0.0] * len(y)
            window.extend(
                y, guess, nothing, no_change=nothing, majority=nothing, p_true=p, p_pred=p
            )
            start += size

    recent = window.recent().last(n)
    last = rows[-n:]
    assert [recent.keys[code] for code in recent.y] == [row[0] for row in last]
    assert [recent.keys[code] for code in recent.guess] == [row[1] for row in last]
    for column in (recent.p_true, recent.p_pred):
        assert [None if math.isnan(p) else p for p in column] == [row[2] for row in last]
    assert len(recent.lost) == len(recent.errors) == len(last)
