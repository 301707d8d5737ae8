"""What only Kafka has: transactions of others, markers, brokers that go away, settings."""

import contextlib
import gc
import logging
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaProducer
from kafka.admin import ConfigResource, ConfigResourceType

from stream.errors import Fenced, SettingError, TopicFailed, TopicTimeout
from stream.kafka import KafkaLog
from stream.kafka_settings import checked
from stream.kafka_topic import KafkaTopic
from stream.topic import Retention, group_of, samples_of
from tests.proxy import Proxy
from tools.kafka import Broker

pytestmark = [
    pytest.mark.kafka,
    # kafka-python lets go of a socket that did not connect without closing it.
    pytest.mark.filterwarnings("ignore:unclosed <.*[sS]ocket:ResourceWarning"),
]

ROOT = Path(__file__).parents[2]
WAIT = 10.0
Open = Callable[..., KafkaLog]


@pytest.fixture
def open_log() -> Iterator[Open]:
    """Give a way to open logs with a stream of their own, closed at the end."""
    with contextlib.ExitStack() as opened:

        def open_log(address: str, **settings: object) -> KafkaLog:
            log = KafkaLog(address.split(","), f"t-{uuid.uuid4().hex[:12]}", settings)
            return opened.enter_context(contextlib.closing(log))

        yield open_log


@pytest.fixture(autouse=True)
def _collect_sockets() -> Iterator[None]:
    """Let the garbage of a test be found while its warnings are ignored."""
    yield
    gc.collect()


@pytest.fixture
def log(kafka: str, open_log: Open) -> KafkaLog:
    """Give an empty log."""
    return open_log(kafka)


@pytest.fixture
def stranger(kafka: str, log: KafkaLog) -> Iterator[Any]:
    """Give a transactional producer that is none of ours, in the middle of a transaction."""
    name = f"stranger-{log.stream}"
    with KafkaProducer(bootstrap_servers=kafka, transactional_id=name) as producer:
        producer.init_transactions()
        producer.begin_transaction()
        yield producer


def make(log: KafkaLog, partitions: int = 1, retention: Retention | None = None) -> KafkaTopic:
    """Return a new topic of samples."""
    return log.create(samples_of(log.stream), partitions=partitions, retention=retention)


def values_of(topic: KafkaTopic, partition: int = 0) -> list[bytes]:
    """Return all values of a partition."""
    return [entry.value for entry in topic.scan(partition, 0, topic.end()[partition])]


def configs_of(log: KafkaLog, topic: KafkaTopic) -> dict[str, str]:
    """Return how a topic is configured."""
    resource = ConfigResource(ConfigResourceType.TOPIC, topic.name)
    described = log.cluster.admin.describe_configs([resource])
    return {name: config["value"] for name, config in described["topic"][topic.name].items()}


def test_a_marker_alone_moves_the_cursor(log: KafkaLog) -> None:
    """Behind the last record a read gives a batch without entries that goes on to the end."""
    topic, writer = make(log), log.writer("a")
    for value in (b"x", b"y"):
        writer.append(topic.name, value)
    writer.commit()
    assert topic.end() == {0: 3}
    begun = time.monotonic()
    (batch,) = topic.read({0: 2}, limit=10, wait=60)
    assert (batch.entries, batch.next) == ([], 3)
    assert time.monotonic() - begun < 30, "it did not wait for a record to come"


def test_aborted_records_are_never_read(log: KafkaLog, stranger: Any) -> None:
    """A transaction that was called off leaves nothing but a step in the offsets."""
    topic, writer = make(log), log.writer("a")
    stranger.send(topic.name, b"never").get(WAIT)
    stranger.abort_transaction()
    writer.append(topic.name, b"x")
    writer.commit()
    cursor, values = {0: 0}, []
    while cursor != topic.end():
        for batch in topic.read(cursor, limit=10, wait=WAIT):
            values += [value for _, value in batch.entries]
            cursor[0] = batch.next
    assert values == values_of(topic) == [b"x"]


