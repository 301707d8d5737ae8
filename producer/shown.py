"""A producer's page of metrics, and whether it is alive and ready, over HTTP."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator

from producer.counts import Counts

_log = logging.getLogger("driftline.producer")


@contextlib.contextmanager
def shown(
    counts: Counts, host: str, port: int | None, stopping: Callable[[], bool]
) -> Iterator[None]:
    """Answer /metrics, /livez and /readyz while inside; without a port do nothing.

    Ready is one that writes, until it is `stopping`. Port 0 takes a free one. Raises
    `SettingError` where it cannot listen.
    """
    if port is None:
        yield
        return
    from stream.pages import routes
    from stream.web import Server

    def checks() -> dict[str, bool]:
        return {"started": counts.begun, "goes on": not stopping()}

    with Server(routes(counts.page, checks), host=host, port=port) as server:
        _log.info("metrics=%s/metrics", server.url)
        yield
