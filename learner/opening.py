"""What a learner has open before its first turn: its port, and the topic of samples."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from learner.counts import Counts
from stream.errors import TopicMissing
from stream.topic import Log, Topic, samples_of

if TYPE_CHECKING:
    from learner.serving.desk import Desk

Stopping = Callable[[], bool]
"""Tells whether to stop; asked between turns and while waiting."""
_log = logging.getLogger("driftline.learner")
_SAY = 5.0
"""Seconds between two lines of a learner that waits."""
_WAIT = 0.5
"""Seconds between two looks whether the topic is there."""


@contextlib.contextmanager
def asked_over_http(
    log: Log, name: str, host: str, port: int | None, stopping: Stopping, counts: Counts
) -> Iterator[tuple[Desk | None, int | None]]:
    """Open the port, if there is to be one, and give the desk where questions are left.

    There `counts` are shown as well, beside what is asked.
    """
    if port is None:
        yield None, None
        return
    from learner.serving.counts import asked_of
    from learner.serving.desk import Desk
    from learner.serving.routes import routes
    from stream.pages import metrics_route
    from stream.web import Server

    desk = Desk(name, stopping)
    counts.registry.register(asked_of(desk, log.stream))
    doors = [*routes(desk), metrics_route(counts.page)]
    with Server(doors, host=host, port=port) as server:
        _log.info("predict=%s/predict metrics=%s/metrics", server.url, server.url)
        try:
            yield desk, server.port
        finally:
            desk.close()


def awaited(log: Log, name: str, stopping: Stopping, *, patient: bool) -> Topic | None:
    """Return a topic of samples, once it is there; None where `stopping` came first.

    Who is not `patient` gets `TopicMissing` at once.
    """
    since = said = time.monotonic()
    while not stopping():
        try:
            return log.topic(name)
        except TopicMissing:
            if not patient:
                raise
        if time.monotonic() - said >= _SAY or said == since:
            said = time.monotonic()
            way = "is that its name?"
            if name == samples_of(log.stream):
                way = "'driftline produce' on this --stream makes it"
            _log.info("waiting for topic %s, %.0f s; %s", name, said - since, way)
        time.sleep(_WAIT)
    return None
