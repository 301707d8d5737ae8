"""The key that signs checkpoints."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from stream.errors import SettingError


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
