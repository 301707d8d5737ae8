"""driftline doctor."""

from __future__ import annotations

import functools
import json as text
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from driftline.console import out
from driftline.options import STREAM
from driftline.settings import state_folder

if TYPE_CHECKING:
    from driftline.doctor.finding import Case


def doctor(
    *,
    stream: str = STREAM,
    name: list[str] | None = None,
    state: str | None = None,
    key_file: Path | None = None,
    host: str = "127.0.0.1",
    port: int = 8000,
    prometheus_port: int = 9090,
    role: list[Literal["produce", "learn", "monitor"]] | None = None,
    json: bool = False,
) -> int:
    """Look at everything a stream needs, and say what is wrong and what to do.

    Changes nothing. Leaves with 0 when nothing failed, else with 1.

    Parameters
    ----------
    stream
        Address of the stream: sqlite:PATH or kafka://HOST:PORT[,HOST:PORT]/NAME.
    name
        Name of a learner; may be given again. Default: all that have been here.
    state
        Folder or address of the checkpoints. Default: PATH.state beside an embedded log.
    key_file
        File with the key that signs checkpoints. Default: that in the state folder.
    host
        Address the monitor would listen on.
    port
        Port the monitor would listen on.
    prometheus_port
        Port that Prometheus listens on.
    role
        On Kafka: a command whose rights are looked at; may be given again. Default: all three.
    json
        One line of JSON instead of one finding a line.
    """
    from driftline.app import app
    from driftline.config.shown import copied, learner_config
    from driftline.console import set_up_logging
    from driftline.doctor.finding import Case
    from stream.topic import check_name

    set_up_logging()
    case = Case(
        stream=stream,
        names=tuple(check_name(each, "learner") for each in name or ()),
        state=state_folder(stream, state),
        key_file=key_file,
        host=host,
        port=port,
        prometheus_port=prometheus_port,
        config=functools.cache(lambda: learner_config(app)),
        copied=lambda: copied(app),
        roles=tuple(role or ()),
    )
    try:
        return _say(case, as_json=json)
    finally:
        case.close()


def _say(case: Case, *, as_json: bool) -> int:
    from driftline.doctor.finding import FAILED
    from driftline.doctor.steps import examine

    rows, title = [], ""
    for step, finding in examine(case):
        rows.append({"step": step.title, **finding._asdict()})
        if as_json:
            continue
        if step.title != title:
            title = step.title
            out(title)
        advice = f"; {finding.advice}" if finding.advice else ""
        out(f"  {finding.status:<8} {finding.found}{advice}")
    counts = {each: sum(row["status"] == each for row in rows) for each in _STATUSES}
    if as_json:
        out(text.dumps({"findings": rows, **counts}))
    else:
        out(", ".join(f"{count} {each}" for each, count in counts.items()))
    return 1 if counts[FAILED] else 0


_STATUSES = ("ok", "warn", "failed", "skipped")