def test_rows_are_found_behind_thousands_of_others(log: KafkaLog) -> None:
    """The search for a writer's last row goes back as far as it must."""
    topic, ours, other = make(log), log.writer("ours"), log.writer("other")
    ours.append(topic.name, b"x", row=7)
    ours.commit()
    for row in range(6000):
        other.append(topic.name, b"x", row=row)
    other.commit()
    assert ours.rows(topic.name) == {0: 7}
    assert other.rows(topic.name) == {0: 5999}
    assert log.writer("nobody").rows(topic.name) == {}


def test_rows_wait_for_a_transaction_that_hides_them(log: KafkaLog, stranger: Any) -> None:
    """Rows committed behind another writer's open transaction are not overlooked."""
    topic, ours = make(log), log.writer("ours")
    stranger.send(topic.name, b"pending").get(WAIT)
    ours.append(topic.name, b"x", row=7)
    ours.commit()
    ends = threading.Timer(0.5, stranger.commit_transaction)
    ends.start()
    assert ours.rows(topic.name) == {0: 7}
    ends.join()


def test_a_record_that_is_too_large_is_refused_at_once(log: KafkaLog) -> None:
    """It is left out, and the writer goes on."""
    topic, writer = make(log), log.writer("a")
    with pytest.raises(TopicFailed, match="a record of 2000000 bytes is too large"):
        writer.append(topic.name, bytes(2_000_000))
    writer.append(topic.name, b"x")
    writer.commit()
    assert values_of(topic) == [b"x"]


def test_nothing_is_kept_of_a_commit_of_which_the_broker_refuses_a_record(
    log: KafkaLog,
) -> None:
    """One record over the topic's own limit takes the whole transaction with it."""
    name = samples_of(log.stream)
    wanted = {"num_partitions": 2, "configs": {"max.message.bytes": "1000"}}
    log.cluster.admin.create_topics({name: wanted}, wait_for_metadata=True)
    topic, writer = log.topic(name), log.writer("a")
    writer.append(name, b"small", partition=0)
    writer.append(name, bytes(5000), partition=1)
    with pytest.raises(TopicFailed, match=r"refused to store what 'a' wrote: .*TooLarge"):
        writer.commit()
    with pytest.raises(TopicFailed):
        writer.commit()
    assert [values_of(topic, p) for p in (0, 1)] == [[], []]
    again = log.writer("a")
    again.append(name, b"small", partition=0)
    again.commit()
    assert values_of(topic) == [b"small"]


def test_a_fenced_writer_stays_fenced(log: KafkaLog) -> None:
    """Whatever it tries, a writer whose name another has taken stores nothing more."""
    topic, older = make(log), log.writer("a")
    older.append(topic.name, b"zombie")
    log.writer("a")
    for _ in range(2):
        with pytest.raises(Fenced):
            older.commit()
    assert values_of(topic) == []


def test_a_record_without_a_value_is_an_empty_one(kafka: str, log: KafkaLog) -> None:
    """A tombstone, as foreign topics have, is read like a record of no bytes."""
    topic = make(log)
    with KafkaProducer(bootstrap_servers=kafka) as producer:
        producer.send(topic.name, None, key=b"k", headers=[("h", b"")]).get(WAIT)
    (batch,) = topic.read({0: 0}, limit=1, wait=WAIT)
    assert batch.entries == [(0, b"")]
    assert values_of(topic) == [b""]


