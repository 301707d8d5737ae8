"""What a learner is told in these tests, and what it says: short ways to both."""

import json

from learner.config import Config
from learner.learner import Learner
from stream.topic import Batch

ROW = ("offset", "of", "id", "ts", "y", "y_pred", "p_true", "p_pred", "arm", "flag")


def learner(model="tests.doubles.Diary", **settings):
    """Return a learner that stands at the start of partition 0."""
    return Learner(Config(model=model, **settings), 0, 0)


def sample(id, y=None, *, ts=None, **x):
    """Return a labelled sample, or a question when there is no label."""
    told = {"id": id, "ts": ts, "x": x, "y": y}
    return {key: value for key, value in told.items() if value is not None}


def tell(learner, *records, **how):
    """Let a learner take records, each a dict or bytes, and return its turn."""
    start = learner.cursor
    values = [r if isinstance(r, bytes) else json.dumps(r).encode() for r in records]
    entries = list(enumerate(values, start))
    return learner.learn(Batch(0, entries, start + len(entries)), **how)


def rows(turn):
    """Return the rows of a turn as dicts."""
    return [dict(zip(ROW, row, strict=True)) for row in turn.rows]


def reasons(turn):
    """Return offset and reason of each dead letter."""
    return [(offset, error.reason) for offset, _, error in turn.dead]
