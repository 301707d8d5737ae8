"""Several models side by side, as they are shown."""

import msgspec

from monitor.arms import ARMS, leaderboard
from monitor.board import Board
from monitor.exporter import registry
from monitor.summary import summed_up
from stream.records import ArmTotals, Rows, Totals

CLASSES, NUMBERS = "classification", "regression"


def board(*parts, task=CLASSES):
    """Return a board of partitions whose totals have these arms."""
    made = Board("tale", "main", (2,))
    for p, arms in enumerate(parts):
        made.feed(p, _outcomes(Totals(task, arms=arms)))
    return made


def _outcomes(totals):
    from stream.records import Outcomes

    empty = Rows(*([] for _ in msgspec.structs.fields(Rows)))
    return Outcomes(first=0, last=9, rows=empty, events=[], totals=totals)


def arm(scored, correct, fading=0.5, **more):
    """Return the totals of an arm whose fading error is that of one sample."""
    return ArmTotals(scored, correct, fading_error=fading, fading_weight=1.0, **more)


def test_the_leaderboard_pools_partitions_and_has_the_best_of_late_first():
    """Counts add up, fading errors by their weight."""
    one = {"main": arm(10, 5, 0.5, serving=True), "tree": arm(10, 9, 0.1)}
    other = {"main": arm(30, 15, 0.3), "tree": arm(30, 24, 0.5, serving=True)}

    rows = leaderboard(board(one, other).figures())

    assert rows == [
        {"arm": "tree", "scored": 40, "accuracy": 33 / 40, "fading": 0.7, "serving": 1},
        {"arm": "main", "scored": 40, "accuracy": 0.5, "fading": 0.6, "serving": 1},
    ]
    assert summed_up(board(one, other).figures())["arms"] == rows


def test_numbers_have_the_least_error_first():
    """Guesses that were not finite are scored, and have no error."""
    arms = {
        "main": ArmTotals(
            10, not_finite=2, absolute_error=16.0, fading_error=3.0, fading_weight=1.0
        ),
        "tree": ArmTotals(10, absolute_error=5.0, fading_error=1.0, fading_weight=2.0),
        "new": ArmTotals(),
    }

    rows = leaderboard(board(arms, task=NUMBERS).figures())

    assert [(row["arm"], row["mae"], row["fading"]) for row in rows] == [
        ("tree", 0.5, 0.5),
        ("main", 2.0, 3.0),
        ("new", None, None),
    ]


def test_a_model_alone_has_no_leaderboard():
    """Nothing is shown of arms where there are none."""
    assert "arms" not in summed_up(board({}).figures())


def test_each_arm_has_its_series():
    """By partition, so that they add up."""
    one = {"main": arm(10, 5, serving=True), "tree": arm(10, 9, 0.1)}
    scraped = registry(lambda: [board(one)])

    def look(name, **labels):
        here = {"stream": "tale", "learner": "main", "partition": "0"}
        return scraped.get_sample_value(f"driftline_arm_{name}", {**here, **labels})

    assert look("scored_total", arm="tree") == 10
    assert look("correct_total", arm="tree") == 9
    assert look("fading_error", arm="tree") == 0.1
    assert (look("serving", arm="main"), look("serving", arm="tree")) == (1, 0)
    assert look("absolute_error_total", arm="tree") is None


def test_names_that_are_none_of_ours_are_left_out():
    """Whoever can write outcomes cannot make series without end."""
    many = {f"a{n}": arm(1, 1) for n in range(20)} | {"what is this?": arm(1, 1)}

    rows = leaderboard(board(many).figures())

    assert len(rows) == ARMS
    assert all(row["arm"].isalnum() for row in rows)
