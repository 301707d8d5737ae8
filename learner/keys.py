"""The key that signs checkpoints."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import stat
from pathlib import Path

from learner.state import State, is_url, shown_state
from stream.errors import SettingError

_log = logging.getLogger("driftline.learner")
_SHORTEST = 32
"""Characters of a key, at least."""
HOW_TO_SHARE = (
    "make one with 'driftline checkpoints key FILE', and give it with --key-file to each of "
    "them"
)


def key_of(state: State, file: Path | None = None, *, anew: bool = False) -> bytes:
    """Return the key that signs checkpoints: the text of `file`, else the state folder's own.

    That one is made on first use, for its owner's eyes only; where there are checkpoints
    already, only if they are not needed (`anew`). A store that others reach as well holds no
    key: there it is always a file. Raises `SettingError`.
    """
    path = _path(state, file)
    try:
        if file is None and not path.exists():
            if not anew and any(path.parent.glob("*/*/p*/[0-9]*")):
                raise SettingError(
                    f"{str(state)!r} holds checkpoints, but the key that signed them is gone; "
                    "give it with --key-file, or start with --rebuild or --fresh"
                )
            _make(path)
        key = path.read_bytes().strip()
        found = path.stat()
    except FileNotFoundError as error:
        raise SettingError(
            f"key file {str(path)!r} is not there; make it with 'driftline checkpoints key "
            f"{path}', and give the same to every learner of these checkpoints"
        ) from error
    except OSError as error:
        raise SettingError(
            f"key file {str(path)!r} cannot be used: {error}; choose another --state folder "
            "or --key-file"
        ) from error
    if len(key) < _SHORTEST:
        raise SettingError(
            f"key file {str(path)!r} holds {len(key)} characters; a key has at least "
            f"{_SHORTEST}"
        )
    mode = stat.S_IMODE(found.st_mode)
    if os.name == "posix" and mode & _open_to(found.st_uid):
        _log.warning(
            "key file %s is open to others than its owner (mode %04o): who has it can forge "
            "checkpoints, and a forged one runs any code; chmod 600 it",
            *(path, mode),
        )
    return key


def _open_to(owner: int) -> int:
    """Return the bits of a mode by which others than we get in.

    A file of another owner that we may read as one of its group has been given to us so: by
    Kubernetes, say, whose Secrets are root's and the group's of the pod.
    """
    return 0o077 if owner == os.getuid() else 0o037


def has_key(state: State, file: Path | None = None) -> bool:
    """Whether there is a key to be had; to look makes none."""
    return file is not None or (not is_url(state) and (Path(state) / "key").is_file())


def make_key(path: Path) -> None:
    """Make a key in a new file, mode 0600. Raises `SettingError` where one is already."""
    if path.exists():
        raise SettingError(f"{str(path)!r} is there already; a key is made in a new file")
    try:
        _make(path)
    except OSError as error:
        raise SettingError(
            f"key file {str(path)!r} cannot be made: {error}; choose another place"
        ) from error


def _path(state: State, file: Path | None) -> Path:
    if file is not None:
        return file
    if is_url(state):
        raise SettingError(
            f"--state {shown_state(state)!r} is shared with other learners, who must all have "
            f"the same key; {HOW_TO_SHARE}"
        )
    return Path(state) / "key"


def _make(path: Path) -> None:
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
