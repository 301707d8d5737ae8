"""driftline monitor."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from driftline.console import Stop, set_up_logging, sum_up, tell
from driftline.options import Common
from driftline.settings import open_stream


def monitor(
    *,
    common: Common | None = None,
    name: list[str] | None = None,
    window: list[int] | None = None,
    host: str = "127.0.0.1",
    port: Annotated[int, Parameter(name="--port")] = 8000,
    until_end: bool = False,
) -> int:
    """Turn outcomes into rolling figures: a live page, and metrics for Prometheus.

    Parameters
    ----------
    name
        Name of a learner to follow; may be given again. Default: main.
    window
        Outcomes of a rolling figure; may be given again. Default: 1000 and 10000.
    host
        Address to listen on.
    port
        Port to listen on, 0 for a free one.
    until_end
        Sum up what there is and stop, without listening.
    """
    from monitor.run import WINDOWS
    from monitor.run import monitor as run

    common = common or Common()
    set_up_logging(verbose=common.verbose)
    log = open_stream(common.address, create=not until_end)
    try:
        with Stop().on_signals() as stop:
            summary = run(
                log,
                names=tuple(name or ("main",)),
                windows=tuple(window or WINDOWS),
                host=host,
                port=port,
                until_end=until_end,
                stopping=stop,
                announce=lambda url: tell(
                    f"Live page: {url}/ Metrics: {url}/metrics (Ctrl-C to stop)"
                ),
            )
    finally:
        log.close()
    if common.json:
        sum_up(summary, as_json=True, title="monitored")
    else:
        from driftline.tables import show

        show(summary)
    return stop.exit_code
