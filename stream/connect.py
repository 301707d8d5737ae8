"""From an address to a log, or to one topic of somebody else's."""

from __future__ import annotations

import ipaddress
import logging
import os
import re
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from stream.errors import SettingError, TopicMissing
from stream.topic import TOPIC, Log, Topic, check_name, samples_of

KAFKA_SETTING = "DRIFTLINE_KAFKA_"
"""Environment variables that begin so are passed to kafka-python, in lower case.

One that ends in `_FILE` names a file whose text is the value: the way for secrets.
"""

_USER = re.compile(r"//.*@")
_log = logging.getLogger("driftline.kafka")
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
        settings = given_to_kafka(kafka)
        _warn_of_plain_text(brokers, settings)
        return KafkaLog(brokers, name, settings, within=_BRIEFLY if look else float("inf"))
    raise SettingError(
        f"--stream {without_secret(url)!r} is no address of a stream; write sqlite:PATH or "
        "kafka://HOST:PORT/NAME"
    )


def open_topic(
    url: str, setting: str, *, kafka: Mapping[str, object] | None = None
) -> tuple[Log, Topic]:
    """Return a topic of somebody else's, to be read, and the log it is on.

    `url` is `kafka://HOST:PORT[,HOST:PORT]/TOPIC`, or `sqlite:PATH` for the samples of another
    embedded log; `setting` is what brought it, for a message. Nothing is made that is not
    there. Raises `SettingError` when the address is neither, or no such topic is there.
    """
    scheme, _, rest = url.partition(":")
    if scheme == "sqlite" and rest:
        from stream.sqlite import SqliteLog

        log: Log = SqliteLog(sqlite_path(url, setting), create=False)
        name = samples_of(log.stream)
    elif scheme == "kafka" and rest.startswith("//"):
        from stream.kafka import KafkaLog

        brokers, name = _brokers(url, setting, "topic")
        if not TOPIC.fullmatch(name):
            raise SettingError(
                f"{setting} {url!r} names {name!r}, which can be no topic; write "
                "kafka://HOST:PORT/TOPIC"
            )
        settings = given_to_kafka(kafka)
        _warn_of_plain_text(brokers, settings)
        log = KafkaLog(brokers, name, settings)
    else:
        raise SettingError(
            f"{setting} {without_secret(url)!r} is no address of a topic; write "
            "kafka://HOST:PORT/TOPIC, or sqlite:PATH for the samples of an embedded log"
        )
    try:
        return log, log.topic(name)
    except TopicMissing:
        log.close()
        raise SettingError(
            f"{setting} {url!r} holds no topic {name!r}; make it, or name one that is there"
        ) from None


def kafka_address(url: str) -> tuple[list[str], str]:
    """Return the brokers and the name of a stream on Kafka. Raises `SettingError`.

    >>> kafka_address("kafka://a:9092,b/orders")
    (['a:9092', 'b'], 'orders')
    """
    brokers, name = _brokers(url, "--stream", "stream")
    return brokers, check_name(name, "stream")


def _brokers(url: str, setting: str, what: str) -> tuple[list[str], str]:
    """Return the brokers of an address, and the name of what it stands for."""
    hosts, _, name = url.removeprefix("kafka://").partition("/")
    brokers = [broker for broker in hosts.split(",") if broker]
    if "@" in url:
        raise SettingError(
            f"{setting} has a user before '@', and an address is no place for a secret; give "
            "DRIFTLINE_KAFKA_SASL_PLAIN_USERNAME and DRIFTLINE_KAFKA_SASL_PLAIN_PASSWORD_FILE"
        )
    lacking = "broker" if not brokers else what if not name.strip("/") else None
    if lacking:
        raise SettingError(
            f"{setting} {url!r} names no {lacking}; write kafka://HOST:PORT/"
            f"{'NAME' if what == 'stream' else 'TOPIC'}"
        )
    for broker in brokers:
        _check_broker(broker, url, setting)
    return brokers, name.strip("/")


def without_secret(url: str) -> str:
    """Return an address without what stands before an @ in it, for a message.

    >>> without_secret("redis://me:pw@host/0")
    'redis://***@host/0'
    """
    return _USER.sub("//***@", url)


def _warn_of_plain_text(brokers: Sequence[str], settings: Mapping[str, object]) -> None:
    """Say that a password goes over the network for everyone to read, if it does."""
    hosts = [urlsplit(f"//{broker}").hostname or "" for broker in brokers]
    open_to = [host for host in hosts if not _is_loopback(host)]
    if settings.get("security_protocol") == "SASL_PLAINTEXT" and open_to:
        _log.warning(
            "the password goes to %s as plain text, by security_protocol SASL_PLAINTEXT; set "
            "SASL_SSL",
            open_to[0],
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _check_broker(broker: str, url: str, setting: str) -> None:
    try:
        parts = urlsplit(f"//{broker}")
        fine = bool(parts.hostname) and parts.port != 0
    except ValueError:
        fine = False
    if not fine:
        raise SettingError(
            f"{setting} {url!r} has {broker!r}, which is no HOST:PORT with a port up to 65535"
        )


def sqlite_path(url: str, setting: str = "--stream") -> str:
    """Return the path of an embedded log, unless it is something else that only looks so."""
    path = url.removeprefix("sqlite:")
    if path == ":memory:":
        raise SettingError(
            f"{setting} {url!r} would be gone at the end; write sqlite:PATH, a file"
        )
    if path.startswith("//") and not path.startswith("///"):
        raise SettingError(
            f"{setting} {url!r} names a host, and an embedded log is a file; "
            f"write sqlite:{path.lstrip('/') or 'PATH'}"
        )
    return path


def given_to_kafka(kafka: Mapping[str, object] | None = None) -> dict[str, object]:
    """Return settings of kafka-python with those in the environment, which go before them.

    Raises `SettingError` for a file of a secret that cannot be read.
    """
    return {**(kafka or {}), **_from_environment(os.environ)}


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
