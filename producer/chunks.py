"""What can be read only as it comes, cut into lines by a thread of its own."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable

from stream.records import MAX_RECORD

Read = Callable[[int], bytes]
"""Gives up to so many bytes as soon as there are any, and none at the end."""

_SIZE, _AT_HAND = 1 << 16, 64
"""Bytes of a chunk, and chunks read ahead, at most."""


def _readable(read: Read) -> bytes:
    """Return what can be read; nothing at the end, and when the other end has broken off."""
    with contextlib.suppress(OSError):
        return read(_SIZE)
    return b""


def chunks_of(read: Read) -> queue.Queue[list[bytes] | None]:
    """Return what is filled with lines as they come, then with None at the end."""
    chunks: queue.Queue[list[bytes] | None] = queue.Queue(_AT_HAND)

    def follow() -> None:
        rest, oversize = b"", False
        while data := _readable(read):
            *lines, rest = (rest + data).split(b"\n")
            if oversize and lines:
                lines, oversize = lines[1:], False
            if len(rest) > MAX_RECORD:
                # What is too long is refused by its beginning, and never held whole.
                lines += [] if oversize else [rest]
                rest, oversize = b"", True
            if lines:
                chunks.put(lines)
        if rest and not oversize:
            chunks.put([rest])
        chunks.put(None)

    threading.Thread(target=follow, name="lines", daemon=True).start()
    return chunks
