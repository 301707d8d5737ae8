"""driftline demo."""

from __future__ import annotations

import dataclasses
import logging
import tempfile
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING

from driftline.commands.learn import settings_of
from driftline.console import Stop, set_up_logging, sum_up, tell
from driftline.options import Common, Learning
from driftline.settings import config_and_run, open_stream

if TYPE_CHECKING:
    from rich.console import Console

    from learner.summary import Summary
    from monitor.follow import Follower
    from producer.replay import Replay
    from stream.topic import Log

SOURCE = "synth:Sine(seed=42)"
DRIFTS = ("abrupt@15000", "gradual@30000+100", "recurring@45000")
SAMPLES = 60_000
RATE = 1000.0
_WINDOW, _SHORT = 1000, 200
_LOOK = 0.25
"""Seconds between two pictures of the terminal view."""


def demo(
    *,
    common: Common | None = None,
    learning: Learning | None = None,
    source: str = SOURCE,
    label: str | None = None,
    limit: int | None = None,
    rate: float | None = None,
    host: str = "127.0.0.1",
    port: int = 8000,
    open: bool = False,
    until_end: bool = False,
) -> int:
    """Run producer, learner and monitor in one process, and watch the model learn.

    Without options: 60,000 samples with three known drifts at 1,000 a second, in a
    temporary folder, about a minute.

    Parameters
    ----------
    source
        Something else to replay, as 'driftline produce' takes it.
    label
        Column of a file that is the label.
    limit
        Samples, at most. Default: 60,000.
    rate
        Samples a second. Default: 1,000.
    host
        Address of the live page and the metrics.
    port
        Port of the live page and the metrics, 0 for a free one.
    open
        Open the live page in a browser.
    until_end
        As fast as possible and without the view; for scripts.
    """
    common = common or Common()
    rate = RATE if rate is None else rate
    replay = _replay(source, label, limit, None if until_end else rate)
    learning = learning or Learning()
    if learning.model is None:
        learning = dataclasses.replace(learning, model=_model(replay))
    set_up_logging(verbose=common.verbose)
    with ExitStack() as stack:
        url = common.stream
        if url is None:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="driftline-"))
            url = f"sqlite:{Path(folder) / 'demo.db'}"
        log = open_stream(url)
        stack.callback(log.close)
        stop = stack.enter_context(Stop().on_signals())
        run = _Demo(log, url, replay, learning, stop, host=host, port=port, open_page=open)
        summary = run.quietly() if until_end else run.watched()
        figures = {**summary.as_dict(), "true_drifts": run.marks}
    sum_up(figures, as_json=common.json, title="demo")
    return stop.exit_code


def _replay(source: str, label: str | None, limit: int | None, rate: float | None) -> Replay:
    from producer.replay import Replay

    drifts = DRIFTS if source == SOURCE else ()
    limit = SAMPLES if limit is None else limit
    return Replay(source=source, label=label, drifts=drifts, limit=limit, rate=rate)


def _model(replay: Replay) -> str:
    """Return a model that the task of the source takes."""
    from producer.replay import describe

    classes = replay.source == SOURCE or describe(replay).schema.task == "classification"
    return "hoeffding-tree" if classes else "linear"


class _Demo:
    """The three services as threads of one process."""

    def __init__(
        self,
        log: Log,
        url: str,
        replay: Replay,
        learning: Learning,
        stop: Stop,
        *,
        host: str,
        port: int,
        open_page: bool,
    ) -> None:
        self._log, self._replay, self._learning, self._stop = log, replay, learning, stop
        self._host, self._port, self._open_page = host, port, open_page
        self._config, self._run = config_and_run(
            url, name="main", state=None, until_end=False, settings=settings_of(learning)
        )
        self._produced = threading.Event()
        self._cursors: Mapping[int, int] = {}
        self._ends: Mapping[int, int] | None = None
        self._failure: BaseException | None = None
        self._summary: Summary | None = None
        self.marks = 0

    def quietly(self) -> Summary:
        """Run to the end of the source and return the learner's sums."""
        threads = self._start(self._produce, self._learn)
        return self._finish(threads)

    def watched(self) -> Summary:
        """Run with the view on a terminal, with lines elsewhere; return the learner's sums."""
        from rich.console import Console

        from monitor.doors import Doors
        from monitor.follow import Follower
        from monitor.run import checks
        from stream.web import Server

        console = Console(stderr=True)
        # The curve is of the first window: a short one shows how deep the model falls.
        follower = Follower(self._log, ["main"], (_SHORT, _WINDOW))
        doors = Doors(follower, lambda: checks(follower))
        with (
            Server(doors.routes, host=self._host, port=self._port) as server,
            closing(doors),
        ):
            if self._open_page:
                import webbrowser

                webbrowser.open(f"{server.url}/")
            if console.is_terminal:
                logging.getLogger().setLevel(logging.WARNING)  # the view says the rest
            threads = self._start(self._produce, self._learn)
            self._show(console, follower, server.url, threads[-1])
            summary = self._finish(threads)
            self._stay(follower)
            return summary

    def _show(
        self, console: Console, follower: Follower, address: str, learner: threading.Thread
    ) -> None:
        from rich.live import Live

        from driftline.view import view

        if not console.is_terminal:
            tell(f"Live page: {address}/ Metrics: {address}/metrics (Ctrl-C to stop)")
            while learner.is_alive():
                follower.step(_LOOK)
            return
        with Live(console=console, refresh_per_second=4, transient=False) as live:
            while learner.is_alive():
                follower.step(_LOOK)
                live.update(
                    view(
                        follower.boards[0].figures(),
                        follower.boards[0].curve(),
                        window=str(_WINDOW),
                        address=address,
                        model=self._learning.model or "",
                        policy=self._learning.policy,
                        columns=console.width,
                    )
                )

    def _stay(self, follower: Follower) -> None:
        """Go on serving at the end of the stream, as long as somebody looks."""
        if self._stop() or not follower.watched():
            return
        tell("The stream is at its end; the page stays while it is open (Ctrl-C to stop)")
        while follower.watched() and not self._stop():
            follower.step(_LOOK)

    def _start(self, *works: Callable[[], None]) -> list[threading.Thread]:
        threads = [threading.Thread(target=self._guarded, args=(work,)) for work in works]
        for thread in threads:
            thread.start()
        return threads

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - raised again in the main thread
            self._failure = self._failure or error
            self._stop.set()

    def _finish(self, threads: list[threading.Thread]) -> Summary:
        for thread in threads:
            while thread.is_alive():
                thread.join(_LOOK)
        if self._failure is not None:
            raise self._failure
        # Without a failure there is one.
        assert self._summary is not None
        return self._summary

    def _produce(self) -> None:
        from producer.replay import produce

        summary = produce(self._log, self._replay, stopping=self._stop)
        self.marks = summary.marks
        self._produced.set()

    def _learn(self) -> None:
        from learner.loop import learn

        self._summary = learn(
            self._log, self._config, self._run, stopping=self._over, moved=self._move
        )

    def _move(self, cursors: Mapping[int, int]) -> None:
        self._cursors = cursors

    def _over(self) -> bool:
        """Whether the learner has come to the end of what the producer wrote, or must stop."""
        if self._stop():
            return True
        if not self._produced.is_set():
            return False
        if self._ends is None:
            from stream.topic import samples_of

            self._ends = self._log.topic(samples_of(self._log.stream)).end()
        return all(self._cursors.get(p, 0) >= end for p, end in self._ends.items())
