"""Batches that no consumer should be given as they are: damaged, or larger than they look.

The slips D8 and D9 of kafka-python, with their guards and without; see `test_kafka_guards`.
"""

import contextlib
import gzip
import json
import uuid
from collections.abc import Iterator

import lz4.frame
import pytest
import zstandard
from kafka import KafkaConsumer, KafkaProducer, codec
from kafka import errors as refusals
from kafka.record import default_records
from kafka.serializer import Deserializer
from kafka.structs import TopicPartition

from stream import kafka_codecs, kafka_settings
from stream.errors import SettingError, TopicFailed
from stream.kafka import KafkaLog
from stream.kafka_codecs import LARGEST, SwollenError
from stream.kafka_topic import KafkaTopic
from stream.topic import samples_of
from tools.kafka import Broker

pytestmark = pytest.mark.kafka

WAIT = 10.0
ZEROS = bytes(LARGEST + 1)


@pytest.fixture
def log(kafka: str) -> Iterator[KafkaLog]:
    """Give an empty log."""
    with contextlib.closing(KafkaLog([kafka], f"t-{uuid.uuid4().hex[:12]}")) as log:
        yield log


def filled(log: KafkaLog, *values: bytes) -> KafkaTopic:
    """Return a topic with a batch for each value."""
    topic, writer = log.create(samples_of(log.stream), partitions=1), log.writer("a")
    for value in values:
        writer.append(topic.name, value)
        writer.commit()
    return topic


class Json(Deserializer):
    """Reads a record as the examples of kafka-python do."""

    def deserialize(self, topic: str, headers: object, data: bytes) -> object:
        return json.loads(data)


def test_d8_a_record_that_cannot_be_read_holds_nobody_up(
    kafka: str, log: KafkaLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A deserializer would fail in `poll`, for ever at the same record; we take none."""
    topic = filled(log, b"1", b"{", b"3")
    assert [entry.value for entry in topic.scan(0, 0, topic.end()[0])] == [b"1", b"{", b"3"]
    settings = {"value_deserializer": Json()}
    with pytest.raises(SettingError, match="'value_deserializer' is not free to choose"):
        KafkaLog([kafka], log.stream, settings)

    monkeypatch.setattr(kafka_settings, "OURS", set())
    with contextlib.closing(KafkaLog([kafka], log.stream, settings)) as trusting:
        topic = trusting.topic(topic.name)
        (first,) = topic.read({0: 0}, limit=1, wait=WAIT)
        for _ in range(3):
            with pytest.raises(json.JSONDecodeError):
                topic.read({0: first.next}, limit=10, wait=WAIT)


def test_d8_a_damaged_batch_ends_in_a_sentence(broker: Broker, log: KafkaLog) -> None:
    """One bit turned on the broker's disk is found; kafka-python by itself fails for ever."""
    topic = filled(log, b"sound", b"damaged", b"sound again")
    segment = broker.dir / "data" / f"{topic.name}-0" / f"{0:020}.log"
    content = segment.read_bytes()
    with segment.open("r+b") as file:
        file.seek(content.index(b"damaged"))
        file.write(b"D")

    (first,) = topic.read({0: 0}, limit=1, wait=WAIT)
    assert [value for _, value in first.entries] == [b"sound"]
    with pytest.raises(TopicFailed, match=r"offset 2 failed crc.*let a replica lead"):
        topic.read({0: first.next}, limit=10, wait=WAIT)

    bare = KafkaConsumer(bootstrap_servers=broker.address, auto_offset_reset="earliest")
    with contextlib.closing(bare):
        place = TopicPartition(topic.name, 0)
        bare.assign([place])
        bare.seek(place, first.next)
        for _ in range(3):
            with pytest.raises(refusals.CorruptRecordError):
                bare.poll(round(1000 * WAIT))
        assert bare.position(place) == first.next


def test_d9_a_bomb_is_not_unpacked(
    kafka: str, log: KafkaLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch of 65 kB that holds 64 MiB is refused; kafka-python unpacks it all."""
    foreign, place = f"{log.stream}.foreign", TopicPartition(f"{log.stream}.foreign", 0)
    log.cluster.admin.create_topics({foreign: {"num_partitions": 1}}, wait_for_metadata=True)
    bomber = KafkaProducer(
        bootstrap_servers=kafka, compression_type="gzip", max_request_size=2 * LARGEST
    )
    with bomber:
        assert bomber.send(foreign, ZEROS, partition=0).get(WAIT).offset == 0
        # Of our own topics the broker looks into each batch, and takes no such thing.
        own = log.create(samples_of(log.stream), partitions=1)
        with pytest.raises(refusals.MessageSizeTooLargeError):
            bomber.send(own.name, ZEROS, partition=0).get(WAIT)

    with pytest.raises(TopicFailed, match="unpacks to more than 67108864 bytes"):
        log.topic(foreign).read({0: 0}, limit=1, wait=WAIT)

    monkeypatch.setattr(default_records, "gzip_decode", codec.gzip_decode)
    with contextlib.closing(KafkaConsumer(bootstrap_servers=kafka)) as bare:
        bare.assign([place])
        bare.seek(place, 0)
        (record,) = bare.poll(round(1000 * WAIT))[place]
    assert len(record.value) == len(ZEROS)


PACKERS = {
    "gzip": gzip.compress,
    "lz4": lz4.frame.compress,
    "zstd": zstandard.ZstdCompressor().compress,
}


@pytest.mark.parametrize("name", PACKERS)
@pytest.mark.parametrize("size", [0, 1, 1000, 1_000_000, LARGEST])
def test_what_is_no_bomb_is_unpacked_whole(name: str, size: int) -> None:
    """Up to the bound every byte comes back."""
    packed = PACKERS[name](ZEROS[:size])
    assert getattr(kafka_codecs, f"{name}_decode")(packed) == ZEROS[:size]


@pytest.mark.parametrize("name", PACKERS)
def test_beyond_the_bound_nothing_is_unpacked(name: str) -> None:
    """One byte too many is refused."""
    with pytest.raises(SwollenError):
        getattr(kafka_codecs, f"{name}_decode")(PACKERS[name](ZEROS))
