"""driftline produce, of what is no data set: other topics, and lines of standard input."""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from driftline.console import Stop, sum_up, tell
from driftline.options import Common
from driftline.settings import (
    field_map,
    kafka_settings,
    labels,
    labels_map,
    open_stream,
    types_of,
)
from stream.errors import SettingError
from stream.topic import Retention

if TYPE_CHECKING:
    from producer.lines import Lines
    from producer.replay import Progress
    from producer.topics import Copy
    from stream.mapping import FieldMap

_BOTH = {
    *("source", "common", "mapping", "until_end", "label", "id", "time", "drop", "classes"),
    *("partitions", "retention_seconds", "retention_bytes", "port", "host"),
}
_OF_TOPICS = {*_BOTH, "labels", "labels_mapping", "dry_run"}
_OF_LINES = {*_BOTH, "format", "types"}
_PARTS = {"label": "y", "id": "id", "time": "ts", "drop": "drop"}


def is_live(source: str) -> bool:
    """Return whether a source is a topic or standard input, and no data set."""
    from producer.topics import is_topic

    return source == "-" or is_topic(source)


def refuse_live(given: Mapping[str, Any]) -> None:
    """Raise `SettingError` for a setting that a data set has no use for."""
    from producer.sources.jsonl import piped

    source = given["source"]
    for name in ("labels", "mapping", "labels_mapping", "format"):
        if given[name] is not None:
            way = "leave it away"
            if name == "mapping" and ".jsonl" in (path := Path(source)).suffixes:
                way += f", or {piped(path)}"
            raise SettingError(
                f"{name} is for topics and standard input, and {source!r} is neither; {way}"
            )


def produce_live(
    given: Mapping[str, Any],
    defaults: Mapping[str, Any],
    common: Common,
    progress: Callable[[Progress], None],
) -> int:
    """Do what 'driftline produce' does with such a source; return the exit code."""
    from producer.copying import copy
    from producer.counts import Counts
    from producer.lines import take
    from producer.shown import shown

    is_lines = given["source"] == "-"
    _check(given, defaults, _OF_LINES if is_lines else _OF_TOPICS)
    wanted: Any = lines_of(given) if is_lines else copy_of(given)
    if given["dry_run"]:
        from producer.peek import peek

        for line in peek(wanted, kafka=kafka_settings()):
            tell(line)
        return 0
    if is_lines and sys.stdin is None:
        # What is opened next would take its number, and be read in its place.
        raise SettingError("standard input is closed; give it lines, as in 'cat f | driftline'")
    log = open_stream(common.address)
    counts = Counts(log.stream)
    host, port = given["host"], given["port"]
    try:
        with Stop().on_signals() as stop, shown(counts, host, port, stop):
            told: dict[str, Any] = {"stopping": stop, "progress": progress, "say": tell}
            told["counts"] = counts
            summary: Any
            if is_lines:
                # Read without Python's own buffer, whose lock would outlive a stop.
                summary = take(log, wanted, partial(os.read, 0), **told)
            else:
                summary = copy(log, wanted, kafka=kafka_settings(), **told)
    finally:
        log.close()
    sum_up(dataclasses.asdict(summary), as_json=common.json, title="produced")
    return stop.exit_code


def copy_of(given: Mapping[str, Any]) -> Copy:
    """Return what to copy, from the settings of the command. Raises `SettingError`."""
    from producer.topics import Copy

    parts = _parts(given)
    mapping = field_map("mapping", given["mapping"])
    if parts:
        mapping = _with(mapping, parts)
    return Copy(
        source=given["source"],
        labels=given["labels"],
        mapping=mapping,
        labels_mapping=labels_map("labels_mapping", given["labels_mapping"]),
        until_end=given["until_end"],
        **_common(given),
    )


def lines_of(given: Mapping[str, Any]) -> Lines:
    """Return what lines hold, from the settings of the command. Raises `SettingError`."""
    from producer.csv_lines import column
    from producer.lines import Lines

    form = given["format"] or "jsonl"
    parts = _parts(given)
    if form == "csv":
        if given["mapping"] is not None:
            raise SettingError("mapping is for JSON; name columns of csv as label, id, time")
        parts = {
            part: tuple(map(column, name)) if part == "drop" else column(name)
            for part, name in parts.items()
        }
    return Lines(
        format=form,
        mapping=_with(field_map("mapping", given["mapping"]), parts),
        types=types_of(given["types"] or []),
        **_common(given),
    )


def _with(mapping: FieldMap | None, parts: Mapping[str, Any]) -> FieldMap:
    from stream.mapping import FieldMap

    return dataclasses.replace(mapping or FieldMap(), **parts)


def _parts(given: Mapping[str, Any]) -> dict[str, Any]:
    return {part: given[name] for name, part in _PARTS.items() if given[name]}


def _common(given: Mapping[str, Any]) -> dict[str, Any]:
    retention = Retention(seconds=given["retention_seconds"], size=given["retention_bytes"])
    return {
        "classes": labels(given["classes"]),
        "partitions": given["partitions"],
        "retention": retention,
    }


def _check(given: Mapping[str, Any], defaults: Mapping[str, Any], known: set[str]) -> None:
    """Refuse what was set and does not go with such a source."""
    for name, default in defaults.items():
        if name not in known and given[name] != default:
            what = "standard input" if given["source"] == "-" else "a topic"
            raise SettingError(
                f"{name.replace('_', ' ')} does not go with {given['source']!r}, which is "
                f"{what}; leave it away"
            )
