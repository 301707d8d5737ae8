"""Learners to be saved, and places to save them in."""

from learner.checkpoint import Checkpoints
from learner.config import Config
from learner.learner import Learner
from stream.records import Record, encode
from stream.topic import Batch

KEY = b"k" * 64


def samples(start, until):
    """Return the records of a small stream, with their offsets."""
    return [
        (i, encode(Record(id=i, x={"a": float(i % 5), "b": (i % 7) / 7}, y=i % 2)))
        for i in range(start, until)
    ]


def learned(until, *, start=0, model="naive-bayes"):
    """Return a learner of that stream that stands at an offset."""
    learner = Learner(Config(model=model), 0, start)
    learner.learn(Batch(0, samples(start, until), until))
    return learner


def store_in(state, *, key=KEY, partition=0, **how):
    """Return the checkpoints of one partition, in a folder or below an address."""
    return Checkpoints.at(state, "s", "main", partition, "topic-1", key, **how)


def newest(store):
    """Return the learner of the newest checkpoint that can be loaded."""
    from stream.errors import CheckpointError

    for entry in reversed(store.entries()):
        try:
            return store.load(entry)[1]
        except CheckpointError:
            store.refuse(entry)
    return None
