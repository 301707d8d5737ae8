"""Where the checkpoints of one partition lie, whatever holds them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

KEPT = 3
"""Checkpoints kept of each partition: the newest could be the damaged one."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A checkpoint that lies there: its cursor, and where it is found.

    `size` is in bytes, `written` in seconds of the epoch, None where the store does not
    tell. `digest` is what its SHA-256 has to be, if that is known from elsewhere.
    """

    cursor: int
    name: str
    size: int
    written: float | None
    digest: str | None = None


class Shelf(Protocol):
    """The place of one partition's checkpoints. All of it raises `OSError`."""

    place: str
    """What a person knows it by: a folder, or an address."""

    def entries(self) -> list[Entry]:
        """Return the checkpoints there are, lowest cursor first."""

    def read(self, entry: Entry) -> bytes:
        """Return a checkpoint, whole."""

    def put(self, cursor: int, body: bytes, bad: Collection[str] = ()) -> None:
        """Store a checkpoint, and then let go of old ones; a crash leaves those or it.

        What is named in `bad` is of no use: it counts as none of the `KEPT`.
        """

    def remove(self, entry: Entry) -> None:
        """Let go of one."""

    def retire(self) -> None:
        """Put all aside, to a place that nothing reads."""


def to_keep(entries: Sequence[Entry], bad: Collection[str]) -> list[Entry]:
    """Return those to keep: the newest `KEPT` that are of use."""
    return sorted((e for e in entries if e.name not in bad), key=lambda e: e.cursor)[-KEPT:]
