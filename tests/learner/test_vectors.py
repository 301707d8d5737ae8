"""Dicts become rows of numbers, each alike whatever stands beside it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from learner.models.build import build
from learner.models.vectors import LARGEST, Vectorizer
from tests.learner.told import learner, sample, tell

VALUES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["", "red", "7", "1e3", "nan", "inf"])
)
SAMPLES = st.lists(st.dictionaries(st.sampled_from("abcd"), VALUES), min_size=1, max_size=8)


def test_columns_come_in_order_of_first_appearance():
    """Numbers first, then a column for each text of a feature."""
    xs = [{"n": 1, "color": "red"}, {"m": True, "n": 2.5}, {"color": "blue", "n": None}]

    array = Vectorizer(xs).transform(xs)

    nan = np.nan
    expected = [[1, nan, 1, 0], [2.5, 1, 0, 0], [nan, nan, 0, 1]]
    np.testing.assert_array_equal(array, expected)


def test_what_comes_late_is_ignored_and_counted_once():
    """A new feature, a new text, a text for a number: counted only when it is learned."""
    vectorizer = Vectorizer([{"n": 1, "color": "red"}])
    late = [{"n": 1, "color": "green"}, {"n": "two", "color": "red"}, {"n": 1, "x": 5}]

    asked = vectorizer.transform(late)
    assert vectorizer.late == 0
    learned = vectorizer.transform(late, count=True)

    np.testing.assert_array_equal(asked, learned)
    np.testing.assert_array_equal(learned, [[1, 0], [np.nan, 1], [1, 0]])
    assert vectorizer.late == 3


@pytest.mark.parametrize("first", [[{"n": 1.0, "m": 2.0}], [{"n": 1.0}]])
def test_a_text_that_looks_like_a_number_is_a_text(first):
    """It is ignored and counted, alone and in company."""
    vectorizer = Vectorizer(first)
    row = dict.fromkeys(first[0], "12")

    array = vectorizer.transform([row], count=True)

    assert np.isnan(array).all()
    assert vectorizer.late == len(row)


def test_numbers_that_would_spoil_a_scaler_are_cut():
    """Their squares must stay finite."""
    vectorizer = Vectorizer([{"n": 1.0, "m": 1.0}])

    for row in ({"n": 1e300, "m": -1e300}, {"n": 1e300, "m": -1e300, "late": 1}):
        np.testing.assert_array_equal(vectorizer.transform([row]), [[LARGEST, -LARGEST]])


@given(first=SAMPLES, xs=SAMPLES)
def test_a_row_does_not_depend_on_its_neighbours(first, xs):
    """Each alone gives what all give together, to the last bit, and as many come late."""
    together, alone = Vectorizer(first), Vectorizer(first)

    rows = together.transform(xs, count=True)

    one_by_one = np.concatenate([alone.transform([x], count=True) for x in xs])
    assert rows.tobytes() == one_by_one.tobytes()
    assert together.late == alone.late
    assert rows.shape == (len(xs), together.columns)


@pytest.mark.parametrize(
    ("model", "scaling"), [("sgd", None), ("sgd", "minmax"), ("bernoulli-nb", None)]
)
@pytest.mark.parametrize("first", [True, False])
def test_a_column_may_be_missing_from_a_whole_grain(model, scaling, first):
    """What was known of it is known again as soon as it has values."""
    model = build(model, seed=1, classes=[0, 1], scaling=scaling)
    ys = [0, 1] * 20
    there = [{"n": 10.0 * y + i % 3, "m": 1.0} for i, y in enumerate(ys)]
    gone = [{"n": None, "m": 1.0}] * 40

    for page in ([gone, there] if first else [there, gone]) * 5 + [there] * 5:
        model.learn(page, ys)

    guesses = [label for label, _ in model.guess_many(there)]
    assert guesses == ys


def test_values_that_came_late_outlive_a_reset():
    """The count is the learner's, not the model's."""
    model = learner(
        "sgd", classes=(0, 1), grain=4, detector="tests.doubles.FourthMistake", direction="any"
    )
    for start in range(0, 80, 4):
        tell(model, *(sample(i, (i + start // 4) % 2, n=1.0) for i in range(start, start + 3)))
        tell(model, sample(start + 3, 0, n=1.0, **({"late": 1} if start else {})))

    assert model.totals.resets > 0
    assert model.totals.late_features > model.policy.model.late_features
    assert model.totals.late_features <= 19