def test_topics_are_made_as_asked(kafka: str, open_log: Open) -> None:
    """Retention goes into the topic's configuration, and copies are as many as set."""
    log = open_log(kafka, replication_factor=1)
    kept = configs_of(log, make(log))
    assert (kept["retention.ms"], kept["retention.bytes"]) == ("-1", "-1")
    name = f"{log.stream}.main.dead"
    topic = log.create(name, partitions=2, retention=Retention(seconds=1.5, size=1000))
    limited = configs_of(log, topic)
    assert (limited["retention.ms"], limited["retention.bytes"]) == ("1500", "1000")
    assert limited["cleanup.policy"] == "delete"
    many = open_log(kafka, replication_factor=3)
    with pytest.raises(TopicFailed, match="InvalidReplicationFactor"):
        make(many)


def test_the_cursors_shown_are_those_kafka_knows(log: KafkaLog) -> None:
    """Kafka's own tools see where a group stands, and see no member of it."""
    topic, group = make(log, 2), group_of(log.stream, "main")
    log.show(group, {0: 5, 1: 0})
    found = log.cluster.admin.list_group_offsets([group])[group]
    offsets = {(place.topic, place.partition): at.offset for place, at in found.items()}
    assert offsets == {(topic.name, 0): 5, (topic.name, 1): 0}


def test_reading_makes_no_topic(start_broker: Callable[..., Broker], open_log: Open) -> None:
    """Not even on a broker that makes topics for whoever asks for them."""
    broker = start_broker(auto__create__topics__enable="true")
    log = open_log(broker.address)
    name = samples_of(log.stream)
    topic = KafkaTopic(log.cluster, name, 1, "")
    assert topic.read({0: 0}, limit=1, wait=1) == []
    assert name not in log.cluster.admin.list_topics()
    log.close()
    broker.kill()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"sasl_plain_pasword": "x"}, "does not exist; did you mean 'sasl_plain_password'"),
        ({"zzz": "x"}, "'zzz' does not exist; see those of kafka-python"),
        ({"isolation_level": "read_uncommitted"}, "'isolation_level' is not free to choose"),
        ({"fetch_min_bytes": "many"}, "'fetch_min_bytes' cannot be 'many'"),
        ({"ssl_check_hostname": "perhaps"}, "'ssl_check_hostname' cannot be 'perhaps'"),
        ({"api_version": "new"}, "'api_version' cannot be 'new'"),
        ({"security_protocol": "SASL-SSL"}, "cannot be 'SASL-SSL'; choose one of PLAINTEXT"),
        ({"ssl_cafile": "/nowhere/ca.pem"}, "'/nowhere/ca.pem', where there is no file"),
    ],
)
def test_a_wrong_setting_is_named(settings: Mapping[str, object], message: str) -> None:
    """A name that does not exist, or a value that makes no sense, is said to be so."""
    with pytest.raises(SettingError, match=message):
        KafkaLog(["127.0.0.1:1"], "s", settings)


def test_settings_of_text_become_what_the_client_wants() -> None:
    """The environment knows texts only; passwords stay texts though they be numbers."""
    texts = {"fetch_min_bytes": "10", "ssl_check_hostname": "False", "api_version": "3.9"}
    assert checked(texts | {"sasl_plain_password": 123, "compression_type": "gzip"}) == {
        "fetch_min_bytes": 10,
        "ssl_check_hostname": False,
        "api_version": (3, 9),
        "sasl_plain_password": "123",
        "compression_type": "gzip",
    }


def test_settings_reach_the_clients_that_know_them(kafka: str, open_log: Open) -> None:
    """A setting of the producer compresses what it sends, and hurts no other client."""
    log = open_log(kafka, compression_type="gzip", fetch_min_bytes=1)
    topic, writer = make(log), log.writer("a")
    for _ in range(10):
        writer.append(topic.name, bytes(500_000))
    writer.commit()
    assert values_of(topic) == [bytes(500_000)] * 10


def test_a_value_the_client_does_not_take_is_a_matter_of_settings(kafka: str) -> None:
    """What kafka-python's constructors refuse is refused with its reason."""
    with pytest.raises(SettingError, match=r"fetch_max_wait_ms.*correct the kafka settings"):
        KafkaLog([kafka], "s", {"request_timeout_ms": 10})


