"""How it goes with a partition's checkpoints, for its learner and for a monitor."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Account:
    """How it went with a partition's checkpoints, since the learner took it up.

    `refused` were damaged, forged or otherwise not to be used, `failed` could not be written.
    `cursor`, `size` in bytes and `written`, in seconds of the epoch, are those of the newest
    that was written or loaded. `bad` names those of no use, `latest` are the last records.
    """

    refused: int = 0
    failed: int = 0
    cursor: int | None = None
    size: int | None = None
    written: float | None = None
    bad: set[str] = field(default_factory=set)
    latest: list[tuple[int, bytes]] = field(default_factory=list)
