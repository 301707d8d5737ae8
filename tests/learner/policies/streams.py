"""Streams whose world changes, for policies to answer to."""

from functools import cache

from river import datasets
from river.datasets import synth

from tests.learner.told import sample


def segments(n=1000):
    """Return a stream whose classes come in blocks, so that it drifts at each."""
    ordered = sorted(datasets.ImageSegments(), key=lambda pair: pair[1])[:n]
    return [(dict(x), y) for x, y in ordered]


def phishing():
    """Return a real stream of two classes, bundled with River."""
    return [(dict(x), y) for x, y in datasets.Phishing()]


def agrawal():
    """Return a stream whose rule changes at once, twice, and back again."""
    parts = [synth.Agrawal(classification_function=f, seed=f).take(600) for f in (0, 3, 0)]
    return [pair for part in parts for pair in part]


def sine():
    """Return a stream that turns gradually into its opposite."""
    stream = synth.ConceptDriftStream(
        synth.Sine(classification_function=0, seed=1),
        synth.Sine(classification_function=1, seed=1),
        position=800,
        width=300,
        seed=1,
    )
    return [({f"x{name}": v for name, v in x.items()}, y) for x, y in stream.take(1600)]


STREAMS = {"segments": segments, "phishing": phishing, "agrawal": agrawal, "sine": sine}


@cache
def stream(name):
    """Return the samples of a stream by its name, as features and labels."""
    return STREAMS[name]()


def records(pairs, *, seconds=3600, start=1_700_000_000.0):
    """Return labelled samples, so many seconds of event time apart."""
    return [sample(i, y, ts=start + i * seconds, **x) for i, (x, y) in enumerate(pairs)]