def test_a_broker_that_comes_and_goes_is_waited_for(
    broker: Broker, open_log: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a broker not up yet nor one that is cut off ends a log; each wait is said."""
    monkeypatch.setattr("stream.kafka_cluster._SAY", 0.5)
    monkeypatch.setattr("stream.kafka_cluster._TRY", 1.0)
    address = f"127.0.0.1:{broker.front}"
    said = threading.Event()
    monkeypatch.setattr(logging.getLogger("driftline.kafka"), "handle", lambda _: said.set())
    opened: list[KafkaLog] = []
    opening = threading.Thread(target=lambda: opened.append(open_log(address)))
    opening.start()
    assert said.wait(30), "that it waits is said in a line"
    with Proxy(broker.front, broker.behind):
        opening.join(30)
        (log,) = opened
        topic, writer = make(log), log.writer("a")
        writer.append(topic.name, b"before", row=1)
        writer.commit()
        (batch,) = topic.read({0: 0}, limit=10, wait=WAIT)
    said.clear()
    assert topic.read({0: batch.next}, limit=10, wait=2) == []
    assert said.is_set()
    writer.append(topic.name, b"uncertain", row=2)
    with pytest.raises(TopicTimeout, match="whether the records of 'a' are stored is unknown"):
        writer.commit(within=1)
    with Proxy(broker.front, broker.behind):
        newer = log.writer("a")
        assert newer.rows(topic.name) == {0: 1}
        newer.append(topic.name, b"after", row=3)
        newer.commit()
        assert values_of(topic) == [b"before", b"after"]
        cursor, found = {0: batch.next}, []
        while cursor != topic.end():
            for batch in topic.read(cursor, limit=10, wait=WAIT):
                cursor[0], found = batch.next, found + batch.entries
        assert [value for _, value in found] == [b"after"]


def test_who_waits_for_a_broker_hears_that_it_is_to_stop(
    broker: Broker, open_log: Open
) -> None:
    """A process need not be killed because its broker is away."""
    with Proxy(broker.front, broker.behind) as proxy:
        log = open_log(proxy.address)
    stop = threading.Event()
    log.heed(stop.is_set)
    threading.Timer(0.5, stop.set).start()
    begun = time.monotonic()
    with pytest.raises(TopicTimeout, match="is away, and this process was asked to stop"):
        log.topic(samples_of(log.stream))
    with pytest.raises(TopicTimeout, match="is away, and this process was asked to stop"):
        log.writer("a")
    assert time.monotonic() - begun < 10


def test_a_scan_takes_no_longer_than_it_was_given(broker: Broker, open_log: Open) -> None:
    """A monitor looks for samples beside its figures, which do not wait for a broker away."""
    with Proxy(broker.front, broker.behind) as proxy:
        log = open_log(proxy.address)
        topic, writer = make(log), log.writer("a")
        for _ in range(2):
            writer.append(topic.name, b"here")
            writer.commit()
        assert [entry.value for entry in topic.scan(0, 0, 9, within=5)] == [b"here"] * 2
    begun = time.monotonic()
    with pytest.raises(TopicTimeout, match="look after the cluster"):
        list(topic.scan(0, 0, 9, within=1))
    assert time.monotonic() - begun < 10


def test_a_commit_without_a_transaction_outlasts_an_outage(
    broker: Broker, open_log: Open
) -> None:
    """What is said at least once is said when the broker is back."""
    with Proxy(broker.front, broker.behind) as proxy:
        log = open_log(proxy.address)
        topic, writer = make(log), log.writer("a", atomic=False)
        writer.append(topic.name, b"x")
    waiting = threading.Thread(target=writer.commit, kwargs={"within": 60})
    waiting.start()
    time.sleep(0.5)
    with Proxy(broker.front, broker.behind):
        waiting.join(60)
        assert values_of(topic) == [b"x"]
