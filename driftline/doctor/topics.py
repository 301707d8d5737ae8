"""The topics of a stream: which there are, what is in them, and one record looked into."""

from __future__ import annotations

from collections.abc import Iterator

from driftline.doctor.finding import Case, Finding, failed, ok, warn
from driftline.doctor.mapped import unfound
from stream.errors import RecordError, StreamError, TopicMissing
from stream.mapping import describe, reader
from stream.records import UNSET, Record, decode, encode
from stream.topic import Entry, Retention, Topic, samples_of, topic_of

_TAIL = 100
"""Records looked into, from the end of each partition."""
_SHOWN = 300
"""Characters shown of a record."""
_PARTS = 40
"""Parts shown of a record that is mapped."""
_VALUE = 80
"""Characters shown of one of them."""
KINDS = ("outcomes", "predictions", "dead")


def topics(case: Case) -> Iterator[Finding]:
    """Name each topic with its partitions, offsets and retention."""
    log = case.reached()
    samples = case.source()
    try:
        topic = log.topic(samples)
    except TopicMissing:
        if samples != samples_of(log.stream):
            remedy = "correct its name (--topic), or --stream; nothing of ours makes it"
        else:
            remedy = f"run 'driftline produce'{_would_make(case, samples)}, or correct --stream"
        yield failed(f"topic {samples} is not there", remedy)
        return
    yield ok(_of_topic(topic))
    names = case.learners()
    for name in names:
        for kind in KINDS:
            yield _of_learner(case, name, kind)
    if not names:
        yield ok("no learner has been here, so there are no topics of one")


def _would_make(case: Case, name: str) -> str:
    """Say what would become of making a topic, where the cluster can be asked for it."""
    from stream.kafka import KafkaLog

    log = case.reached()
    if not isinstance(log, KafkaLog):
        return ""
    from stream.kafka_rights import of_creation

    found = of_creation(log.cluster, name, 1)
    if found.refusal:
        return f", which could not make it now ({found.refusal})"
    partitions = f"{found.partitions} partition{'s' * (found.partitions != 1)}"
    copies = f"{found.copies} {'copy' if found.copies == 1 else 'copies'}"
    return f", which would make it with {partitions} and {copies} (--partitions for more)"


def _of_learner(case: Case, name: str, kind: str) -> Finding:
    log = case.reached()
    try:
        topic = log.topic(topic_of(log.stream, name, kind))
    except TopicMissing:
        return warn(
            f"topic {topic_of(log.stream, name, kind)} is not there",
            f"run 'driftline learn --name {name}', which makes it",
        )
    return ok(_of_topic(topic))


def _of_topic(topic: Topic) -> str:
    first, end = topic.first(), topic.end()
    offsets = ", ".join(f"{first[p]}–{end[p]}" for p in sorted(end))
    parts = f"{topic.partitions} partition{'s' * (topic.partitions != 1)}"
    return f"{topic.name}: {parts}, offsets {offsets}, {kept(topic)}"


def kept(topic: Topic) -> str:
    """Return how long a topic keeps its records, in words."""
    try:
        retention = topic.retention()
    except StreamError as error:
        return f"retention unknown ({str(error).partition('; ')[0]})"
    return words(retention)


def words(retention: Retention) -> str:
    """Return a retention in words.

    >>> words(Retention()), words(Retention(seconds=86_400.0, size=5))
    ('kept for ever', 'kept for 1 days and 5 bytes a partition')
    """
    parts = []
    if retention.seconds is not None:
        parts.append(f"{retention.seconds / 86_400:g} days")
    if retention.size is not None:
        parts.append(f"{retention.size:,} bytes a partition")
    return f"kept for {' and '.join(parts)}" if parts else "kept for ever"


def records(case: Case) -> Iterator[Finding]:
    """Show the newest record of each kind of trouble: one good one, and how many are bad."""
    topic = case.samples()
    tail = newest(topic)
    if not tail:
        yield warn(
            "the topic of samples is empty", "run 'driftline produce', or wait for others"
        )
        return
    good, bad = None, []
    for entry in tail:
        try:
            good = (entry, read(case, entry))
        except RecordError as error:
            bad.append((entry, error))
    if good is not None:
        entry, record = good
        yield ok(f"@{entry.offset} is {kind_of(record)}: {encode(record).decode()[:_SHOWN]}")
        yield from _mapped(case, entry)
    if (mapping := case.config().mapping) is not None:
        yield from unfound(mapping, tail)
    if not bad:
        yield ok(f"the last {len(tail)} records can be read")
        return
    entry, refusal = bad[-1]
    report = failed if good is None else warn
    yield report(
        f"{len(bad)} of the last {len(tail)} records are refused, @{entry.offset} as "
        f"{refusal.reason}: {refusal}",
        f"mend {'the mapping, or ' if mapping else ''}what writes them; a learner files such "
        "records under dead letters",
    )
    if good is None:
        yield ok(_as_it_stands(entry))


def newest(topic: Topic) -> list[Entry]:
    """Return the last records of a topic, up to a hundred of each partition."""
    first, end = topic.first(), topic.end()
    return [
        entry
        for p in range(topic.partitions)
        for entry in topic.scan(p, max(first[p], end[p] - _TAIL), end[p])
    ]


def read(case: Case, entry: Entry) -> Record:
    """Return the record that a learner would see in an entry of the samples topic."""
    mapping = case.config().mapping
    return decode(entry.value) if mapping is None else reader(mapping)(entry.value)


def _mapped(case: Case, entry: Entry) -> Iterator[Finding]:
    """Say of each part of a record where the mapping has found it."""
    mapping = case.config().mapping
    if mapping is None:
        return
    yield ok(_as_it_stands(entry))
    found = describe(entry.value, mapping)
    for part, name, value, path in found[:_PARTS]:
        what = f"feature {name}" if part == "x" else part
        yield ok(f"{what} = {str(value)[:_VALUE]!r}, found at {path}")
    if len(found) > _PARTS:
        yield ok(f"and {len(found) - _PARTS} features more")


def _as_it_stands(entry: Entry) -> str:
    return f"as it stands: {entry.value.decode(errors='replace')[:_SHOWN]}"


def kind_of(record: Record) -> str:
    """Return what a record is, in words.

    >>> kind_of(Record(x={"a": 1}, y=2)), kind_of(Record(y=1))
    ('a labelled sample', 'a late label')
    """
    if record.x is not UNSET:
        return "a labelled sample" if record.y is not None else "a question"
    if record.y is not None:
        return "a late label"
    return "a mark" if record.mark else "a command" if record.command else "a wish to forget"
