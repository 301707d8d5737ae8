"""The sums behind the figures are River's own, wherever the rows were cut."""

import copy
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from river import dummy, metrics, stats

from learner.scores import Scores
from stream.records import MAX_CLASSES, NO_GUESS, NOT_FINITE, OTHER, SCORED, encode

LABELS = st.sampled_from([0, 1, True, "1", "a", "b"])
ROWS = st.lists(
    st.tuples(LABELS, LABELS, st.sampled_from([SCORED] * 6 + [NO_GUESS, NOT_FINITE])),
    max_size=60,
)
NUMBERS = st.floats(-1e6, 1e6)
MEASURES = st.lists(
    st.tuples(NUMBERS, NUMBERS, st.sampled_from([SCORED] * 6 + [NO_GUESS, NOT_FINITE])),
    max_size=60,
)


def columns(rows):
    """Return rows of label, guess and flag in columns; where there is no guess, None."""
    rows = [(y, None if flag == NO_GUESS else guess, flag) for y, guess, flag in rows]
    return [list(column) for column in zip(*rows, strict=True)] or [[], [], []]


def summed(task, rows, cuts=()):
    """Return the totals of rows that come in turns, and the errors of the baselines."""
    scores, errors = Scores(task), []
    for start, stop in zip([0, *cuts], [*cuts, len(rows)], strict=True):
        errors += zip(*scores.update(*columns(rows[start:stop])), strict=True)
    return scores.snapshot(), errors


@given(rows=ROWS)
def test_what_is_right_is_right_to_river(rows):
    """Accuracy and the confusion count what River's count; no guess counts nowhere."""
    totals, _ = summed("classification", rows)

    accuracy, confusion = metrics.Accuracy(), metrics.ConfusionMatrix()
    for y, guess, flag in rows:
        if flag == SCORED:
            accuracy.update(y, guess)
            confusion.update(y, guess)
    scored = sum(flag == SCORED for _, _, flag in rows)
    assert totals.correct == round(accuracy.get() * scored)
    assert totals.scored == sum(flag != NO_GUESS for _, _, flag in rows)
    assert sum(sum(row.values()) for row in totals.confusion.values()) == scored
    texts = {0: "0", "1": '"1"', "a": '"a"', "b": '"b"'}
    appeared = [(y, text) for y, text in texts.items() if y in {y for y, _, _ in rows}]
    for y, text in appeared:
        for guess, under in appeared:
            assert totals.confusion.get(text, {}).get(under, 0) == confusion.data[y][guess]


@given(rows=MEASURES)
def test_errors_are_river_s_to_the_last_digit(rows):
    """MAE and RMSE are running means, updated as River does it."""
    totals, _ = summed("regression", rows)

    mae, rmse = metrics.MAE(), metrics.RMSE()
    for y, guess, flag in rows:
        if flag == SCORED:
            mae.update(y, guess)
            rmse.update(y, guess)
    assert totals.mae == mae.get()
    assert totals.mse**0.5 == rmse.get()


@given(rows=ROWS)
def test_baselines_are_river_s_dummies(rows):
    """The last label and the most frequent one, each wrong at the very first."""
    totals, errors = summed("classification", rows)

    last, prior = dummy.NoChangeClassifier(), dummy.PriorClassifier()
    expected = []
    for y, _, _ in rows:
        expected.append((int(last.predict_one({}) != y), int(prior.predict_one({}) != y)))
        last.learn_one({}, y)
        prior.learn_one({}, y)
    assert errors == expected
    kept = [e for e, (_, _, flag) in zip(expected, rows, strict=True) if flag != NO_GUESS]
    assert totals.no_change_error == sum(no_change for no_change, _ in kept)
    assert totals.majority_error == sum(majority for _, majority in kept)


@given(rows=MEASURES)
def test_baselines_of_numbers_are_the_last_and_the_mean(rows):
    """Both begin at 0, as River's statistics do."""
    _, errors = summed("regression", rows)

    mean, last = dummy.StatisticRegressor(stats.Mean()), 0.0
    for (y, _, _), (no_change, majority) in zip(rows, errors, strict=True):
        assert no_change == abs(y - last)
        assert majority == pytest.approx(abs(y - mean.predict_one({})), rel=1e-9, abs=1e-6)
        mean.learn_one({}, y)
        last = y


