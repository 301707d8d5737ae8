"""Guesses in columns are the guesses a list would hold."""

import numpy as np

from learner.models.guesses import ClassGuesses

P = np.array([[0.25, 0.75, 0.0], [1 / 3, 1 / 3, 1 / 3], [float("nan"), 0.5, 0.5]])
LISTED = [
    ("b", {"a": 0.25, "b": 0.75, 7: 0.0}),
    ("a", {"a": 1 / 3, "b": 1 / 3, 7: 1 / 3}),
    (7, {"a": float("nan"), "b": 0.5, 7: 0.5}),
]


def made():
    """Return the guesses of `LISTED` in columns."""
    return ClassGuesses({"a": 0, "b": 1, 7: 2}, [1, 0, 2], P)


def test_columns_read_like_a_list():
    """Whole, in parts, one by one, and as a text."""
    assert repr(made()) == repr(LISTED)
    assert repr([*made()]) == repr(LISTED)
    assert len(made()) == 3
    assert made()[0] == LISTED[0]
    assert made()[:2] == LISTED[:2]
    assert made() != LISTED[:2]


def test_the_probability_of_a_label_is_that_of_its_class():
    """To the last bit, beside whichever guess it stands."""
    labels = ["a", 7, "b"]

    found = made().p_of(labels)

    assert found == [p[label] for (_, p), label in zip(LISTED, labels, strict=True)]
    assert {type(each) for each in found} == {float}
    assert repr(made().p_of()) == repr([p[label] for label, p in LISTED])
