"""A learner to disk and back: whole, or not at all, and only if it is ours.

    driftline checkpoint 1 <newline>
    header, one line of JSON: what it is of, where it stands, what it was made with
    payload: the pickled learner
    HMAC-SHA256 over all of the above, 32 bytes

A pickle runs code when it is loaded, so nothing is unpickled before the HMAC has been
checked. Written beside, synced, renamed, folder synced: a crash leaves the old file or the
new one.
"""

from __future__ import annotations

import contextlib
import copyreg
import hashlib
import hmac
import io
import json
import os
import pickle
import platform
import secrets
import time
from dataclasses import asdict, dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from types import FunctionType
from typing import Any

from learner.learner import Learner
from stream.errors import CheckpointError, SettingError
from stream.records import as_key

_MAGIC = b"driftline checkpoint 1\n"
_MAC = 32
_KEPT = 3
"""Checkpoints kept of each partition: the newest could be the damaged one."""
_NAME = 32
"""Characters of a string that may be one object with a record's; longer ones never are."""
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


@cache
def versions() -> dict[str, str]:
    """Return the versions of whatever decides the last bit of a guess."""
    found = {name: version(name) for name in _LIBRARIES}
    return {"python": platform.python_version(), "machine": platform.machine(), **found}


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """The checkpoints of one partition of one learner, in one folder, newest last.

    `identity` is the topic's, so that a topic made anew is not taken for the old one.
    """

    folder: Path
    stream: str
    learner: str
    partition: int
    identity: str
    key: bytes

    @classmethod
    def at(
        cls, state: Path, stream: str, learner: str, partition: int, identity: str, key: bytes
    ) -> Checkpoints:
        """Return the checkpoints below a state folder."""
        folder = state / stream / learner / f"p{partition}"
        return cls(folder, stream, learner, partition, identity, key)

    def save(self, learner: Learner) -> Learner:
        """Store the learner at its cursor; return the one to go on with. Raises `OSError`."""
        payload = _dumps(learner)
        header = Header(
            stream=self.stream,
            learner=self.learner,
            partition=self.partition,
            start=learner.start,
            cursor=learner.cursor,
            config=learner.config.hash,
            identity=self.identity,
            versions=versions(),
            length=len(payload),
            sha256=hashlib.sha256(payload).hexdigest(),
            key=key_id(self.key),
            settings=learner.config.settings,
        )
        body = b"".join((_MAGIC, json.dumps(asdict(header)).encode(), b"\n", payload))
        body += hmac.digest(self.key, body, "sha256")
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _write(self.folder / f"{learner.cursor:020d}", body)
        self._prune()
        # To be pickled makes an object slower for good; what was just loaded is not.
        alike: Learner = _Unpickler(payload).load()
        return alike

    def _prune(self) -> None:
        for old in self.paths()[:-_KEPT]:
            old.unlink(missing_ok=True)

    def paths(self) -> list[Path]:
        """Return the files there are, lowest cursor first."""
        if not self.folder.is_dir():
            return []
        return sorted(path for path in self.folder.iterdir() if path.name.isdecimal())

    def retire(self) -> None:
        """Put all checkpoints aside, into a folder that nothing reads."""
        if self.paths():
            aside = self.folder.with_name(f"{self.folder.name}.before-{time.time_ns()}")
            self.folder.rename(aside)

    def oldest(self) -> int | None:
        """Return the cursor of the oldest checkpoint, from which a restart might replay."""
        paths = self.paths()
        return int(paths[0].name) if paths else None

    def size(self) -> int | None:
        """Return the bytes of the newest checkpoint, None where there is none."""
        paths = self.paths()
        return paths[-1].stat().st_size if paths else None

    def load(self, path: Path) -> tuple[Header, Learner]:
        """Return a checkpoint of this partition, once all of it has been verified.

        Raises `CheckpointError` when it is damaged, signed with another key, of another
        topic, or was made with other versions of what decides a guess.
        """
        header, payload = verify(path, self.key)
        for name in ("stream", "learner", "partition", "identity"):
            if getattr(header, name) != getattr(self, name):
                raise CheckpointError(
                    f"checkpoint {str(path)!r} has {name} {getattr(header, name)!r}, this is "
                    f"{getattr(self, name)!r}; use another --state folder"
                )
        if header.versions != versions():
            raise CheckpointError(
                f"checkpoint {str(path)!r} was made with {_differences(header.versions)}; "
                "install those versions, or start with --rebuild to replay the stream"
            )
        try:
            learner = _Unpickler(payload).load()
        except Exception as error:
            raise CheckpointError(
                f"checkpoint {str(path)!r} cannot be loaded by this version ({error}); start "
                "with --rebuild to replay the stream"
            ) from error
        if not isinstance(learner, Learner) or learner.cursor != header.cursor:
            raise CheckpointError(f"checkpoint {str(path)!r} holds no learner at its cursor")
        return header, learner


