"""What the tests of whole processes share."""

import uuid

import pytest

from tests.system.lives import Nursery


@pytest.fixture(scope="session")
def nursery(tmp_path_factory):
    """Give a place from which processes start without importing everything again."""
    nursery = Nursery(tmp_path_factory.mktemp("nursery"))
    yield nursery
    nursery.close()


@pytest.fixture
def kafka_stream(kafka):
    """Give the address of a stream on Kafka that nobody else has."""
    return f"kafka://{kafka}/t-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def report(request, capsys, record_property):
    """Give a function that prints counts, also where nothing else is printed."""

    def report(**counts):
        line = " ".join(f"{name}={value}" for name, value in counts.items())
        for name, value in counts.items():
            record_property(name, value)
        with capsys.disabled():
            print(f"\n{request.node.name}: {line}")  # noqa: T201 - that is its purpose

    return report
