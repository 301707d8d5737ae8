"""driftline checkpoints list | show | verify."""

from __future__ import annotations

import dataclasses
import json as text
from pathlib import Path

from driftline.console import out, tell
from driftline.options import Common, Named
from driftline.settings import state_folder
from stream.errors import CheckpointError, SettingError


def list_(*, common: Common | None = None, named: Named | None = None) -> int:
    """List the checkpoints of a learner, oldest first, unverified."""
    from learner.signed import read_header

    rows = []
    for path in _paths(common, named):
        header = read_header(path)
        rows.append(
            {
                "path": str(path),
                "partition": header.partition,
                "cursor": header.cursor,
                "start": header.start,
                "config": header.config,
                "bytes": path.stat().st_size,
            }
        )
    if common and common.json:
        out(text.dumps(rows))
    else:
        for row in rows:
            out(" ".join(f"{key}={value}" for key, value in row.items()))
    return 0


def show_(
    path: Path | None = None, /, *, common: Common | None = None, named: Named | None = None
) -> int:
    """Show what a checkpoint says of itself, unverified.

    Parameters
    ----------
    path
        The checkpoint. Default: the learner's newest.
    """
    from learner.signed import read_header

    if path is None:
        found = _paths(common, named)
        if not found:
            return 1
        path = max(found, key=lambda each: (each.stat().st_mtime_ns, each))
    out(text.dumps(dataclasses.asdict(read_header(path)), indent=2))
    return 0


def verify_(*, common: Common | None = None, named: Named | None = None) -> int:
    """Check the signature and the digest of every checkpoint; leave with 1 if one fails."""
    from learner.keys import key_of
    from learner.signed import verify

    common, named = common or Common(), named or Named()
    state = state_folder(common.address, named.state)
    if named.key_file is None and not (state / "key").is_file():
        raise SettingError(f"{str(state)!r} holds no key; give it with --key-file")
    key = key_of(state, named.key_file)
    failed = 0
    for path in _paths(common, named):
        try:
            header, payload = verify(path, key)
            out(f"fine {path} cursor={header.cursor} bytes={len(payload)}")
        except CheckpointError as error:
            failed += 1
            out(f"bad {error}")
    return 1 if failed else 0


def _paths(common: Common | None, named: Named | None) -> list[Path]:
    common, named = common or Common(), named or Named()
    state = state_folder(common.address, named.state)
    # A folder that is not p and a number has been put aside, as --fresh does.
    found = sorted(
        path
        for path in state.glob(f"*/{named.name}/p*/*")
        if path.name.isdecimal() and path.parent.name[1:].isdecimal()
    )
    if not found:
        tell(f"no checkpoints of learner {named.name!r} in {str(state)!r}")
    return found
