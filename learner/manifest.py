"""The object that is written last, and says which checkpoints there are.

driftline manifest 1 <newline>
one line of JSON: of which partition, and the name, cursor, size and SHA-256 of each
HMAC-SHA256 over all of the above, 32 bytes
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, replace

from learner.shelf import Entry
from learner.signed import Damaged, sign, signed_part

_MAGIC = b"driftline manifest 1\n"


def sealed(place: str, entries: Sequence[Entry], key: bytes) -> bytes:
    """Return a manifest of the checkpoints of a place, signed."""
    found = [asdict(replace(e, name=e.name.rpartition("/")[2])) for e in entries]
    text = json.dumps({"place": place, "checkpoints": found})
    return sign(_MAGIC + text.encode(), key)


def opened(place: str, body: bytes, key: bytes) -> list[Entry]:
    """Return what a manifest names, each by its name in that place.

    Raises `Damaged` where it is not what was written, or is of another place.
    """
    text = signed_part(body, key)
    if text is None or not text.startswith(_MAGIC):
        raise Damaged(f"the manifest of {place!r} is damaged, or signed with another key")
    try:
        found = json.loads(text[len(_MAGIC) :])
        if found["place"] == place:
            return [Entry(**each) for each in found["checkpoints"]]
    except (ValueError, TypeError, KeyError) as error:
        raise Damaged(f"the manifest of {place!r} cannot be read: {error}") from None
    raise Damaged(f"the manifest of {place!r} is that of {found['place']!r}")
