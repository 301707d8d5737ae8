"""What to replay and how: the settings, what they open, and the name they write under."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from producer.delays import delay_of
from producer.emissions import Emission, emissions
from producer.feed import Feed
from producer.pace import pace_of
from producer.sources.folder import size_of
from producer.sources.source import is_label, unknown
from producer.sources.table import is_named, open_source
from stream.classes import check_classes
from stream.errors import SettingError
from stream.records import Label
from stream.topic import Retention

TASKS = ("classification", "regression")
MAX_PARTITIONS = 10_000
"""Partitions of a topic, at most: each has a model of its own."""
MAX_SEED = 2**32 - 1
"""NumPy, which generators draw from, takes no seed beyond."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """What to replay, and how.

    `source` is `river:NAME`, `sklearn:NAME`, `synth:NAME(…)`, or the path of a file, of a
    folder of files, or a pattern as `day-*.csv`. Files may be added behind those there are,
    and the last one may grow; with any other change it is another data set.

    Of files: `label`, `id` and `time` name columns; without `label` all samples are
    questions, without `id` the number of the row is the id, counted on over loops. `time` is
    event time: ISO 8601, UTC where no zone is named, or seconds of the epoch.

    Of all sources: `task` is classification or regression, `types` gives columns one of the
    types integer, number, boolean, category, datetime, `drop` names columns that are no
    features, `classes` are the labels that will come; what is left open is inferred. `key`
    names the feature that is the key of a record, else its id is.

    Of generators: `drifts` is a schedule, as `producer.sources.drifts` reads it. `seed` is
    theirs, and that of `shuffle`: it mixes passes of up to 100,000 rows as a whole, and
    longer ones within a window of so many.

    `rate` is in messages a second, `speed` a factor of event time; without both it goes as
    fast as it can. `limit` is a number of samples, `loop` one of passes, 0 for ever.
    `label_delay` holds labels back, by a number of samples or a time such as "3d".

    `partitions` and `retention` are for a topic that is not there yet.
    """

    source: str
    label: str | None = None
    id: str | None = None
    time: str | None = None
    task: str | None = None
    types: Mapping[str, str] = field(default_factory=dict)
    drop: Sequence[str] = ()
    drifts: Sequence[str] = ()
    seed: int = 1
    rate: float | None = None
    speed: float | None = None
    limit: int | None = None
    loop: int = 1
    shuffle: bool = False
    label_delay: str | int | timedelta | None = None
    partitions: int = 1
    retention: Retention = field(default_factory=Retention)
    key: str | None = None
    classes: Sequence[Label] | None = None


Opened = tuple[Feed, Iterator[Emission]]
"""The feed of a replay, and all that there is to say of it."""


def open_replay(replay: Replay) -> Opened:
    """Return the feed of a replay, and all that there is to say of it.

    Raises `SettingError` when a setting is wrong by itself, or with another.
    """
    _check_numbers(replay)
    pace_of(replay.rate, replay.speed)
    delay = delay_of(replay.label_delay)
    source = open_source(
        replay.source, label=replay.label, drifts=replay.drifts, seed=replay.seed
    )
    feed = Feed(
        source,
        id=replay.id,
        time=replay.time,
        task=replay.task,
        types=replay.types,
        drop=replay.drop,
        classes=replay.classes,
    )
    if replay.key is not None and replay.key not in feed.schema.columns:
        if replay.key == feed.schema.label:
            raise is_label("key", replay.key, replay.source)
        raise unknown("feature for key called", replay.key, feed.schema.columns)
    _check_order(replay, feed, delay)
    said = emissions(
        feed,
        loop=replay.loop,
        limit=replay.limit,
        shuffle=replay.shuffle,
        seed=replay.seed,
        delay=delay,
        key=replay.key,
    )
    return feed, said


def writer_name(stream: str, replay: Replay) -> str:
    """Return the name under which a replay writes, the same after every restart.

    It ends in a digest of all that decides what comes in which order. Neither pace nor
    `classes` are part of it, nor, without a label delay, `limit` and `loop`: these may be
    raised later. A delay lets go of the labels that are left at the end, so that the end
    decides too; and so does the size of all files, with a delay or a shuffle.
    """
    names = ["label", "id", "time", "task", "drop", "drifts", "shuffle", "key"]
    named, path = is_named(replay.source), Path(replay.source)
    if named or replay.shuffle:
        names.append("seed")
    if replay.label_delay is not None:
        names += ["limit", "loop"]
    deciding = {name: getattr(replay, name) for name in names}
    deciding |= {"types": dict(replay.types), "delay": str(delay_of(replay.label_delay))}
    deciding["source"] = replay.source if named else str(path.resolve())
    if not named and (replay.shuffle or replay.label_delay is not None):
        deciding["size"] = size_of(replay.source)
    digest = hashlib.sha256(json.dumps(deciding, sort_keys=True).encode()).hexdigest()
    short = replay.source.partition("(")[0] if named else path.name
    return f"{stream}.{re.sub('[^A-Za-z0-9.]+', '-', short)}.{digest[:12]}"


def _check_numbers(replay: Replay) -> None:
    for name, value, least, most in (
        ("limit", replay.limit, 0, None),
        ("loop", replay.loop, 0, None),
        ("partitions", replay.partitions, 1, MAX_PARTITIONS),
        ("seed", replay.seed, 0, MAX_SEED),
    ):
        if value is None or (least <= value and (most is None or value <= most)):
            continue
        span = f"of {least} or more" if most is None else f"from {least} to {most}"
        raise SettingError(f"{name} must be a whole number {span}, got {value}")
    if replay.task is not None and replay.task not in TASKS:
        raise unknown("task", replay.task, TASKS)
    check_classes(replay.classes)
    for name, kept in (
        ("retention seconds", replay.retention.seconds),
        ("retention bytes", replay.retention.size),
    ):
        if kept is not None and not kept > 0:
            raise SettingError(
                f"{name} must be above 0, got {kept}, which would keep nothing; leave it away "
                "to keep all"
            )


def _check_order(replay: Replay, feed: Feed, delay: int | timedelta | None) -> None:
    """Refuse what needs an order of time that is not there, or is undone."""
    needy = None if replay.speed is None else f"speed {replay.speed:g}"
    if isinstance(delay, timedelta):
        needy = f"label delay {str(replay.label_delay)!r}"
    if needy and feed.schema.time is None:
        raise SettingError(
            f"{needy} needs event time, which {replay.source!r} has not; name its column as "
            "time, or give a number of samples or a rate instead"
        )
    if replay.shuffle and (needy or feed.marks):
        raise SettingError(
            f"shuffle undoes the order that {needy or 'a drift'} needs; leave one of them away"
        )
