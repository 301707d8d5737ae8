"""Learn from a stream: two functions that do what the commands of the same names do.

>>> from driftline import learn, produce
>>> stream = getfixture("tmp_path") / "s.db"  # any path
>>> produce(f"sqlite:{stream}", source="river:Phishing").samples
1250
>>> summary = learn(f"sqlite:{stream}", model="logistic", policy="none")
>>> round(summary.accuracy, 4)
0.8928
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import learner.summary
    import producer.replay

__all__ = ["learn", "produce"]


def produce(
    stream: str,
    *,
    source: str,
    kafka: Mapping[str, object] | None = None,
    stopping: Callable[[], bool] = lambda: False,
    **replay: Any,
) -> producer.replay.Summary:
    """Write a source to the stream's topic of samples, and return what was written.

    `stream` is `sqlite:PATH` or `kafka://HOST:PORT/NAME`, `kafka` holds settings of
    kafka-python by its own names, and `replay` are the fields of `producer.replay.Replay`.
    A second call with the same settings goes on where the first one stopped. Raises
    `stream.errors.StreamError`.
    """
    from driftline.settings import check
    from producer.replay import Replay
    from producer.replay import produce as run
    from stream.connect import connect

    check("produce", {"source": source, **replay}, Replay)
    log = connect(stream, kafka=kafka)
    try:
        return run(log, Replay(source=source, **replay), stopping=stopping)
    finally:
        log.close()


def learn(
    stream: str,
    *,
    name: str = "main",
    state: str | Path | None = None,
    until_end: bool = True,
    kafka: Mapping[str, object] | None = None,
    stopping: Callable[[], bool] = lambda: False,
    **settings: Any,
) -> learner.summary.Summary:
    """Learn a stream to its end, or until `stopping`, and return the sums.

    `settings` are the fields of `learner.config.Config` (model, policy, detector, grain,
    classes, seed …) and of `learner.loop.Run` (turn, answer, rebuild, fresh). `state` is the
    folder of the checkpoints; a second call goes on from there. Raises
    `stream.errors.StreamError`.
    """
    from driftline.settings import config_and_run
    from learner.loop import learn as run
    from stream.connect import connect

    config, how = config_and_run(
        stream, name=name, state=state, until_end=until_end, settings=settings
    )
    log = connect(stream, kafka=kafka)
    try:
        return run(log, config, how, stopping=stopping)
    finally:
        log.close()