class _Pickler(pickle.Pickler):
    """Lets objects be loaded attribute by attribute, and strings as records have them.

    Up to Python 3.12 an object whose `__dict__` was ever asked for, as pickle does in both
    directions, keeps its attributes in that dict, and River's trees are a fifth slower. And
    a model looks every feature up by its name, which is slower where the name it knows is
    equal to that in a record, but another object.
    """

    def persistent_id(self, obj: Any) -> str | None:
        """Let `_Unpickler` see every string that may be a feature's name."""
        return obj if type(obj) is str and len(obj) <= _NAME else None

    def reducer_override(self, obj: Any) -> Any:
        kind: Any = type(obj)
        if (
            isinstance(obj, (type, FunctionType))
            or kind in copyreg.dispatch_table
            or not hasattr(kind, "__dict__")
            or hasattr(kind, "__setstate__")
            or kind.__setattr__ is not object.__setattr__
        ):
            return NotImplemented
        found = obj.__reduce_ex__(5)
        if type(found) is tuple and len(found) > 2 and type(found[2]) is dict:
            # As if they were slots: pickle sets those one by one.
            return (*found[:2], (None, found[2]), *found[3:])
        return found


class _Unpickler(pickle.Unpickler):
    """Loads what `_Pickler` has stored."""

    def __init__(self, payload: bytes) -> None:
        super().__init__(io.BytesIO(payload))
        self._keys: dict[str, str] = {}

    def persistent_load(self, pid: str) -> str:
        """Return a string as the object that records have it by."""
        key = self._keys.get(pid)
        if key is None:
            key = self._keys[pid] = as_key(pid)
        return key


def _dumps(learner: Learner) -> bytes:
    file = io.BytesIO()
    try:
        _Pickler(file, protocol=5).dump(learner)
    except (pickle.PicklingError, TypeError, AttributeError) as error:
        raise SettingError(
            f"model {learner.config.model!r} cannot be pickled, so it cannot be saved: "
            f"{error}; choose a model of plain objects"
        ) from error
    return file.getvalue()


def size_of(learner: Learner) -> int:
    """Return the bytes of a learner's state, as a checkpoint would hold it."""
    return len(_dumps(learner))


def verify(path: Path, key: bytes) -> tuple[Header, bytes]:
    """Return the header and the payload of a checkpoint. Raises `CheckpointError`."""
    try:
        body = path.read_bytes()
    except OSError as error:
        raise Damaged(f"checkpoint {str(path)!r} cannot be read: {error}") from error
    signed, mac = body[:-_MAC], body[-_MAC:]
    header, start = _header(path, signed)
    if header.key != key_id(key):
        raise CheckpointError(
            f"checkpoint {str(path)!r} was signed with key {header.key}, this key is "
            f"{key_id(key)}; give the right one with --key-file, or start with --rebuild"
        )
    if not hmac.compare_digest(hmac.digest(key, signed, "sha256"), mac):
        raise Damaged(f"checkpoint {str(path)!r} is damaged or forged")
    payload = signed[start:]
    if len(payload) != header.length or hashlib.sha256(payload).hexdigest() != header.sha256:
        raise Damaged(f"checkpoint {str(path)!r} does not match its own digest")
    return header, payload


def _header(path: Path, signed: bytes) -> tuple[Header, int]:
    end = signed.find(b"\n", len(_MAGIC))
    if not signed.startswith(_MAGIC) or end < 0:
        raise Damaged(f"{str(path)!r} is no checkpoint: it does not begin like one")
    try:
        return Header(**json.loads(signed[len(_MAGIC) : end])), end + 1
    except (ValueError, TypeError) as error:
        raise Damaged(f"{str(path)!r} is no checkpoint: {error}") from None


def read_header(path: Path) -> Header:
    """Return what a checkpoint says of itself, unverified. Raises `CheckpointError`."""
    try:
        return _header(path, path.read_bytes())[0]
    except OSError as error:
        raise CheckpointError(f"checkpoint {str(path)!r} cannot be read: {error}") from error


def _differences(theirs: dict[str, str]) -> str:
    ours = versions()
    names = [n for n in {**ours, **theirs} if ours.get(n) != theirs.get(n)]
    return ", ".join(f"{n} {theirs.get(n)} (here {ours.get(n)})" for n in names)


def _write(path: Path, body: bytes) -> None:
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    # Windows has no descriptor for a folder, and needs none.
    with contextlib.suppress(PermissionError, IsADirectoryError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def key_id(key: bytes) -> str:
    """Return eight hex digits that tell keys apart and do not give them away."""
    return hashlib.sha256(b"driftline key id" + key).hexdigest()[:8]


def key_of(state: Path, file: Path | None = None, *, anew: bool = False) -> bytes:
    """Return the key that signs checkpoints: the text of `file`, else the state folder's own.

    That one is made on first use, for its owner's eyes only; where there are checkpoints
    already, only if they are not needed (`anew`). Raises `SettingError`.
    """
    path = file or state / "key"
    try:
        if file is None and not path.exists():
            if not anew and any(state.glob("*/*/p*/[0-9]*")):
                raise SettingError(
                    f"{str(state)!r} holds checkpoints, but the key that signed them is gone; "
                    "give it with --key-file, or start with --rebuild or --fresh"
                )
            _make_key(path)
        key = path.read_bytes().strip()
    except OSError as error:
        raise SettingError(
            f"key file {str(path)!r} cannot be used: {error}; choose another --state folder "
            "or --key-file"
        ) from error
    if len(key) < 32:
        raise SettingError(
            f"key file {str(path)!r} holds {len(key)} characters; a key has at least 32"
        )
    return key


def _make_key(path: Path) -> None:
    """Make a key, whole or not at all; of two who try at once one wins, and both use it."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    beside = path.with_name(f".key.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(32))
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(beside, path)
    finally:
        beside.unlink(missing_ok=True)
