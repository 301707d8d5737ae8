"""Decompression with an end: what kafka-python would unpack whatever comes of it.

A batch of a megabyte may hold a gigabyte of zeros. Here it is unpacked as far as an honest
batch goes, and refused beyond. Snappy stays as it is: by its format it swells to no more than
some twenty times itself.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable
from typing import Any

from kafka import codec
from kafka.errors import KafkaError
from kafka.record import default_records, legacy_records

LARGEST = 64 * 1024 * 1024
"""Bytes of a batch, unpacked, at most; the largest that a producer sends by default has one."""
_GZIP = zlib.MAX_WBITS | 16


class SwollenError(KafkaError):  # type: ignore[misc]  # kafka-python has no types
    """A batch unpacks to more than is allowed."""


def gzip_decode(packed: Any) -> bytes:
    """Unpack gzip, of several members perhaps. Raises `SwollenError`, `zlib.error`."""
    whole, rest = b"", bytes(packed)
    while rest:
        member = zlib.decompressobj(_GZIP)
        whole += _bounded(member.decompress(rest, LARGEST + 1 - len(whole)), len(whole))
        if not member.eof:
            raise zlib.error("a batch in gzip ends too early")
        rest = member.unused_data
    return whole


def lz4_decode(packed: bytes) -> bytes:
    """Unpack a frame of LZ4. Raises `SwollenError`."""
    unpacked: bytes = codec.lz4.LZ4FrameDecompressor().decompress(packed, LARGEST + 1)
    return _bounded(unpacked)


def zstd_decode(packed: bytes) -> bytes:
    """Unpack frames of Zstandard. Raises `SwollenError`."""
    unpacker = codec.zstd.ZstdDecompressor(max_window_size=LARGEST)
    with unpacker.stream_reader(io.BytesIO(packed), read_across_frames=True) as reader:
        unpacked: bytes = reader.read(LARGEST + 1)
    return _bounded(unpacked)


def _bounded(unpacked: bytes, before: int = 0) -> bytes:
    if before + len(unpacked) > LARGEST:
        raise SwollenError(f"a batch unpacks to more than {LARGEST} bytes")
    return unpacked


def put_bounds() -> None:
    """Let every consumer of this process unpack by these, where the library is there."""
    ours: dict[str, tuple[object, Callable[..., bytes]]] = {
        "gzip_decode": (zlib, gzip_decode),
        "lz4_decode": (codec.lz4, lz4_decode),
        "zstd_decode": (codec.zstd, zstd_decode),
    }
    for name, (library, decode) in ours.items():
        if library is not None:
            setattr(default_records, name, decode)
            setattr(legacy_records, name, decode)
