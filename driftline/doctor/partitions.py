"""The partitions of a stream's topics: enough of them, and each with a leader."""

from __future__ import annotations

from collections.abc import Iterator

from driftline.doctor.finding import Case, Finding, failed, ok, warn
from driftline.doctor.topics import KINDS
from stream.errors import TopicMissing
from stream.topic import Topic, topic_of


def partitions(case: Case) -> Iterator[Finding]:
    """Look whether a learner's topics are as wide as the samples, and all can be used."""
    log, samples = case.reached(), case.samples()
    found = [samples]
    for name in case.learners():
        for kind in KINDS:
            try:
                found.append(log.topic(topic_of(log.stream, name, kind)))
            except TopicMissing:
                continue
    for topic in found:
        if topic.partitions < samples.partitions:
            yield failed(
                f"{topic.name} has {topic.partitions} of the {samples.partitions} partitions "
                "that the samples have",
                "give it as many, or let the learner: it needs the right to alter the topic",
            )
    if case.on_kafka:
        yield from _led(case, found)
    elif all(topic.partitions >= samples.partitions for topic in found):
        yield ok(f"{len(found)} topics of {samples.partitions} or more partitions")


def _led(case: Case, topics: list[Topic]) -> Iterator[Finding]:
    """Look whether each partition has a leader, and as many copies in sync as it should."""
    from stream.kafka import KafkaLog
    from stream.kafka_growth import places

    log = case.reached()
    if not isinstance(log, KafkaLog):
        return
    sound = 0
    for topic in topics:
        for place in places(log.cluster, topic.name):
            where = f"{topic.name}[{place.partition}]"
            if place.leader < 0:
                yield failed(
                    f"{where} has no leader: its copies are on {list(place.copies)}",
                    "bring back one of these brokers",
                )
            elif len(place.in_sync) < len(place.copies):
                yield warn(
                    f"{where} has copies in sync on {list(place.in_sync)} of "
                    f"{list(place.copies)}",
                    "look after the brokers that are missing; below min.insync.replicas "
                    "nothing can be written",
                )
            else:
                sound += 1
    yield ok(f"{sound} partitions have a leader and all of their copies")
