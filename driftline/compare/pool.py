"""Tasks in processes of their own, several at a time.

A task that fails is a sentence, and one that takes its process with it, for want of memory
say, is a sentence too: the others go on.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from typing import Any, Generic, TypeVar

from stream.errors import StreamError
from stream.texts import shown

T = TypeVar("T")
R = TypeVar("R")

_LOOK = 0.2
"""Seconds between two looks whether to stop."""
_DONE, _FAILED, _STEP = "done", "failed", "step"


@dataclass(frozen=True, slots=True)
class Failed:
    """Why a task came to nothing, in one sentence."""

    sentence: str


def processors() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def run(
    work: Callable[[T, Callable[[int], None]], R],
    tasks: Sequence[T],
    *,
    jobs: int,
    fresh: bool = True,
    stopping: Callable[[], bool] = lambda: False,
    stepped: Callable[[int], None] = lambda _: None,
) -> list[R | Failed | None]:
    """Return what `work` makes of each task, in their order; None where it was stopped.

    `work` is a function of a module. It is given a task and a callback for steps on the way,
    whose counts come to `stepped`. With `fresh` each task has a process that had no other.
    """
    return _Pool[T, R](work, tasks, fresh=fresh, stepped=stepped).run(jobs, stopping)


@dataclass(eq=False)
class _Worker:
    process: Any
    pipe: Connection
    task: int | None = None


class _Pool(Generic[T, R]):
    """The processes of one run, and what has come of its tasks."""

    def __init__(
        self,
        work: Callable[[T, Callable[[int], None]], R],
        tasks: Sequence[T],
        *,
        fresh: bool,
        stepped: Callable[[int], None],
    ) -> None:
        self._work, self._tasks, self._fresh, self._stepped = work, tasks, fresh, stepped
        self._found: list[R | Failed | None] = [None] * len(tasks)
        self._waiting = list(range(len(tasks)))[::-1]
        self._workers: list[_Worker] = []

    def run(self, jobs: int, stopping: Callable[[], bool]) -> list[R | Failed | None]:
        """Hand out tasks until none is left; end every process in any case."""
        try:
            while (self._waiting or self._workers) and not stopping():
                while self._waiting and len(self._workers) < jobs:
                    self._give(self._start())
                pipes = {worker.pipe: worker for worker in self._workers}
                for pipe in wait([*pipes], timeout=_LOOK):
                    self._hear(pipes[pipe])  # type: ignore[index]
        finally:
            for worker in [*self._workers]:
                self._end(worker, kill=True)
        return self._found

    def _start(self) -> _Worker:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(theirs, self._work), daemon=True)
        with _deaf():
            process.start()
        theirs.close()
        worker = _Worker(process, ours)
        self._workers.append(worker)
        return worker

    def _give(self, worker: _Worker) -> None:
        worker.task = self._waiting.pop()
        # One that has died already is heard of when it is listened to.
        with suppress(OSError):
            worker.pipe.send(self._tasks[worker.task])

    def _hear(self, worker: _Worker) -> None:
        assert worker.task is not None
        try:
            kind, what = worker.pipe.recv()
        except (EOFError, OSError):
            worker.process.join()
            code = worker.process.exitcode
            why = (
                "a signal"
                if code is None
                else f"signal {-code}"
                if code < 0
                else f"code {code}"
            )
            self._found[worker.task] = Failed(
                f"its process ended by {why}; was there memory enough?"
            )
            self._end(worker, kill=True)
            return
        if kind == _STEP:
            self._stepped(what)
            return
        self._found[worker.task] = what if kind == _DONE else Failed(what)
        if self._fresh or not self._waiting:
            self._end(worker, kill=False)
        else:
            self._give(worker)

    def _end(self, worker: _Worker, *, kill: bool) -> None:
        self._workers.remove(worker)
        worker.pipe.close()  # which is how a process hears that there is no more to do
        if kill:
            worker.process.terminate()
        worker.process.join()
        worker.process.close()


def _serve(pipe: Connection, work: Callable[[Any, Callable[[int], None]], Any]) -> None:
    """Do tasks until there are no more; the whole life of a process."""
    while True:
        try:
            task = pipe.recv()
        except (EOFError, OSError):
            return
        try:
            answer = (_DONE, work(task, lambda count: pipe.send((_STEP, count))))
        except StreamError as error:
            answer = (_FAILED, str(error))
        except BrokenPipeError:
            return
        except Exception as error:  # noqa: BLE001 - the others must go on
            answer = (_FAILED, shown(f"{type(error).__name__}: {error}"))
        try:
            pipe.send(answer)
        except OSError:
            return


@contextmanager
def _deaf() -> Iterator[None]:
    """Let processes begun within never hear Ctrl-C: it is for who began them, who ends them.

    A terminal sends it to all, and one that is still importing would answer with a traceback.
    """
    if threading.current_thread() is not threading.main_thread() or not hasattr(
        signal, "pthread_sigmask"
    ):
        yield
        return
    # Its start would lift the block before its time.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
