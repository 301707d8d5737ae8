from learner.config import Config
from learner.learner import Learner
from stream.records import Record, encode
from stream.topic import Batch


def guesses(grain, x):
    """Return the guesses of a tree for samples that also have the features `x`."""
    values = [
        (i, encode(Record(id=i, x={"a": float(i % 9), **x}, y=i % 9 > 4))) for i in range(300)
    ]
    learner = Learner(Config(model="naive-bayes", policy="none", grain=grain), 0, 0)
    turn = learner.learn(Batch(0, values, 300))
    assert turn.dead == []
    return [(row[5], row[7]) for row in turn.rows]


def test_a_null_is_left_out_before_a_preset_whatever_the_grain():
    """A sample with a null is guessed and learned as one without that feature."""
    for grain in (1, 20):
        assert guesses(grain, {"b": None}) == guesses(grain, {})
