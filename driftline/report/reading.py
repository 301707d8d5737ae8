"""All that a report tells, read from what a learner has written so far."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from monitor.follow import Follower
from monitor.picture import picture, whole
from monitor.run import check_windows
from stream.topic import Log, check_name


class Reading(NamedTuple):
    """A learner as the live page shows it: the picture, the curve and what happened."""

    picture: dict[str, Any]
    curve: dict[str, Any]
    story: list[dict[str, Any]]

    @property
    def task(self) -> str | None:
        """The learner's task; None before it has said anything."""
        task: str | None = self.picture["figures"]["task"]
        return task

    @property
    def title(self) -> str:
        """Whose report this is."""
        return f"{self.picture['stream']}, learner {self.picture['learner']}"


def read(log: Log, name: str, windows: Sequence[int]) -> Reading:
    """Read a learner's outcomes up to their end as it stands now; of a running one too.

    Raises `SettingError` for a name or window that cannot be, `TopicMissing` where the
    learner has written nothing.
    """
    follower = Follower(log, [check_name(name, "learner")], check_windows(windows))
    follower.catch_up()
    follower.recall()
    board = follower.boards[0]
    return Reading(picture(board), **whole(board))
