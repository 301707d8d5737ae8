"""driftline beside a bare loop that does the same: guess, score, learn.

The bare loops are written to be fast. They bind what they call, keep nothing they need not,
know no drift, no labels that come late, no dead letters and no totals.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from operator import itemgetter
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from kafka import KafkaConsumer, KafkaProducer
from kafka.structs import OffsetAndMetadata, TopicPartition
from river import compose, linear_model, metrics, preprocessing, tree
from sklearn.linear_model import SGDClassifier
from sklearn.preprocessing import StandardScaler

from benchmarks.pairs import Stopwatch, Took
from learner.config import Config
from learner.loop import learn
from learner.run import Run
from stream.topic import Log, Topic, samples_of

TURN = 2000
GRAIN = 1000
CONFIGS = {
    "logistic": Config(model="logistic", policy="none"),
    "tree": Config(model="hoeffding-tree", policy="none"),
    "sgd": Config(model="sgd", policy="none", grain=GRAIN, classes=(0, 1)),
}
_names = itertools.count()


class Sample(msgspec.Struct, gc=False):
    """What a bare loop decodes of a record."""

    id: int
    ts: float
    x: dict[str, Any]
    y: int


class Results(msgspec.Struct, gc=False):
    """What a bare loop says of a turn."""

    offset: list[int]
    id: list[int]
    ts: list[float]
    y: list[int]
    y_pred: list[Any]
    p: list[float]


decode_sample = msgspec.json.Decoder(Sample).decode


def river_model(model: str) -> Any:
    """Return a new model of River's, as the preset of driftline has it."""
    if model == "tree":
        return tree.HoeffdingTreeClassifier()
    return compose.Pipeline(preprocessing.StandardScaler(), linear_model.LogisticRegression())


def bare_river(model: str, values: list[bytes]) -> Callable[[], Took]:
    """Return a run of River alone, over samples that are decoded already."""
    pairs = [(sample.x, sample.y) for sample in map(decode_sample, values)]

    def run() -> Took:
        estimator, metric, watch = river_model(model), metrics.Accuracy(), Stopwatch()
        guess, teach, update = estimator.predict_one, estimator.learn_one, metric.update
        watch.start()
        for x, y in pairs:
            update(y, guess(x))
            teach(x, y)
        watch.stop()
        return watch.took(metric.get())

    return run


def bare_kafka(model: str, address: str, topic: str, n: int) -> Callable[[], Took]:
    """Return a run on kafka-python: at least once, results in columns, one message a turn.

    Its clients are set as driftline sets its own, where that makes them faster.
    """
    place, out = TopicPartition(topic, 0), f"{topic}.bare"

    def run() -> Took:
        producer = KafkaProducer(
            bootstrap_servers=address, acks="all", batch_size=256 * 1024, metrics_enabled=False
        )
        producer.partitions_for(out)
        watch = Stopwatch()
        consumer = KafkaConsumer(
            bootstrap_servers=address,
            group_id=f"bare-{next(_names)}",
            enable_auto_commit=False,
            fetch_max_wait_ms=100,
            metrics_enabled=False,
        )
        consumer.assign([place])
        consumer.seek(place, 0)
        accuracy = _turns(model, consumer, producer, place, out, n, watch)
        consumer.close()
        producer.close()
        return watch.took(accuracy)

    return run


def _turns(
    model: str,
    consumer: Any,
    producer: Any,
    place: TopicPartition,
    out: str,
    n: int,
    watch: Stopwatch,
) -> float:
    estimator, metric = river_model(model), metrics.Accuracy()
    ask, teach, update = estimator.predict_proba_one, estimator.learn_one, metric.update
    encode = msgspec.json.Encoder().encode
    cursor = 0
    while cursor < n:
        records: list[Any] = []
        while len(records) < TURN and cursor + len(records) < n:
            polled = consumer.poll(100, max_records=TURN - len(records))
            records += polled.get(place, ())
            if records:
                watch.start()  # whoever goes on for days does not mind how it began
        rows = []
        for record in records:
            sample = decode_sample(record.value)
            x, y = sample.x, sample.y
            p = ask(x)
            # What River's predict_one does, without asking for the probabilities twice.
            guess = max(p, key=p.get) if p else None
            if guess is not None:
                update(y, guess)
            teach(x, y)
            p_guess = p.get(guess, 0.0)
            rows.append((record.offset, sample.id, sample.ts, y, guess, p_guess))
        producer.send(out, encode(Results(*map(list, zip(*rows, strict=True)))), partition=0)
        producer.flush()
        cursor = records[-1].offset + 1
        consumer.commit({place: OffsetAndMetadata(cursor, "", -1)})
        watch.stop()
    return float(metric.get())


def bare_sgd(values: list[bytes]) -> Callable[[], Took]:
    """Return a run of scikit-learn alone: decode, make rows, scale, guess, learn; in memory."""
    row = itemgetter(*decode_sample(values[0]).x)

    def run() -> Took:
        scaler, model = StandardScaler(), SGDClassifier(loss="log_loss", random_state=1)
        right = scored = 0
        watch = Stopwatch()
        watch.start()
        for start in range(0, len(values), GRAIN):
            samples = [*map(decode_sample, values[start : start + GRAIN])]
            rows = np.array([row(sample.x) for sample in samples], dtype=np.float64)
            ys = np.array([sample.y for sample in samples])
            if start:
                right += int((model.predict(scaler.transform(rows)) == ys).sum())
                scored += len(ys)
            scaler.partial_fit(rows)
            model.partial_fit(scaler.transform(rows), ys, classes=(0, 1))
        watch.stop()
        return watch.took(right / scored)

    return run


def driftline_on(
    log: Log, model: str, folder: Path, *, delivery: str = "exactly-once"
) -> Callable[[], Took]:
    """Return a run of the learner itself, under a new name each time."""

    def run() -> Took:
        name = f"l{next(_names)}"
        how = Run(name=name, state=folder, turn=TURN, until_end=True, delivery=delivery)
        watch = Stopwatch()
        summary = learn(_Timed(log, watch), CONFIGS[model], how, moved=lambda _: watch.stop())
        return watch.took(summary.accuracy or 0.0)

    return run


class _Timed:
    """A log that starts a stopwatch when the first samples have been read."""

    def __init__(self, log: Log, watch: Stopwatch) -> None:
        self._log, self._watch = log, watch

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)

    def topic(self, name: str) -> Topic:
        """Return the topic, its reads watched."""
        topic = self._log.topic(name)
        if name == samples_of(self._log.stream):
            read = topic.read

            def timed(*args: Any, **settings: Any) -> Any:
                batches = read(*args, **settings)
                if batches:
                    self._watch.start()
                return batches

            topic.read = timed  # type: ignore[method-assign]
        return topic
