"""One of several workers of a learner: a process that its parent starts and tells to stop."""

from __future__ import annotations

import logging
import os
import sys
import threading
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

from driftline.console import Stop, set_up_logging, tell
from driftline.settings import open_stream
from stream.errors import SettingError, StreamError

if TYPE_CHECKING:
    from learner.config import Config
    from learner.run import Run

_log = logging.getLogger("driftline.workers")


@dataclass(frozen=True, slots=True)
class Order:
    """What a worker is to learn, from which stream, and how much it says meanwhile."""

    address: str
    config: Config
    run: Run
    verbose: bool


def work(number: int, order: Order, parent: Connection) -> None:
    """Learn until the parent says stop or is gone, tell it the summary, and leave.

    With the exit codes of `driftline learn`, and its sentence where it fails.
    """
    from learner.loop import learn

    set_up_logging(verbose=order.verbose, who=f"worker={number}")
    stop, opened = Stop(), threading.Event()
    threading.Thread(target=_obey, args=(parent, stop, opened), daemon=True).start()
    try:
        log = open_stream(order.address)
        opened.set()
        try:
            with stop.on_signals():
                summary = learn(log, order.config, order.run, stopping=stop)
        finally:
            log.close()
    except StreamError as error:
        tell(f"driftline: worker {number}: {error}")
        sys.exit(2 if isinstance(error, SettingError) else 1)
    parent.send(summary)


def _obey(parent: Connection, stop: Stop, opened: threading.Event) -> None:
    """Stop when told so; also when nobody is left to tell, and then at once if told before.

    One that still waits for its log has nothing to bring to an end.
    """
    try:
        parent.recv()
        stop.set()
        if not opened.is_set():
            os._exit(0)
        parent.recv()
    except (EOFError, OSError):
        if stop():
            os._exit(1)
        _log.warning("the process that started this worker is gone; stopping")
        stop.set()
