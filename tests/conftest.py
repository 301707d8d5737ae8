"""What tests of several rooms need: a real Kafka, and a log of each kind."""

import contextlib
import os
import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from stream.memory import MemoryLog
from stream.sqlite import SqliteLog
from stream.topic import Log
from tests.counts import note
from tests.proxy import Proxy
from tools.kafka import Broker, BrokerError, free_port

_LASTS = re.compile(r"/tests/system/|/test_(kafka|topic)")
# What 'make test' leaves to 'make test-slow', so that it is over in minutes; CI runs both.
_HERE = Path(__file__).parent
_SLOW = {_HERE / name for name in (_HERE / "slow.txt").read_text().split()}

# How long an example takes says more of the machine than of what it tests. On CI the examples
# are always the same; elsewhere they are new each time.
settings.register_profile(
    "driftline",
    deadline=None,
    derandomize=bool(os.environ.get("CI")),
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("driftline")


@pytest.fixture(scope="session")
def start_broker() -> Iterator[Callable[..., Broker]]:
    """Give a way to start brokers of our own; they end with the tests."""
    with contextlib.ExitStack() as started:

        def start(
            users: Mapping[str, str] | None = None, *, front: int = 0, **properties: str
        ) -> Broker:
            names = {name.replace("__", "."): value for name, value in properties.items()}
            try:
                made = Broker(properties=names, users=users, front=front, brief=True)
                return started.enter_context(made)
            except BrokerError as error:
                # On CI a suite must never pass because its broker was missing.
                if os.environ.get("CI"):
                    raise
                pytest.skip(str(error))

        yield start


@pytest.fixture(scope="session")
def broker(start_broker: Callable[..., Broker]) -> Broker:
    """Give a broker of our own, for all tests that leave it alive."""
    return start_broker(front=free_port())


@pytest.fixture(scope="session")
def kafka(request: pytest.FixtureRequest) -> str:
    """Give the address of a broker: the one named in the environment, or one of our own."""
    if address := os.environ.get("KAFKA_BOOTSTRAP_SERVERS"):
        return address
    return str(request.getfixturevalue("broker").address)


@pytest.fixture
def proxy(broker: Broker) -> Iterator[Proxy]:
    """Give a proxy in front of our own broker."""
    with Proxy(broker.front, broker.behind) as proxy:
        yield proxy


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
        log = KafkaLog(address.split(","), f"t-{uuid.uuid4().hex[:12]}")
    yield log
    log.close()


@pytest.fixture
def report(
    request: pytest.FixtureRequest,
    capsys: pytest.CaptureFixture[str],
    record_property: Callable[[str, object], None],
) -> Callable[..., None]:
    """Give a function that prints counts, also where nothing else is printed."""

    def report(**counts: object) -> None:
        line = " ".join(f"{name}={value}" for name, value in counts.items())
        for name, value in counts.items():
            record_property(name, value)
        note(request.node.nodeid, **counts)
        with capsys.disabled():
            print(f"\n{request.node.name}: {line}")  # noqa: T201 - that is its purpose

    return report


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is slow. Begin with what lasts: no worker is to be alone with it at the end."""
    for item in items:
        if item.path in _SLOW:
            item.add_marker(pytest.mark.slow)
    items.sort(key=lambda item: not _LASTS.search(item.path.as_posix()))


def pytest_collection_finish() -> None:
    """Keep numbers and settings of whoever runs the tests from what is tested.

    By now every file has been imported, and has read the numbers that are its own.
    """
    for name in [name for name in os.environ if name.startswith("DRIFTLINE_")]:
        del os.environ[name]


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Count each test that has passed; the battery starts no second process that would."""
    if report.when == "call" and report.passed:
        note(report.nodeid, passed=1)
