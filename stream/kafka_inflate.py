"""Compressed batches of records, unpacked no further than a process can bear.

A broker bounds what a batch has on the wire; what that unpacks to kafka-python would read
whole. One batch of zeros could so end every process that reads the topic, again and again.
"""

from __future__ import annotations

import gzip
import io
from typing import Any

import zstandard
from kafka import errors as refusals
from kafka.record import default_records, legacy_records

LARGEST = 256 * 1024 * 1024
"""Bytes that a batch may unpack to; LZ4 and Snappy cannot make as much of what brokers take."""


class TooLarge(refusals.KafkaError):  # type: ignore[misc]
    """A batch unpacks to more than `LARGEST`; what it holds cannot be known."""


def bound() -> None:
    """Let kafka-python unpack gzip and Zstandard up to the limit, from now on."""
    default_records.gzip_decode = legacy_records.gzip_decode = _gunzip
    default_records.zstd_decode = _unzstd


def _gunzip(payload: Any) -> bytes:
    with gzip.GzipFile(fileobj=io.BytesIO(payload)) as packed:
        return _limited(packed)


def _unzstd(payload: Any) -> bytes:
    unpacking = zstandard.ZstdDecompressor()
    with unpacking.stream_reader(io.BytesIO(payload), read_across_frames=True) as packed:
        return _limited(packed)


def _limited(packed: gzip.GzipFile | zstandard.ZstdDecompressionReader) -> bytes:
    found = packed.read(LARGEST + 1)
    if len(found) > LARGEST:
        raise TooLarge(f"a batch of records unpacks to more than {LARGEST >> 20} MiB")
    return found
