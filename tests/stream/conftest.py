"""What several tests of Kafka share: seats in a group."""

import contextlib
import uuid
from collections.abc import Iterator

import pytest

from stream.kafka import KafkaLog
from stream.kafka_seat import KafkaSeat
from stream.topic import group_of, samples_of
from tests.stream.seating import Sit


@pytest.fixture
def sit() -> Iterator[Sit]:
    """Give a way to take seats, each in a log of its own, that are left at the end."""
    stream = f"t-{uuid.uuid4().hex[:12]}"
    with contextlib.ExitStack() as opened:

        def sit(address: str, member: str | None = None, **settings: object) -> KafkaSeat:
            log = opened.enter_context(
                contextlib.closing(KafkaLog([address], stream, settings))
            )
            topic = log.create(samples_of(stream), partitions=4)
            seat = log.join(group_of(stream, "main"), topic, member=member)
            assert isinstance(seat, KafkaSeat)
            opened.callback(seat.close)
            return seat

        yield sit
