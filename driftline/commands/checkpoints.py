"""driftline checkpoints list | show | verify | key."""

from __future__ import annotations

import dataclasses
import json as text
from pathlib import Path
from typing import TYPE_CHECKING

from driftline.console import out, tell
from driftline.options import Common, Named, Place
from driftline.settings import state_folder
from stream.errors import CheckpointError, SettingError

if TYPE_CHECKING:
    from learner.shelf import Entry, Shelf
    from learner.signed import Header

KEY = Path("driftline.key")
"""The file of a key, where none is named."""


def list_(*, common: Common | None = None, named: Named | None = None) -> int:
    """List the checkpoints of a learner, oldest first, unverified."""
    rows = []
    for shelf, entry in _found(common, named):
        header = _header(shelf, entry)
        rows.append(
            {
                "path": entry.name,
                "partition": header.partition,
                "cursor": header.cursor,
                "start": header.start,
                "config": header.config,
                "bytes": entry.size,
            }
        )
    if common and common.json:
        out(text.dumps(rows))
    else:
        for row in rows:
            out(" ".join(f"{key}={value}" for key, value in row.items()))
    return 0


def show_(
    path: Path | None = None, /, *, common: Place | None = None, named: Named | None = None
) -> int:
    """Show what a checkpoint says of itself, unverified.

    Parameters
    ----------
    path
        The checkpoint. Default: the learner's newest.
    """
    from learner.signed import read_header

    if path is not None:
        try:
            header = read_header(str(path), path.read_bytes())
        except OSError as error:
            raise CheckpointError(
                f"checkpoint {str(path)!r} cannot be read: {error}"
            ) from error
    else:
        found = _found(common, named)
        if not found:
            return 1
        header = _header(*max(found, key=lambda each: (each[1].written or 0, each[1].name)))
    # The samples themselves are nobody's business here.
    said = dataclasses.asdict(header) | {"probes": len(header.probes or ())}
    out(text.dumps(said, indent=2))
    return 0


def verify_(*, common: Place | None = None, named: Named | None = None) -> int:
    """Check the signature and the digest of every checkpoint; leave with 1 if one fails."""
    from learner.keys import has_key, key_of
    from learner.signed import verify

    common, named = common or Place(), named or Named()
    state = state_folder(common.address, named.state)
    if isinstance(state, Path) and not has_key(state, named.key_file):
        raise SettingError(f"{str(state)!r} holds no key; give it with --key-file")
    key = key_of(state, named.key_file)
    failed = 0
    for shelf, entry in _found(common, named, key):
        try:
            header, payload = verify(entry.name, _read(shelf, entry), key)
            out(f"fine {entry.name} cursor={header.cursor} bytes={len(payload)}")
        except CheckpointError as error:
            failed += 1
            out(f"bad {error}")
    return 1 if failed else 0


def key_(path: Path = KEY, /) -> int:
    """Make a key for learners that share their checkpoints, in a file for its owner alone.

    Parameters
    ----------
    path
        The file, which must not be there yet. Default: driftline.key.
    """
    from learner.keys import make_key

    make_key(path)
    tell(f"made {path}; give it to every learner of these checkpoints with --key-file")
    return 0


def _header(shelf: Shelf, entry: Entry) -> Header:
    from learner.signed import read_header

    return read_header(entry.name, _read(shelf, entry))


def _read(shelf: Shelf, entry: Entry) -> bytes:
    try:
        return shelf.read(entry)
    except OSError as error:
        raise CheckpointError(f"checkpoint {entry.name!r} cannot be read: {error}") from error


def _found(
    common: Place | None, named: Named | None, key: bytes | None = None
) -> list[tuple[Shelf, Entry]]:
    from learner.state import shelves, shown_state

    common, named = common or Place(), named or Named()
    state = state_folder(common.address, named.state)
    try:
        found = [
            (each, entry)
            for each in shelves(state, named.name, key)
            for entry in each.entries()
        ]
    except OSError as error:
        raise SettingError(f"--state {shown_state(state)!r} cannot be read: {error}") from error
    if not found:
        tell(f"no checkpoints of learner {named.name!r} in {shown_state(state)!r}")
    return found