@given(data=st.data(), task=st.sampled_from(["classification", "regression"]))
def test_where_rows_are_cut_does_not_show(data, task):
    """The totals are the same to the last byte, and so is every error."""
    rows = data.draw(ROWS if task == "classification" else MEASURES)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(rows)), max_size=5)))

    whole, cut = summed(task, rows), summed(task, rows, cuts)

    assert encode(cut[0]) == encode(whole[0])
    assert cut[1] == whole[1]


@pytest.mark.parametrize("size", [1, 7, 100, 1000])
def test_classes_beyond_the_fiftieth_are_other(size):
    """The first fifty to appear have a row of their own, all others share one."""
    chance = random.Random(2)
    rows = [(f"c{i}", f"c{(i + 1) % 80}", SCORED) for i in range(80)]
    names = [f"c{chance.randrange(80)}" for _ in range(1800)]
    rows += [(y, guess, SCORED) for y, guess in zip(names[::2], names[1::2], strict=True)]

    totals, _ = summed("classification", rows, range(size, len(rows), size))

    assert len(totals.confusion) == MAX_CLASSES + 1
    assert '"c49"' in totals.confusion
    assert '"c50"' not in totals.confusion
    rest = sum(int(y[1:]) >= 50 for y, _, _ in rows)
    assert sum(totals.confusion[OTHER].values()) == rest
    assert totals.correct == sum(y == guess for y, guess, _ in rows)
    assert sum(sum(row.values()) for row in totals.confusion.values()) == len(rows)


def test_a_guess_of_a_class_that_never_came_has_its_own_name():
    """A model that was told its classes beforehand may guess what has not come yet."""
    totals, _ = summed("classification", [("a", "b", SCORED), ("a", "a", SCORED)])

    assert totals.confusion == {'"a"': {'"b"': 1, '"a"': 1}}


def test_other_does_not_hide_a_class_of_that_name():
    """The text of a class has its quotes."""
    totals, _ = summed("classification", [(OTHER, OTHER, SCORED)])

    assert totals.confusion == {'"other"': {'"other"': 1}}


def test_the_fading_error_forgets():
    """After many right guesses an old mistake weighs next to nothing."""
    rows = [("a", "b", SCORED)] * 100 + [("a", "a", SCORED)] * 10_000

    totals, _ = summed("classification", rows)

    assert totals.fading_error / totals.fading_weight < 1e-4
    weight = sum(0.999**n for n in range(10_100))
    assert totals.fading_weight == pytest.approx(weight)


def test_a_snapshot_stays_what_it_was():
    """What was counted before is not counted twice by looking."""
    scores = Scores("classification")
    scores.update(["a"], ["a"], [SCORED])

    first = copy.deepcopy(scores.snapshot())

    assert scores.snapshot() == first


def test_long_names_of_classes_are_not_said_without_end():
    """Each stands in the confusion often, and a message has its bounds."""
    labels = ["🦀" * 60 + str(n) for n in range(51)]
    scores = Scores("classification")
    scores.update(labels * 51, [y for y in labels for _ in range(51)], [SCORED] * 51**2)

    totals = scores.snapshot()

    assert len(encode(totals)) < 200_000
    assert sum(sum(row.values()) for row in totals.confusion.values()) == 51**2
    assert OTHER in totals.confusion


def test_a_number_of_a_label_is_the_same_wherever_the_stream_is_cut():
    """Also a whole 0, which is no missing label."""
    ys, guesses, flags = [0, 3], [1.0, 1.0], [SCORED] * 2
    once, twice = Scores("regression"), Scores("regression")

    together, _ = once.update(ys, guesses, flags)
    apart = [
        e for y, g in zip(ys, guesses, strict=True) for e in twice.update([y], [g], [0])[0]
    ]

    assert [*map(repr, together)] == [*map(repr, apart)]


def test_a_stream_of_ever_new_labels_is_bounded(monkeypatch):
    """What is kept of labels has an end; until there the majority is that of all labels."""
    monkeypatch.setattr("learner.scores._SEEN", 100)
    sums = Scores("classification")
    ys = ["a", *map(str, range(5000)), "a", "a"]
    _, majority = sums.update(ys, ys, [0] * len(ys))

    assert len(sums._seen) == len(sums._rank) == 100
    assert len(sums._pairs) <= 51 * 51
    # Wrong wherever the label was not the first one, which came more often than any other.
    assert majority == [1, *[1] * 5000, 0, 0]
