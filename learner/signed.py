"""The form of a checkpoint: what it says of itself, what it holds, and the proof of both.

driftline checkpoint 1 <newline>
header, one line of JSON: what it is of, where it stands, what it was made with
payload: the pickled learner
HMAC-SHA256 over all of the above, 32 bytes
"""

from __future__ import annotations

import hashlib
import hmac
import json
import platform
from dataclasses import asdict, dataclass
from functools import cache
from importlib.metadata import version
from typing import Any

from stream.errors import CheckpointError

_MAGIC = b"driftline checkpoint 1\n"
_MAC = 32
_LIBRARIES = ("river", "scikit-learn", "numpy", "msgspec")


class Damaged(CheckpointError):
    """A checkpoint that is not what was written; the one before it may still be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What a checkpoint says of itself before anything of it is believed."""

    stream: str
    learner: str
    partition: int
    start: int
    cursor: int
    config: str
    identity: str
    versions: dict[str, str]
    length: int
    sha256: str
    key: str
    settings: dict[str, Any] | None = None
    """The configuration by name, for a person; older checkpoints have only its hash."""
    probes: list[Any] | None = None
    """Samples and what was guessed for them; see `learner.probes`."""


@cache
def versions() -> dict[str, str]:
    """Return the versions of whatever decides the last bit of a guess."""
    found = {name: version(name) for name in _LIBRARIES}
    return {"python": platform.python_version(), "machine": platform.machine(), **found}


def differences(theirs: dict[str, str]) -> str:
    """Return in words where other versions than the present ones were used."""
    ours = versions()
    names = [n for n in {**ours, **theirs} if ours.get(n) != theirs.get(n)]
    return ", ".join(f"{n} {theirs.get(n)} (here {ours.get(n)})" for n in names)


def sealed(header: Header, payload: bytes, key: bytes) -> bytes:
    """Return a checkpoint whole, signed."""
    return sign(b"".join((_MAGIC, json.dumps(asdict(header)).encode(), b"\n", payload)), key)


def digest_of(payload: bytes) -> str:
    """Return the hex digits by which a header knows its payload."""
    return hashlib.sha256(payload).hexdigest()


def verify(name: str, body: bytes, key: bytes) -> tuple[Header, bytes]:
    """Return the header and the payload of a checkpoint. Raises `CheckpointError`."""
    header, start = _header(name, body[:-_MAC])
    if header.key != key_id(key):
        raise CheckpointError(
            f"checkpoint {name!r} was signed with key {header.key}, this key is "
            f"{key_id(key)}; give the right one with --key-file, or start with --rebuild"
        )
    signed = signed_part(body, key)
    if signed is None:
        raise Damaged(f"checkpoint {name!r} is damaged or forged")
    payload = signed[start:]
    if len(payload) != header.length or digest_of(payload) != header.sha256:
        raise Damaged(f"checkpoint {name!r} does not match its own digest")
    return header, payload


def read_header(name: str, body: bytes) -> Header:
    """Return what a checkpoint says of itself, unverified. Raises `Damaged`."""
    return _header(name, body)[0]


def _header(name: str, signed: bytes) -> tuple[Header, int]:
    end = signed.find(b"\n", len(_MAGIC))
    if not signed.startswith(_MAGIC) or end < 0:
        raise Damaged(f"{name!r} is no checkpoint: it does not begin like one")
    try:
        return Header(**json.loads(signed[len(_MAGIC) : end])), end + 1
    except (ValueError, TypeError, RecursionError) as error:
        raise Damaged(f"{name!r} is no checkpoint: {error}") from None


def sign(body: bytes, key: bytes) -> bytes:
    """Return bytes with their signature behind them."""
    return body + hmac.digest(key, body, "sha256")


def signed_part(body: bytes, key: bytes) -> bytes | None:
    """Return the bytes before a signature, None where it is not theirs by this key."""
    signed, mac = body[:-_MAC], body[-_MAC:]
    return signed if hmac.compare_digest(hmac.digest(key, signed, "sha256"), mac) else None


def key_id(key: bytes) -> str:
    """Return eight hex digits that tell keys apart and do not give them away."""
    return hashlib.sha256(b"driftline key id" + key).hexdigest()[:8]
