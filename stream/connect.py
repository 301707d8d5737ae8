"""From an address to a log."""

from __future__ import annotations

import os
from collections.abc import Mapping
from urllib.parse import urlsplit

from stream.errors import SettingError
from stream.topic import Log, check_name

KAFKA_SETTING = "DRIFTLINE_KAFKA_"
"""Environment variables that begin so are passed to kafka-python, in lower case.

One that ends in `_FILE` names a file whose text is the value: the way for secrets.
"""

_BRIEFLY = 10.0
"""Seconds for which a broker is waited for by one who only looks."""


def connect(
    url: str,
    *,
    kafka: Mapping[str, object] | None = None,
    create: bool = True,
    look: bool = False,
) -> Log:
    """Return the log at `sqlite:PATH` or `kafka://HOST:PORT[,HOST:PORT]/NAME`.

    `kafka` are settings of kafka-python by its own names; those in the environment go
    before them. Without `create` an embedded log must be there already. Raises `SettingError`
    when the address is neither. A broker that is not up yet is waited for. To `look` is to
    change nothing: an embedded log is opened for reading, a broker waited for briefly.
    """
    scheme, _, rest = url.partition(":")
    if scheme == "sqlite" and rest:
        from stream.sqlite import SqliteLog

        return SqliteLog(sqlite_path(url), create=create, read_only=look)
    if scheme == "kafka" and rest.startswith("//"):
        from stream.kafka import KafkaLog

        brokers, name = kafka_address(url)
        settings = {**(kafka or {}), **_from_environment(os.environ)}
        return KafkaLog(brokers, name, settings, within=_BRIEFLY if look else float("inf"))
    raise SettingError(
        f"--stream {url!r} is no address of a stream; write sqlite:PATH or kafka://HOST:PORT/NAME"
    )


def kafka_address(url: str) -> tuple[list[str], str]:
    """Return the brokers and the name of a stream on Kafka. Raises `SettingError`.

    >>> kafka_address("kafka://a:9092,b/orders")
    (['a:9092', 'b'], 'orders')
    """
    hosts, _, name = url.removeprefix("kafka://").partition("/")
    brokers = [broker for broker in hosts.split(",") if broker]
    lacking = "broker" if not brokers else "stream" if not name.strip("/") else None
    if lacking:
        raise SettingError(f"--stream {url!r} names no {lacking}; write kafka://HOST:PORT/NAME")
    if "@" in hosts:
        raise SettingError(
            "--stream has a user before '@', and an address is no place for a secret; give "
            "DRIFTLINE_KAFKA_SASL_PLAIN_USERNAME and DRIFTLINE_KAFKA_SASL_PLAIN_PASSWORD_FILE"
        )
    for broker in brokers:
        _check_broker(broker, url)
    return brokers, check_name(name.strip("/"), "stream")


def _check_broker(broker: str, url: str) -> None:
    try:
        parts = urlsplit(f"//{broker}")
        fine = bool(parts.hostname) and parts.port != 0
    except ValueError:
        fine = False
    if not fine:
        raise SettingError(
            f"--stream {url!r} has {broker!r}, which is no HOST:PORT with a port up to 65535"
        )


def sqlite_path(url: str) -> str:
    """Return the path of an embedded log, unless it is something else that only looks so."""
    path = url.removeprefix("sqlite:")
    if path == ":memory:":
        raise SettingError(
            f"--stream {url!r} would be gone at the end; write sqlite:PATH, a file"
        )
    if path.startswith("//") and not path.startswith("///"):
        raise SettingError(
            f"--stream {url!r} names a host, and an embedded log is a file; "
            f"write sqlite:{path.lstrip('/') or 'PATH'}"
        )
    return path


def _from_environment(environment: Mapping[str, str]) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, value in environment.items():
        if not name.startswith(KAFKA_SETTING):
            continue
        key = name.removeprefix(KAFKA_SETTING).lower()
        if key.endswith("_file"):
            key, value = key.removesuffix("_file"), _text_of_file(name, value)
        found[key] = value
    return found


def _text_of_file(name: str, path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(f"{name} names {path!r}, which cannot be read: {error}") from None
