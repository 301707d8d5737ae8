"""Between two threads: the network's leaves questions here, the learner's answers them."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from stream.errors import RecordError
from stream.records import UNSET, Features, Record
from stream.refusals import UNREADABLE

ROOM = 256
"""Requests that may be under way at once."""
LOOKUPS = 64
"""Of these, those that may wait for what became of an id: one a turn is looked up."""
PATIENCE = 5.0
"""Seconds after which a question that nobody answers is given up."""
AGAIN = 1
"""Seconds after which one that was turned away may come again."""


class Refused(Exception):
    """A request gets no answer but this: an HTTP status, a reason code, a sentence."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.status, self.reason = status, reason


@dataclass(slots=True)
class Asked:
    """A question that waits: guesses for `xs`, or, without any, what became of an `id`."""

    answered: asyncio.Future[Any]
    partition: int
    xs: list[Features] | None = None
    id: str = ""


@dataclass(frozen=True, slots=True)
class About:
    """What can be said of the learner; made anew whenever that changes."""

    task: str
    config: str
    """The hash of its configuration."""
    ready: Mapping[int, bool]
    """Whether each partition of its own has come to where it says what is new."""
    partitions: int
    """How many there are of the samples, those of other learners among them."""


class Desk:
    """Holds what was asked until the learner comes by.

    Of its methods `ask` is for the network's thread, the others are for the learner's.
    Once `stopping`, who is there is answered still, and nobody new should come.
    """

    def __init__(self, name: str, stopping: Callable[[], bool] = lambda: False) -> None:
        self.name, self._stopping = name, stopping
        self.about: About | None = None
        self.newest: Record | None = None
        """The newest sample, as the learner reads it."""
        self.guesses: deque[Asked] = deque()
        """What waits for a guess; to look whether it is empty costs nothing."""
        self.lookups: deque[Asked] = deque()
        self.asked = self.refused = self.under_way = 0
        self._came = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False
        self.paused: str | None = None
        """Why the learner goes no further, where its breaker is open."""
        self.spare = False
        """Whether the learner has joined the others, and no partition is left for it."""

    @property
    def checks(self) -> dict[str, bool]:
        """What must be true before anyone is answered; of a spare, before it is counted on."""
        if self._stopping():
            return {"goes on": False}
        if self.spare and not self._closed:
            return {"stands by for a partition": True}
        if self._closed or self.about is None:
            return {"started": False}
        found = {f"partition {p} caught up": done for p, done in self.about.ready.items()}
        return found | {"breaker closed": self.paused is None}

    def known(self) -> About:
        """Return what is known of the learner. Raises `Refused` while that is nothing."""
        if self._closed:
            raise Refused(503, "ending", "the learner is about to end")
        if self.about is None:
            raise Refused(503, "starting", "the learner has not started yet; ask again soon")
        return self.about

    @property
    def features(self) -> Features:
        """The features of the newest sample; none while there is none."""
        return {} if self.newest is None or self.newest.x is UNSET else self.newest.x

    async def ask(self, partition: int, xs: list[Features] | None, id: str = "") -> Any:
        """Return the answer of the learner. Raises `Refused`, or the learner's error."""
        ready = self.known().ready
        if partition not in ready:
            raise Refused(503, "moved", f"partition {partition} is another learner's; ask that")
        if not ready[partition]:
            raise Refused(
                503, "replaying", f"partition {partition} is learned again, in silence"
            )
        self._loop = asyncio.get_running_loop()
        if xs is None and len(self.lookups) >= LOOKUPS:
            raise Refused(
                503, "busy", f"{LOOKUPS} questions by id wait already; ask again soon"
            )
        asked = Asked(self._loop.create_future(), partition, xs, id)
        (self.lookups if xs is None else self.guesses).append(asked)
        self._came.set()
        try:
            found = await asyncio.wait_for(asked.answered, PATIENCE)
        except TimeoutError:
            raise Refused(
                503, "busy", f"the learner did not come to it within {PATIENCE:g} s"
            ) from None
        if isinstance(found, Exception):
            raise found
        return found

    def take(self) -> list[Asked]:
        """Return all that wait for guesses, but who has given up."""
        taken = []
        while self.guesses:
            asked = self.guesses.popleft()
            if not asked.answered.done():
                taken.append(asked)
        return taken

    def take_lookup(self) -> Asked | None:
        """Return the first that waits for what became of an id, and has not given up."""
        while self.lookups:
            asked = self.lookups.popleft()
            if not asked.answered.done():
                return asked
        return None

    def give(self, answers: Iterable[tuple[Asked, Any]]) -> None:
        """Hand answers over to the network's thread; an exception is raised there."""
        if self._loop is not None:
            # It may have ended meanwhile; then nobody waits.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(_hand_over, [*answers])

    def wait(self, seconds: float) -> None:
        """Wait until something is asked, up to so many seconds."""
        if self._came.wait(seconds):
            self._came.clear()

    def wake(self) -> None:
        """Let whoever waits look round, from any thread."""
        self._came.set()

    def close(self) -> None:
        """Turn away who waits, and who will come."""
        self._closed = True
        refusal = Refused(503, "ending", "the learner is about to end")
        left = [*self.guesses, *self.lookups]
        self.guesses.clear()
        self.lookups.clear()
        if left:
            self.give((asked, refusal) for asked in left)


def _hand_over(answers: list[tuple[Asked, Any]]) -> None:
    for asked, found in answers:
        if not asked.answered.done():
            asked.answered.set_result(found)


def refusal_of(error: RecordError) -> Refused:
    """Return how HTTP says that features were refused."""
    status = {"too_large": 413}.get(error.reason, 422)
    if error.reason == "no_partition" or error.reason in UNREADABLE - {"too_large"}:
        status = 400
    return Refused(status, error.reason, str(error))
