import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.board import EVENTS, Board
from monitor.figures import ALL, FADING
from monitor.tally import Tally
from stream.records import NO_GUESS, NOT_FINITE
from tests.monitor.made import (
    ANOMALIES,
    CLASSES,
    NUMBERS,
    Step,
    accuracy,
    again,
    classes,
    cuts,
    last_scored,
    later,
    message,
    numbers,
    said,
)

WINDOWS = (3, 20)
RIGHT, WRONG = Step("up", "up"), Step("up", "down")


def board_of(*messages, partition=0, windows=WINDOWS):
    """Return a board that was fed these messages."""
    board = Board("tale", "main", windows)
    for each in messages:
        board.feed(partition, each)
    return board


def shown(board):
    """Return all that a board shows but rate and curve, which follow arrival."""
    figures = board.figures()
    return figures.parts, figures.pooled, figures.fading, figures.events


@given(steps=st.lists(classes(), min_size=1, max_size=80), cuts=cuts())
def test_the_cut_into_messages_does_not_show(steps, cuts):
    """However a learner cut what it said, the figures at the end are those of one message."""
    assert shown(board_of(*said(steps, cuts))) == shown(board_of(*said(steps, [])))


@given(
    steps=st.lists(classes(), min_size=1, max_size=80),
    lives=st.lists(cuts(), max_size=4),
    back=st.lists(st.integers(0, 30), min_size=4, max_size=4),
)
def test_what_is_said_again_does_not_show(steps, lives, back):
    """A learner that dies, goes back and repeats itself, cut differently, counts once."""
    assert shown(board_of(*again(steps, lives, back))) == shown(board_of(*said(steps, [])))


@given(steps=st.lists(classes(), min_size=1, max_size=80), cuts=cuts())
def test_every_accuracy_is_the_plain_one(steps, cuts):
    """Each window shows the plain share of right guesses among its last scored rows."""
    figures = board_of(*said(steps, cuts)).figures()

    for window, n in (("3", 3), ("20", 20), (ALL, 80)):
        scored = last_scored(steps, n)
        assert figures.pooled[window].scored == len(scored)
        if scored:
            assert figures.scores(window) == {"accuracy": accuracy(scored)}
            assert figures.baselines(window) == {
                "no_change": sum(not step.no_change for step in scored) / len(scored),
                "majority": sum(not step.majority for step in scored) / len(scored),
            }


@given(steps=st.lists(numbers(), min_size=1, max_size=60), cuts=cuts())
def test_every_mean_error_is_the_plain_one(steps, cuts):
    """Mean errors run over the guesses that were finite, the baselines over all scored."""
    figures = board_of(*said(steps, cuts, task=NUMBERS)).figures()

    for window, n in (("3", 3), ("20", 20), (ALL, 60)):
        scored = last_scored(steps, n)
        finite = [step.error for step in scored if step.flag != NOT_FINITE]
        assert figures.pooled[window].lost == len(scored) - len(finite)
        if finite:
            expected = {
                "mae": sum(finite) / len(finite),
                "rmse": (sum(error**2 for error in finite) / len(finite)) ** 0.5,
            }
            assert figures.scores(window) == pytest.approx(expected)
        if scored:
            no_change = sum(step.no_change for step in scored) / len(scored)
            assert figures.baselines(window)["no_change"] == pytest.approx(no_change)


@given(
    tales=st.lists(st.lists(classes(), min_size=1, max_size=30), min_size=1, max_size=4),
    cuts=cuts(),
)
def test_partitions_merge_as_sums(tales, cuts):
    """The pooled figure counts the last rows of each partition, in whatever order they came."""
    board, other = Board("tale", "main", WINDOWS), Board("tale", "main", WINDOWS)
    for p, steps in enumerate(tales):
        for each in said(steps, cuts):
            board.feed(p, each)
    for p, steps in reversed(list(enumerate(tales))):
        for each in said(steps, []):
            other.feed(p, each)

    figures = board.figures()
    assert (figures.parts, figures.pooled) == (other.figures().parts, other.figures().pooled)
    for window, n in (("3", 3), ("20", 20), (ALL, 30)):
        scored = [step for steps in tales for step in last_scored(steps, n)]
        if scored:
            assert figures.scores(window) == {"accuracy": accuracy(scored)}


