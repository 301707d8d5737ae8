"""The place of all checkpoints: a folder of this host, or the address of a store.

A store is whatever fsspec reaches: `s3://bucket/prefix`, `gs://…`, `file:///…`, `memory://…`.
Its own settings, an endpoint say, come from fsspec's configuration and `FSSPEC_` variables.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from learner.bucket import Bucket
from learner.folder import Folder
from learner.shelf import Shelf
from stream.errors import SettingError

State = Path | str
_SECRETS = re.compile(r"(?<=://)[^/@]*@")
_PARTITION = re.compile(r"p(\d+)")


def is_url(state: State) -> bool:
    """Whether checkpoints lie in a store that is reached by its address.

    >>> is_url("s3://bucket/models"), is_url("models"), is_url(Path("/var/models"))
    (True, False, False)
    """
    return isinstance(state, str) and "://" in state


def shown_state(state: State) -> str:
    """Return a state as it may be shown: without a password.

    >>> shown_state("sftp://me:secret@host/models")
    'sftp://host/models'
    """
    return _SECRETS.sub("", str(state))


def shelf_of(
    state: State, stream: str, learner: str, partition: int, key: bytes | None = None
) -> Shelf:
    """Return where the checkpoints of a partition lie. Raises `SettingError`.

    Who has the `key` sees what a store's manifest names.
    """
    of = f"{stream}/{learner}/p{partition}"
    if not is_url(state):
        return Folder(Path(state) / of)
    fs, root = _opened(str(state))
    place = f"{shown_state(state).rstrip('/')}/{of}"
    return Bucket(fs, f"{root.rstrip('/')}/{of}", place, of, key)


def shelves(state: State, learner: str, key: bytes | None = None) -> list[Shelf]:
    """Return where a learner's checkpoints lie, of every stream and partition there is.

    A place that is not p and a number has been put aside, as --fresh does.
    """
    if is_url(state):
        found = _below(*_opened(str(state)), learner)
    else:
        paths = Path(state).glob(f"*/{learner}/p*")
        found = [(path.parts[-3], path.name) for path in sorted(paths)]
    return [
        shelf_of(state, stream, learner, int(match[1]), key)
        for stream, name in found
        if (match := _PARTITION.fullmatch(name))
    ]


def _below(fs: Any, root: str, learner: str) -> list[tuple[str, str]]:
    try:
        fs.invalidate_cache()
        names = [path.split("/")[-4:] for path in fs.find(root)]
    except FileNotFoundError:
        return []
    return sorted({(s, p) for s, name, p, _ in filter(_deep, names) if name == learner})


def _deep(parts: list[str]) -> bool:
    return len(parts) == 4


def _opened(url: str) -> tuple[Any, str]:
    from fsspec.core import url_to_fs

    try:
        found: tuple[Any, str] = url_to_fs(url)
    except ImportError as error:
        raise SettingError(
            f"--state {shown_state(url)!r} needs a package that is not here: {error}"
        ) from error
    except ValueError as error:
        raise SettingError(
            f"--state {shown_state(url)!r} cannot be used: {error}; give a folder, or an "
            "address as s3://bucket/prefix"
        ) from error
    return found
