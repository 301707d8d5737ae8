"""What is set of kafka-python's clients: by us, by the user, and by nobody.

A setting of a wrong name it finds late, and one of a wrong type where it is used.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer

from stream.errors import SettingError

CHOSEN: dict[Any, dict[str, object]] = {
    KafkaAdminClient: {"reconnect_backoff_max_ms": 1000},
    KafkaConsumer: {
        # At the tail, a request in flight keeps the consumer from reading elsewhere.
        "fetch_max_wait_ms": 100,
        "metrics_enabled": False,
        "reconnect_backoff_max_ms": 1000,
    },
    KafkaProducer: {
        "batch_size": 256 * 1024,
        # Every commit flushes, so lingering only fills the batches.
        "linger_ms": 20,
        "max_block_ms": 10_000,
        "metrics_enabled": False,
        "reconnect_backoff_max_ms": 1000,
    },
}
"""What we set otherwise than kafka-python, and the user may set otherwise again."""
FIXED: dict[str, object] = {
    "allow_auto_create_topics": False,
    "auto_offset_reset": "none",
    "enable_auto_commit": False,
    "isolation_level": "read_committed",
}
OURS = {
    *FIXED,
    *("acks", "bootstrap_servers", "bootstrap_timeout_ms", "enable_idempotence", "group_id"),
    *("group_instance_id", "kafka_client", "key_deserializer", "key_serializer"),
    *("partitioner", "retries", "transactional_id", "value_deserializer", "value_serializer"),
}
"""The settings on which our promises rest; nobody else may choose them."""
FILES = {"ssl_cafile", "ssl_certfile", "ssl_crlfile", "ssl_keyfile"}
PROTOCOLS = ("PLAINTEXT", "SASL_PLAINTEXT", "SASL_SSL", "SSL")
TEXTS = {"client_id", "sasl_plain_password", "sasl_plain_username", "ssl_password"}


def checked(settings: Mapping[str, object]) -> dict[str, object]:
    """Return settings as kafka-python wants them; raise `SettingError` for one it does not.

    >>> checked({"fetch_min_bytes": "1000", "sasl_plain_password": "007"})
    {'fetch_min_bytes': 1000, 'sasl_plain_password': '007'}
    """
    known: dict[str, object] = {"replication_factor": -1}
    for kind in CHOSEN:
        known |= kind.DEFAULT_CONFIG
    for name in settings:
        if name in OURS:
            raise SettingError(f"kafka setting {name!r} is not free to choose; leave it out")
        if name not in known:
            near = difflib.get_close_matches(name, known.keys() - OURS, 1)
            hint = f"did you mean {near[0]!r}?" if near else "see those of kafka-python"
            raise SettingError(f"kafka setting {name!r} does not exist; {hint}")
    return {name: _typed(name, value, known[name]) for name, value in settings.items()}


def _typed(name: str, value: object, default: object) -> object:
    """Return a text as a value of the kind that kafka-python has by default."""
    if name in TEXTS:
        return str(value)
    if name in FILES and value is not None and not Path(str(value)).is_file():
        raise SettingError(f"kafka setting {name!r} names {value!r}, where there is no file")
    # Of a protocol it does not know kafka-python makes PLAINTEXT, password or no password.
    if name == "security_protocol" and value not in PROTOCOLS:
        raise SettingError(
            f"kafka setting {name!r} cannot be {value!r}; choose one of {', '.join(PROTOCOLS)}"
        )
    try:
        if isinstance(value, str) and name == "api_version":
            return tuple(int(part) for part in value.split("."))
        if isinstance(value, str) and isinstance(default, bool):
            return {"true": True, "false": False}[value.lower()]
        if isinstance(value, str) and isinstance(default, int | float):
            return int(value)
    except (KeyError, ValueError):
        raise SettingError(
            f"kafka setting {name!r} cannot be {value!r}; see the settings of kafka-python"
        ) from None
    return value