def test_labels_are_compared_as_python_does():
    """True is 1 and "1" is not; a guess that was not finite is never right."""
    steps = [Step(1, True), Step(True, 1), Step("1", 1), Step(1, "1"), Step(1, 1, NOT_FINITE)]

    figures = board_of(message(steps, 0, 4)).figures()

    assert figures.pooled["20"].scored == 5
    assert figures.pooled["20"].error == 3
    assert figures.pooled["20"].lost == 1


def test_rows_without_a_guess_and_corrections_are_not_scored():
    """What has no guess is no mistake, and what is corrected was judged already."""
    steps = [RIGHT, Step("up", None, NO_GUESS), Step("up", "down", 2), WRONG]

    figures = board_of(message(steps, 0, 3)).figures()

    assert figures.pooled["20"].scored == 2
    assert figures.scores("20") == {"accuracy": 0.5}


def test_figures_stand_at_the_end_of_a_turn():
    """Until a turn's totals have come none of its rows shows: all speak of one place."""
    steps = [RIGHT, WRONG, WRONG, WRONG]
    board = board_of(message(steps, 0, 0), message(steps, 1, 2, ends=False))
    assert board.figures().scores("20") == board.figures().scores(ALL) == {"accuracy": 1.0}

    board.feed(0, message(steps, 3, 3))

    assert board.figures().scores("20") == board.figures().scores(ALL) == {"accuracy": 0.25}


def test_a_turn_that_never_ends_is_not_kept_twice():
    """A learner that dies in the same turn again and again fills no memory."""
    steps = [RIGHT] * 10
    board = board_of(*[message(steps, 0, 4, ends=False) for _ in range(50)])

    assert len(board._tallies[0]._held) == 1


def test_what_a_dead_life_said_beyond_the_turn_is_left_for_its_repetition():
    """A longer message from before the crash does not carry the figures past the totals."""
    steps = [RIGHT] * 8 + [Step("up", "down", events=["drift"]), RIGHT]
    board = board_of(message(steps, 0, 8, ends=False), message(steps, 7, 7))
    assert board.figures().pooled["20"].scored == board.figures().count("scored") == 8
    assert board.figures().events == []

    board.feed(0, message(steps, 8, 9))

    assert board.figures().pooled["20"].scored == 10
    assert [it.offset for it in board.figures().events] == [8]


def test_older_totals_are_ignored():
    """Totals of a place that was passed already change nothing."""
    steps = [RIGHT, WRONG, RIGHT, WRONG]
    board = board_of(message(steps, 0, 3))
    before = shown(board)

    board.feed(0, message(steps, 0, 1))
    board.feed(0, message(steps, 2, 2))

    assert shown(board) == before


def test_several_events_of_one_offset_are_all_kept():
    """An offset can bring a drift and the reset that answers it; both are said once."""
    steps = [RIGHT, Step("up", "down", events=["drift", "reset"]), RIGHT]
    board = board_of(message(steps, 0, 1), message(steps, 1, 2))

    noted = board.figures().events
    assert [(it.offset, it.kind, it.details, it.scored) for it in noted] == [
        (1, "drift", {"place": 0}, 2),
        (1, "reset", {"place": 1}, 2),
    ]


def test_events_stand_where_they_happened_along_the_curve():
    """An event knows how many rows had been scored by then, in all partitions."""
    steps = [RIGHT] * 4 + [Step("up", "down", events=["drift"])] + [RIGHT] * 5
    board = board_of(message([RIGHT] * 7, 0, 6), partition=1)

    board.feed(0, message(steps, 0, 9))

    assert [it.scored for it in board.figures().events] == [7 + 5]


def test_only_the_latest_events_are_kept():
    """However many drifts there are, a board stays small."""
    steps = [Step("up", "up", events=["drift"]) for _ in range(EVENTS + 7)]

    figures = board_of(*said(steps, [(10, True)] * 20)).figures()

    assert [it.offset for it in figures.events] == list(range(7, EVENTS + 7))
    assert figures.count("drifts") == EVENTS + 7


def test_fading_is_error_by_weight():
    """The fading accuracy follows from the totals' sums, added over partitions."""
    board = board_of(message([RIGHT], 0, 0))
    board.feed(1, message([WRONG, RIGHT], 0, 1))

    (value,) = board.figures().scores(FADING).values()

    assert value == pytest.approx(1 - 0.999 / (1 + 1.999))


