"""Commits beside the work: a disk or a broker stores one turn while the next is learned."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType

from stream.topic import Cursor, Writer


class Commits:
    """Commits on a thread of their own, one at a time and in order.

    A writer may be appended to only while none is under way: `settle` waits for that. What a
    commit raises is raised there. `done` is told the cursors of each commit that succeeded,
    in the thread that settles; `over` is called at the end of each, in the commits' own.
    """

    def __init__(
        self,
        writer: Writer,
        done: Callable[[Cursor], None],
        over: Callable[[], None] | None = None,
    ) -> None:
        self.seconds: float | None = None
        """What the last commit took."""
        self._writer, self._done, self._over = writer, done, over
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="commit")
        self._under_way: tuple[Future[None], Cursor] | None = None

    def start(self, cursors: Cursor, reached: Cursor) -> None:
        """Begin to commit all that was appended, with `cursors`; tell `done` of `reached`."""
        self.settle()
        commit = self._thread.submit(self._commit, cursors)
        self._under_way = commit, reached
        if over := self._over:
            commit.add_done_callback(lambda _: over())

    @property
    def busy(self) -> bool:
        """Whether a commit has yet to come to its end."""
        return self._under_way is not None and not self._under_way[0].done()

    def _commit(self, cursors: Cursor) -> None:
        began = time.perf_counter()
        self._writer.commit(cursors)
        self.seconds = time.perf_counter() - began

    def settle(self) -> None:
        """Wait until nothing is under way. Raises what the commit raised."""
        if self._under_way is None:
            return
        (commit, reached), self._under_way = self._under_way, None
        commit.result()
        self._done(reached)

    def __enter__(self) -> Commits:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # What was begun comes to its end; nobody is there to hear how.
        self._thread.shutdown()
