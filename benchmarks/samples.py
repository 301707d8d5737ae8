"""The samples that everything is measured on: River's Agrawal generator, as records."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count, islice

from river.datasets import synth

from stream.records import Record, encode
from stream.topic import Log, Retention, samples_of

SEED = 42
_EPOCH = 1_700_000_000.0
_PIECE = 10_000


def records(first: int = 0) -> Iterator[bytes]:
    """Yield records without end, in the form the producer gives them, ids from `first` on."""
    for id_, (x, y) in zip(count(first), synth.Agrawal(seed=SEED), strict=False):
        yield encode(Record(id=id_, ts=_EPOCH + id_ / 100, x=x, y=y))


def fill(log: Log, values: list[bytes], retention: Retention | None = None) -> None:
    """Write records to the log's topic of samples, one partition, in commits of 10,000."""
    topic = samples_of(log.stream)
    log.create(topic, partitions=1, retention=retention)
    writer = log.writer("bench-feed", atomic=False)
    numbered = iter(enumerate(values))
    while piece := list(islice(numbered, _PIECE)):
        for number, value in piece:
            writer.append(topic, value, partition=0, key=b"%d" % number)
        writer.commit()
    writer.close()
