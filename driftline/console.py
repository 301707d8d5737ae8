"""The edge to a person and a shell: log lines, signals, progress, the last line on stdout."""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from stream.texts import shown

INTERRUPTED = 130
"""Exit code after Ctrl-C; a clean SIGTERM is no failure and leaves with 0."""

_SLOW = 3.0
"""Seconds of an ending after which a person is told how to have it at once."""
_LEAVE = 1.0
"""Seconds in which a process that is to leave at once may still let go in good order."""
_AGAIN = "driftline: ending with this turn; Ctrl-C once more leaves at once"
_LINE = 2000
"""Characters of a log line, at most."""


def set_up_logging(*, verbose: bool = False, who: str = "") -> None:
    """Send log lines to stderr: in colour to a terminal, as key=value elsewhere.

    Each begins with `who`, where several processes share one stderr.
    """
    import structlog

    def signed(_: Any, __: str, event: dict[str, Any]) -> dict[str, Any]:
        return event | {"event": f"{who} {event['event']}"} if who else event

    processors: list[Any] = [
        _harmless,
        signed,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False),
    ]
    terminal = sys.stderr.isatty()
    renderer: Any = structlog.dev.ConsoleRenderer(colors=terminal)
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=processors,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
    )
    handler = _Stderr()
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.DEBUG if verbose else logging.INFO)
    # Clients log record values at DEBUG and their reconnections at INFO: neither is ours.
    for name in ("kafka", "uvicorn", "asyncio"):
        logging.getLogger(name).setLevel(logging.WARNING)


def _harmless(_: Any, __: str, event: dict[str, Any]) -> dict[str, Any]:
    """Keep a line one line, and what it quotes from giving orders to the terminal."""
    event["event"] = shown(str(event["event"]), _LINE)
    return event


class _Stderr(logging.StreamHandler[Any]):
    """Writes to stderr as it is at the moment: a live view puts itself in its place."""

    @property
    def stream(self) -> Any:
        """Return where lines go now."""
        return sys.stderr

    @stream.setter
    def stream(self, _: Any) -> None:
        """Ignore what the base class would remember."""


class Stop:
    """Ends a service at the next turn: set by Ctrl-C and by SIGTERM.

    A second one ends the process at once, even where it waits for a broker that is gone.
    """

    def __init__(self) -> None:
        self._event = threading.Event()
        self.interrupted = False

    def __call__(self) -> bool:
        """Return whether to stop."""
        return self._event.is_set()

    def set(self) -> None:
        """Ask to stop."""
        self._event.set()

    def wait(self, seconds: float) -> bool:
        """Wait up to `seconds`; return whether to stop."""
        return self._event.wait(seconds)

    @contextmanager
    def on_signals(self) -> Iterator[Stop]:
        """Listen to SIGINT and SIGTERM while inside."""
        before = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
        slow = threading.Timer(_SLOW, tell, [_AGAIN])
        slow.daemon = True

        def interrupt(number: int, _: object) -> None:
            self.interrupted = number == signal.SIGINT
            self._event.set()
            # To the end of the process: to close a log may take as long as the last turn.
            signal.signal(signal.SIGINT, _leave)
            signal.signal(signal.SIGTERM, before[signal.SIGTERM])
            slow.start()

        for each in before:
            signal.signal(each, interrupt)
        try:
            yield self
        finally:
            slow.cancel()
            if not slow.ident:
                for each, handler in before.items():
                    signal.signal(each, handler)

    @property
    def exit_code(self) -> int:
        """Return what the process should leave with."""
        return INTERRUPTED if self.interrupted else 0


def _leave(number: int, _: object) -> None:
    """Leave at once: what no interruption ends, a commit without an answer, ends here."""
    leaving = threading.Timer(_LEAVE, os._exit, [INTERRUPTED])
    leaving.daemon = True
    leaving.start()
    raise KeyboardInterrupt


def out(text: str) -> None:
    """Write a line to stdout, where data goes."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def tell(text: str) -> None:
    """Write a line to stderr, where everything for a person goes."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def sum_up(summary: Mapping[str, Any], *, as_json: bool, title: str) -> None:
    """Say a summary: as one line of JSON on stdout, else as a table on stderr."""
    if as_json:
        out(json.dumps(summary, default=str))
        return
    width = max(map(len, summary))
    tell(title)
    for key, value in summary.items():
        tell(f"  {key:<{width}}  {_readable(value)}")


def _readable(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4f}" if abs(value) < 100 else f"{value:,.1f}"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    if isinstance(value, Mapping):
        return ", ".join(f"{k}: {_readable(v)}" for k, v in value.items()) or "–"
    return str(value)
