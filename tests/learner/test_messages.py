"""A turn becomes messages that any log can carry."""

import json
import random
from itertools import pairwise

import pytest

from learner.messages import outcomes_of
from stream.records import Outcomes, decode_outcomes
from tests.learner.told import learner, sample, tell

LIMIT = 512 * 1024


def said(learner, turn):
    """Return the messages of a turn, and what they say."""
    messages = outcomes_of(turn, learner.totals)
    return messages, [decode_outcomes(message) for message in messages]


def check(turn, messages, told, *, limit=LIMIT):
    """Check what is promised of all messages of a turn."""
    assert all(len(message) <= limit for message in messages)
    assert told[0].first == turn.first
    assert told[-1].last == turn.next - 1
    for before, after in pairwise(told):
        assert after.first == before.last + 1
    for message in told:
        assert all(message.first <= offset <= message.last for offset in message.rows.offset)
        assert all(message.first <= event[0] <= message.last for event in message.events)
    offsets = [offset for message in told for offset in message.rows.offset]
    assert offsets == [row[0] for row in turn.rows]
    assert [tuple(e) for m in told for e in m.events] == [tuple(e) for e in turn.events]
    assert [m.totals is None for m in told] == [True] * (len(told) - 1) + [False]


def test_a_small_turn_is_one_message():
    """Every column is there, and is what JSON made of it."""
    diary = learner(policy="none")
    turn = tell(
        diary, sample(1, 0, a=1), {"mark": "drift", "kind": "abrupt"}, sample(2, 1, a=1)
    )

    (message,), told = said(diary, turn)

    check(turn, [message], told)
    columns = json.loads(message)["rows"]
    assert columns["id"] == [1, 2]
    assert columns["y_pred"] == [row[5] for row in turn.rows]
    assert {len(column) for column in columns.values()} == {2}
    assert told[0].events == [(1, "mark", {"mark": "drift", "kind": "abrupt"})]
    assert isinstance(told[0], Outcomes)


def test_a_turn_without_rows_is_said_too():
    """How far the learner has come is news."""
    diary = learner(policy="none")
    turn = tell(diary, {"id": 1, "forget": True})

    messages, told = said(diary, turn)

    check(turn, messages, told)
    assert (told[0].first, told[0].last) == (0, 0)


@pytest.mark.parametrize("many", [2, 5000])
def test_long_labels_are_cut_to_size(many):
    """Ranges join up, each row comes once, and the totals come last."""
    chance = random.Random(1)
    diary = learner("river.dummy.NoChangeClassifier", policy="none")
    labels = [f"{i:0200}" for i in range(many)]
    turn = tell(diary, *(sample(i, chance.choice(labels), a=1) for i in range(5000)))

    messages, told = said(diary, turn)

    check(turn, messages, told)
    assert len(messages) > 2
    counted = sum(sum(row.values()) for row in told[-1].totals.confusion.values())
    assert counted == diary.totals.scored == 4999


def test_many_marks_are_cut_to_size():
    """A turn that has no rows to be cut at has events."""
    diary = learner(policy="none")
    marks = [{"mark": "drift", "note": "n" * 2000} for _ in range(1000)]
    turn = tell(diary, *marks)

    messages, told = said(diary, turn)

    check(turn, messages, told)


def test_a_figure_too_large_for_a_float_never_makes_a_message_unreadable():
    """JSON has no infinity: what is squared and summed must stay below it."""
    model = learner("linear", policy="none")
    turn = tell(
        model,
        sample(1, 1.0, n=1.0),
        sample(2, 1e200, n=1.0),
        sample(3, -1.7e308, n=1.0),
        sample(4, 1.7e308, n=1.0),
        sample(5, 1.0, n=1e99),
        sample(6, 1.0, n=1.0),
    )

    messages, told = said(model, turn)

    check(turn, messages, told)
    assert told[-1].totals.labelled >= 3


def test_what_a_model_guesses_that_is_no_number_is_null_and_flagged():
    """It is counted, and never right."""
    model = learner(
        ["river.preprocessing.MinMaxScaler", "river.linear_model.LinearRegression"],
        policy="none",
    )
    turn = tell(
        model, *(sample(i, 1.0, n=1.0 if i < 2 else 1e308 * (-1) ** i) for i in range(6))
    )

    messages, told = said(model, turn)

    check(turn, messages, told)
    flagged = [flag == 3 for flag in told[0].rows.flag]
    assert [guess is None for guess in told[0].rows.y_pred] == flagged
    assert told[0].totals.not_finite == sum(flagged)
