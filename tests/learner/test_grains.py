"""A grain taken side by side is the grain taken one by one."""

import pytest

from learner import learner as learner_module
from learner.grains import columns_of
from stream.records import Record
from tests.learner.told import learner, reasons, sample, tell

SAMPLES = [sample(i, (i * i // 7) % 2, ts=float(i), a=i % 5, b=(i % 3) / 3) for i in range(200)]
NUMBERS = [sample(i, (i % 11) / 2, a=i % 5, b=(i % 3) / 3) for i in range(200)]
TWO = {"classes": (0, 1), "policy": "reset"}
KINDS = [
    (SAMPLES, {"model": "sgd", **TWO}),
    (SAMPLES, {"model": "sklearn.linear_model.Perceptron", **TWO}),
    (SAMPLES, {"model": "naive-bayes", "policy": "none"}),
    (SAMPLES, {"model": "half-space-trees", "policy": "none"}),
    (NUMBERS, {"model": "sgd-regressor", "policy": "reset"}),
    (NUMBERS, {"model": "tree-regressor", "policy": "none"}),
]


@pytest.mark.parametrize(
    ("records", "settings"), KINDS, ids=lambda it: it["model"] if isinstance(it, dict) else "on"
)
@pytest.mark.parametrize("odd", [None, "question", "no-id", "label", "text"])
def test_how_a_grain_is_taken_shows_nowhere(records, settings, odd, monkeypatch):
    """Not in rows, events, sums or dead letters, whatever stands among its samples."""
    records = [dict(record) for record in records]
    if odd == "question":
        del records[70]["y"]
    if odd == "no-id":
        del records[70]["id"]
    if odd == "label":
        records[70]["y"] = "never heard of"
    if odd == "text":
        records[70]["x"] = {"a": "text", "b": 0.5}
    taken = []

    def take():
        told = learner(grain=32, seed=5, **settings)
        turn = tell(told, *records)
        turn.timed = None
        taken.append((turn.rows, turn.events, reasons(turn), turn.errors, told.totals))

    take()
    monkeypatch.setattr(learner_module, "columns_of", lambda *_, **__: None)
    take()

    assert taken[0] == taken[1]


def test_plain_samples_are_taken_side_by_side(monkeypatch):
    """Else this file would compare one way with itself."""
    asked = []

    def counted(*args, **how):
        found = columns_of(*args, **how)
        asked.append(found is not None)
        return found

    monkeypatch.setattr(learner_module, "columns_of", counted)
    tell(learner("sgd", grain=50, **TWO), *SAMPLES)

    # The first grain is guessed by a model that has learned nothing.
    assert asked == [False, True, True, True]


@pytest.mark.parametrize("p", [{0: float("nan"), 1: 0.5}, None])
def test_a_guess_of_another_kind_is_looked_at_alone(p):
    """A probability that is no number, or none among others that have one."""
    records = [Record(id=i, x={"a": 1.0}, y=0) for i in range(2)]
    how = {"arm": "main", "task": "classification", "types": frozenset({int}), "known": None}

    assert columns_of((0, 1), records, [(0, {0: 1.0}), (0, p)], **how) is None
    assert columns_of((0, 1), records, [(0, {0: 1.0}), (0, {0: 0.5})], **how) is not None


def test_a_grain_that_an_older_version_kept_in_rows_goes_on():
    """Its checkpoint is one that is taken, and its lessons are those that were begun."""
    whole, cut = (learner("sgd", grain=32, seed=5, **TWO) for _ in range(2))
    for told in (whole, cut):
        tell(told, *SAMPLES[:50])
    kept = cut.untaught
    rows = [*zip(kept.xs, kept.ys, kept.offsets, kept.values, strict=True)]
    assert len(rows) == 18
    cut.untaught = rows
    cut.complete()

    turns = [tell(told, *SAMPLES[50:]) for told in (whole, cut)]

    assert turns[0].rows == turns[1].rows
    assert whole.totals == cut.totals
