"""Whether the log is there and sound: an embedded file, or a Kafka cluster."""

from __future__ import annotations

import os
import shutil
import socket
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from driftline.doctor.finding import Case, Finding, failed, ok, warn
from driftline.settings import kafka_settings
from stream.connect import connect, kafka_address, sqlite_path

_PORT = 9092
_TRY = 5.0
"""Seconds for one connection."""
_ROOM = 100 * 2**20
"""Bytes of free disk below which there is a warning."""
_LONG = 64 * 2**20
"""Bytes of a write-ahead log above which there is a warning."""


def reach(case: Case) -> Iterator[Finding]:
    """Look at the log from outside, then open it for reading."""
    kafka = case.stream.startswith("kafka:")
    sound = True
    for finding in _cluster(case.stream) if kafka else _file(Path(sqlite_path(case.stream))):
        yield finding
        sound &= finding.status != "failed"
    if not sound:
        return
    case.log = connect(case.stream, kafka=kafka_settings(), create=False, look=True)
    if kafka:
        yield from _answer(case.log)
    else:
        yield ok(f"the stream is called {case.log.stream!r}, as in every embedded log")


def _file(path: Path) -> Iterator[Finding]:
    from stream.sqlite_file import check

    if not path.is_file():
        yield failed(
            f"there is no file {str(path)!r}",
            "name the one that 'driftline produce' made, as --stream sqlite:PATH, or run it",
        )
        return
    mode = stat.filemode(path.stat().st_mode)
    if not os.access(path, os.R_OK):
        yield failed(f"{str(path)!r} cannot be read ({mode})", "let this user read it")
        return
    yield ok(f"{str(path)!r} is there, {_size(path.stat().st_size)}, {mode}")
    if os.access(path, os.W_OK) and os.access(path.absolute().parent, os.W_OK):
        yield ok("the file and its folder can be written")
    else:
        yield failed("the file or its folder cannot be written", "let this user write both")
    began = time.monotonic()
    health = check(path)
    seconds = time.monotonic() - began
    if health.flaws:
        yield failed(f"the file is damaged: {health.flaws[0]}", "restore it from a copy")
    elif health.whole:
        yield ok(f"the file is sound, checked in {seconds:.1f} s")
    else:
        yield ok(
            f"the file was sound as far as {seconds:.0f} s went; it is too large to check whole"
        )
    yield from _disk(path)


def _disk(path: Path) -> Iterator[Finding]:
    from stream.sqlite_file import wal_of

    free = shutil.disk_usage(path.absolute().parent).free
    if free < _ROOM:
        yield warn(f"{_size(free)} are free on its disk", "make room, or shorten retention")
    else:
        yield ok(f"{_size(free)} are free on its disk")
    wal = wal_of(path)
    size = wal.stat().st_size if wal.is_file() else 0
    if size > _LONG:
        yield warn(
            f"its write-ahead log has {_size(size)}",
            "end whatever reads the file with a tool of its own and keeps it open",
        )
    else:
        yield ok(f"its write-ahead log has {_size(size)}")


def _size(count: float) -> str:
    """Return a number of bytes for a person.

    >>> _size(512), _size(3 * 2**20)
    ('512 B', '3.0 MiB')
    """
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024:
            return f"{count:.0f} B" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} TiB"


def _cluster(url: str) -> Iterator[Finding]:
    """Look whether any broker of an address can be reached; one is enough to find the rest."""
    brokers, _ = kafka_address(url)
    found = [_broker(broker) for broker in brokers]
    any_ok = any(each.status == "ok" for each in found)
    for each in found:
        # One that is away costs nothing as long as another answers.
        yield each._replace(status="warn") if any_ok and each.status == "failed" else each


def _broker(broker: str) -> Finding:
    parts = urlsplit(f"//{broker}")
    host, port = parts.hostname or "", parts.port or _PORT
    try:
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        return failed(
            f"the name {host!r} leads to no address: {error.strerror or error}",
            "correct the name in --stream, or this machine's DNS",
        )
    numbers = ", ".join(sorted({str(address[4][0]) for address in addresses}))
    began = time.monotonic()
    try:
        socket.create_connection((host, port), timeout=_TRY).close()
    except OSError as error:
        return failed(
            f"{host} ({numbers}) takes no connection on port {port}: {error.strerror or error}",
            "start the broker, or correct host and port in --stream, or let the network pass",
        )
    milliseconds = 1000 * (time.monotonic() - began)
    return ok(f"{host} ({numbers}) takes connections on port {port}, in {milliseconds:.0f} ms")


def _answer(log: object) -> Iterator[Finding]:
    from stream.kafka import KafkaLog

    if isinstance(log, KafkaLog):
        cluster = log.cluster
        count = cluster.brokers()
        yield ok(f"Kafka {cluster.version()} answers, {count} broker{'s' * (count != 1)}")
        protocol = str(cluster.settings.get("security_protocol", "PLAINTEXT"))
        mechanism = cluster.settings.get("sasl_mechanism")
        yield ok(f"it is spoken to in {protocol}" + (f" by {mechanism}" if mechanism else ""))