def test_another_task_begins_new_windows():
    """Errors of classes and of numbers are never averaged together."""
    board = board_of(message([RIGHT, WRONG], 0, 1, task=CLASSES))

    board.feed(0, message([Step(), Step(), Step(2.0, 5.0)], 2, 2, task=NUMBERS))

    assert board.figures().scores("20") == {"mae": 3.0, "rmse": 3.0}


def test_a_replaced_learner_shows_its_own_totals():
    """Totals that begin anew further on are the truth, though smaller."""
    steps = [RIGHT, WRONG]
    board = board_of(message(steps, 0, 1))
    fresh = message([RIGHT], 0, 0)
    fresh.first = fresh.last = 7
    fresh.rows.offset = [7]

    board.feed(0, fresh)

    assert board.figures().count("scored") == 1
    assert board.figures().pooled["20"].scored == 3
    assert board.curve().x == [1]


@pytest.mark.parametrize("size", [1, 4, 9])
def test_a_replaced_learner_is_told_from_the_old_one_however_much_it_says_at_first(size):
    """Its samples all count for the rate, and the mistakes shown are its own."""
    board = Board("tale", "main", WINDOWS, clock=lambda: 0.0)
    fresh = later(said([RIGHT] * 9, [(size, True)]), 4)
    for each in (*said([WRONG] * 4, []), *fresh):
        board.feed(0, each)

    assert board.figures().rate == 4 + 9
    assert board.misses() == []


@given(
    steps=st.lists(classes(), min_size=1, max_size=80),
    lives=st.lists(cuts(), max_size=4),
    back=st.lists(st.integers(0, 30), min_size=4, max_size=4),
)
def test_a_learner_that_says_something_again_is_none_begun_anew(steps, lives, back):
    """It goes on from its checkpoint, and keeps its curve."""
    tally = Tally(0, 20)
    for each in again(steps, lives, back):
        tally.feed(each)
        assert not tally.anew


@pytest.mark.parametrize(
    ("task", "column", "values"),
    [
        (NUMBERS, "y", ["one", 2.0]),
        (NUMBERS, "y_pred", [None, 2.0]),
        (NUMBERS, "y_pred", ["one", 2.0]),
        (ANOMALIES, "y", ["yes", True]),
        (ANOMALIES, "y_pred", ["high", 1.0]),
        *((task, "y", [1]) for task in (CLASSES, NUMBERS, ANOMALIES)),
        *((task, "p_true", [0.5] * 3) for task in (CLASSES,)),
        *((task, "flag", [0]) for task in (CLASSES, NUMBERS)),
        (CLASSES, "majority_error", []),
    ],
)
def test_rows_that_no_learner_says_are_refused_whole(task, column, values, caplog):
    """Words for numbers, or columns of unequal length, are counted, and no window has them."""
    steps = {CLASSES: RIGHT, NUMBERS: Step(1.0, 2.0), ANOMALIES: Step(True, 0.5)}
    board = board_of(message([steps[task]] * 2, 0, 1, task=task))
    before = board.figures()
    stranger = message([steps[task]] * 4, 2, 3, task=task)
    setattr(stranger.rows, column, values)

    board.feed(0, stranger)
    board.feed(0, message([steps[task]] * 5, 4, 4, task=task))

    after = board.figures()
    assert (before.refused, after.refused) == (0, 1)
    assert after.pooled["20"].scored == before.pooled["20"].scored + 1
    assert "refused=rows[0]@2..3" in caplog.text


def test_a_turn_that_never_ends_is_let_go_of(monkeypatch):
    """Whoever says rows for ever, and no totals, does not fill the memory; it is counted."""
    monkeypatch.setattr("monitor.tally.HELD", 50)
    steps = [RIGHT] * 400
    board = Board("tale", "main", WINDOWS)
    for first in range(0, 300, 10):
        board.feed(0, message(steps, first, first + 9, ends=False))
        assert len(board._tallies[0]._held) <= 5
    assert board.figures().refused == 5

    board.feed(0, message(steps, 300, 399))

    assert board.figures().parts[0].totals.scored == 400
