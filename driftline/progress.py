"""How far a long piece of work is: a bar on a terminal, else a line now and then."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from driftline.console import tell

Show = Callable[[int, int | None], None]
"""Takes how much is done, and of how much, None where that is not known."""

_EVERY = 10.0
"""Seconds between two lines."""


@contextmanager
def bar(what: str) -> Iterator[Show]:
    """Give a callback that shows how many of `what` are done."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
    )

    console = Console(stderr=True)
    if not console.is_terminal:
        yield _Lines(what)
        return
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


class _Lines:
    """Says how far the work is, every ten seconds."""

    def __init__(self, what: str) -> None:
        self._what, self._began = what, time.monotonic()
        self._next = _EVERY

    def __call__(self, done: int, total: int | None) -> None:
        """Take the progress; say it when it is time."""
        seconds = time.monotonic() - self._began
        if seconds >= self._next:
            self._next = seconds + _EVERY
            of = f" of {total:,}" if total else ""
            tell(f"{self._what}={done:,}{of} seconds={seconds:.0f}")
