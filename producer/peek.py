"""What a mapping makes of the newest record of a topic, for a person to see beforehand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing

from producer.topics import Copy
from stream.connect import open_topic
from stream.errors import RecordError
from stream.mapping import FieldMap, describe
from stream.records import text_of
from stream.topic import Topic, backwards


def peek(wanted: Copy, *, kafka: Mapping[str, object] | None = None) -> Iterator[str]:
    """Yield lines that show one record of each topic through its mapping, and write nothing.

    Raises `SettingError` when a topic is not there.
    """
    topics = [("source", wanted.source, wanted.mapping)]
    if wanted.labels is not None:
        topics.append(("labels", wanted.labels, wanted.label_map))
    for setting, url, mapping in topics:
        log, topic = open_topic(url, setting, kafka=kafka)
        with closing(log):
            yield from _shown(topic, mapping)


def _shown(topic: Topic, mapping: FieldMap | None) -> Iterator[str]:
    for p in range(topic.partitions):
        for entry in backwards(topic, p):
            yield f"{topic.name}[{p}]@{entry.offset}, {len(entry.value)} bytes"
            yield from _told(entry.value, mapping)
            return
    yield f"{topic.name} has no record yet"


def _told(value: bytes, mapping: FieldMap | None) -> Iterator[str]:
    if mapping is None:
        yield f"  as it is: {value[:500].decode(errors='replace')}"
        return
    try:
        found = describe(value, mapping)
    except RecordError as error:
        yield f"  would be left out ({error.reason}): {error}"
        return
    width = max((len(it.name) for it in found), default=0)
    for it in found:
        what = "feature" if it.part == "x" else it.part
        text = "null" if it.value is None else text_of(it.value)  # type: ignore[arg-type]
        yield f"  {what:<7}  {it.name:<{width}}  {text[:60]}  from {it.path}"
