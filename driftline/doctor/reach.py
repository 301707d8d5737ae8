"""Whether the log is there and sound: an embedded file, or a Kafka cluster."""

from __future__ import annotations

import os
import shutil
import stat
import time
from collections.abc import Iterator
from pathlib import Path

from driftline.doctor.finding import FAILED, Case, Finding, failed, ok, warn
from driftline.settings import kafka_settings
from stream.connect import connect, sqlite_path

_ROOM = 100 * 2**20
"""Bytes of free disk below which there is a warning."""
_LONG = 64 * 2**20
"""Bytes of a write-ahead log above which there is a warning."""


def reach(case: Case) -> Iterator[Finding]:
    """Open the log for reading; look at a file from outside first."""
    if not case.on_kafka:
        sound = True
        for finding in _file(Path(sqlite_path(case.stream))):
            yield finding
            sound &= finding.status != FAILED
        if not sound:
            return
    case.log = connect(case.stream, kafka=kafka_settings(), create=False, look=True)
    if case.on_kafka:
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


def _answer(log: object) -> Iterator[Finding]:
    from stream.kafka import KafkaLog

    if isinstance(log, KafkaLog):
        cluster = log.cluster
        count = cluster.brokers()
        yield ok(f"Kafka {cluster.version()} answers, {count} broker{'s' * (count != 1)}")
        protocol = str(cluster.settings.get("security_protocol", "PLAINTEXT"))
        mechanism = cluster.settings.get("sasl_mechanism")
        yield ok(f"it is spoken to in {protocol}" + (f" by {mechanism}" if mechanism else ""))
