"""What tests of several rooms need: a real Kafka, and a log of each kind."""

import contextlib
import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from stream.memory import MemoryLog
from stream.sqlite import SqliteLog
from stream.topic import Log


@pytest.fixture(scope="session")
def kafka() -> Iterator[str]:
    """Give the address of a broker: the one named in the environment, or one of our own."""
    if address := os.environ.get("KAFKA_BOOTSTRAP_SERVERS"):
        yield address
        return
    from tools.kafka import Broker, BrokerError

    with contextlib.ExitStack() as stack:
        try:
            broker = stack.enter_context(Broker())
        except BrokerError as error:
            # On CI a suite must never pass because its broker was missing.
            if os.environ.get("CI"):
                raise
            pytest.skip(str(error))
        yield broker.address


@pytest.fixture(params=["memory", "sqlite", pytest.param("kafka", marks=pytest.mark.kafka)])
def log(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Log]:
    """Give an empty log of each kind in turn."""
    log: Log
    if request.param == "memory":
        log = MemoryLog()
    elif request.param == "sqlite":
        log = SqliteLog(tmp_path / "log.db")
    else:
        from stream.kafka import KafkaLog

        address = request.getfixturevalue("kafka")
        log = KafkaLog(address.split(","), f"t-{uuid.uuid4().hex[:12]}", {})
    yield log
    log.close()
