"""What is there before any stream: versions, the settings file, the ports."""

from __future__ import annotations

import errno
import importlib.metadata
import platform
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator

from driftline.doctor.finding import Case, Finding, failed, ok, warn
from driftline.settings import FILE, kafka_settings
from stream.connect import given_to_kafka

_NEEDED = ("river", "scikit-learn", "kafka-python")
_OPTIONAL = {
    "pyarrow": "Parquet and Arrow files as sources",
    "fastavro": "Avro files as sources",
}


def versions(case: Case) -> Iterator[Finding]:
    """Name the versions of whatever decides what is computed, and what is missing."""
    yield ok(f"Python {platform.python_version()} on {platform.platform()}")
    yield ok(f"driftline {_version('driftline') or 'from its source, not installed'}")
    for name in _NEEDED:
        if found := _version(name):
            yield ok(f"{name} {found}")
        else:
            yield failed(f"{name} is missing", f"install {name}")
    if found := _version("crc32c"):
        yield ok(f"crc32c {found}")
    else:
        yield warn(
            "crc32c is missing", "install crc32c: reading Kafka is a third as fast without"
        )
    for name, use in _OPTIONAL.items():
        yield ok(f"{name} {_version(name) or f'is not there, and only needed for {use}'}")


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def settings_file(case: Case) -> Iterator[Finding]:
    """Say which settings file is read; a wrong one has ended the doctor before this."""
    if case.on_kafka:
        yield from _of_kafka()
    if not FILE.is_file():
        yield ok(f"no {FILE} in {str(FILE.absolute().parent)!r}, so all settings are defaults")
        return
    yield ok(f"{str(FILE.absolute())!r} is read, and every setting in it is known")
    if kafka_settings() and not case.on_kafka:
        yield warn(f"{FILE} has [kafka], and the stream is none of Kafka's", "check --stream")


def _of_kafka() -> Iterator[Finding]:
    """Look at the settings of the client: their names, what they may be, files they name."""
    from stream.kafka_settings import checked

    names = ", ".join(sorted(checked(given_to_kafka(kafka_settings()))))
    yield ok(f"for Kafka's client are set: {names}" if names else "none for Kafka's client")


def ports(case: Case) -> Iterator[Finding]:
    """Look whether the monitor's port is free, and what is on Prometheus's."""
    yield _port(case.host, case.port, "/livez", "monitor", "--port")
    yield _port(case.host, case.prometheus_port, "/-/ready", "Prometheus", "--prometheus-port")


def _port(host: str, port: int, path: str, service: str, flag: str) -> Finding:
    if not 0 <= port <= 65535:
        return failed(f"{flag} {port} is no port", "choose one from 1 to 65535")
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        socket.create_server(address[:2], family=family).close()
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return _taken(host, port, path, service, flag)
        return failed(
            f"nothing can listen on {host} port {port}: {error.strerror or error}",
            f"choose another with --host or {flag}",
        )
    return ok(f"port {port} on {host} is free, for the {service}")


def _taken(host: str, port: int, path: str, service: str, flag: str) -> Finding:
    name = f"[{host}]" if ":" in host else host
    try:
        with urllib.request.urlopen(f"http://{name}:{port}{path}", timeout=2.0) as answer:
            if answer.status == 200:
                return ok(f"port {port} on {host} is in use: a {service} answers there")
    except (OSError, ValueError):
        pass
    return warn(
        f"port {port} on {host} is in use, and no {service} answers there",
        f"end what has it, or choose another with {flag}",
    )
