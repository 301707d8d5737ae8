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
    import producer.topics

__all__ = ["learn", "produce"]


def produce(
    stream: str,
    *,
    source: str,
    kafka: Mapping[str, object] | None = None,
    stopping: Callable[[], bool] = lambda: False,
    **replay: Any,
) -> producer.replay.Summary | producer.topics.Copied:
    """Write a source to the stream's topic of samples, and return what was written.

    `stream` is `sqlite:PATH` or `kafka://HOST:PORT/NAME`, `kafka` holds settings of
    kafka-python by its own names, and `replay` are the fields of `producer.replay.Replay`.
    Where `source` is the address of a topic they are those of `producer.topics.Copy`, with
    mappings as dicts, and it goes on until `stopping` unless `until_end`. A second call with
    the same settings goes on where the first one stopped. Raises `stream.errors.StreamError`.
    """
    from driftline.settings import check
    from producer.replay import Replay
    from producer.replay import produce as run
    from producer.settings import open_replay
    from producer.topics import is_topic
    from stream.connect import connect

    if is_topic(source):
        return _copy(stream, source, kafka, stopping, replay)
    check("produce", {"source": source, **replay}, Replay)
    wanted = Replay(source=source, **replay)
    # A source that is not there makes no log.
    opened = open_replay(wanted)
    log = connect(stream, kafka=kafka)
    try:
        return run(log, wanted, opened=opened, stopping=stopping)
    finally:
        log.close()


def _copy(
    stream: str,
    source: str,
    kafka: Mapping[str, object] | None,
    stopping: Callable[[], bool],
    settings: Mapping[str, Any],
) -> producer.topics.Copied:
    from driftline.settings import check, field_map, labels_map
    from producer.copying import copy
    from producer.topics import Copy
    from stream.connect import connect

    read = {"mapping": field_map, "labels_mapping": labels_map}
    wanted: dict[str, Any] = {
        name: read[name](name, value) if name in read else value
        for name, value in settings.items()
    }
    check("produce", {"source": source, **wanted}, Copy)
    log = connect(stream, kafka=kafka)
    try:
        return copy(log, Copy(source=source, **wanted), kafka=kafka, stopping=stopping)
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
    classes, seed …) and of `learner.run.Run` (turn, answer, rebuild, fresh). `state` is the
    folder of the checkpoints, or the address of a store as s3://bucket/prefix; a second call
    goes on from there. Raises `stream.errors.StreamError`.
    """
    from driftline.settings import config_and_run
    from learner.learner import Learner
    from learner.loop import learn as run
    from stream.connect import connect

    config, how = config_and_run(
        stream, name=name, state=state, until_end=until_end, settings=settings
    )
    Learner(config, 0, 0)  # a model that cannot be makes no log
    log = connect(stream, kafka=kafka, create=how.waits)
    try:
        return run(log, config, how, stopping=stopping)
    finally:
        log.close()
