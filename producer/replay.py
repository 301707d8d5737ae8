"""From a source to the topic of samples: every sample once, whatever happens."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice

from producer.counts import Counts, Seen
from producer.delivery import Delivery
from producer.emissions import LABEL, MARK, QUESTION, SAMPLE
from producer.feed import Feed
from producer.listing import Listing
from producer.pace import pace_of
from producer.patience import Patient
from producer.schema import Row, Schema
from producer.settings import Opened, Replay, open_replay, writer_name
from stream.errors import TopicMissing
from stream.told import declared
from stream.topic import Log, Retention, Topic, samples_of

__all__ = ["Preview", "Progress", "Replay", "Summary", "describe", "produce"]

_SHOWN, _READ, _SECONDS = 5, 50_000, 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a replay is. `samples` counts those that were there already as well.

    `total` is None where it is not known; `seconds` is the time since the start.
    """

    samples: int
    total: int | None
    messages: int
    resumed: int
    skipped: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What one run of a replay wrote.

    `samples` are records with features, `questions` those of them without a label; `labels`
    came later, for questions. A mark counts once, whatever the number of partitions.
    `resumed` counts the messages that were there already, `skipped` the rows that could not
    be used, also among those. `stopped` tells that the run was asked to end before its time.
    """

    source: str
    samples: int
    questions: int
    labels: int
    marks: int
    skipped: int
    resumed: int
    partitions: int
    seconds: float
    samples_per_second: float
    stopped: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a replay would write: its schema, its first rows, and the rows read in a second."""

    schema: Schema
    rows: Sequence[Row]
    rows_per_second: float
    skipped: int
    flaws: Sequence[str]


def produce(
    log: Log,
    replay: Replay,
    *,
    opened: Opened | None = None,
    stopping: Callable[[], bool] = lambda: False,
    progress: Callable[[Progress], None] = lambda _: None,
    say: Callable[[str], None] = lambda _: None,
    counts: Counts | None = None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
    now: Callable[[], float] = time.time,
) -> Summary:
    """Write a replay to the topic of samples of `log`, going on where it stopped before.

    Run again it adds nothing; with a higher limit or more loops it adds what is new. With
    other settings it is another replay, which comes behind what is there: `writer_name`
    says which are one. A file that is looped over must not grow meanwhile.

    `stopping` is asked before each message, and ends the run with all that was said
    committed. `say` takes sentences for a person; `progress` is called after each commit,
    and `counts` are for whoever scrapes.
    `now` is the time of a sample that has none. `opened` is what `open_replay` has made of
    it, for who looks whether it can be meant before there is a log.

    Raises `SettingError` when a setting or the source is wrong, and when the files that a
    folder had before are no longer its first ones; what came before the place where a
    file breaks off is committed. Raises `Fenced` when another process has started
    the same replay.
    """
    pace = pace_of(replay.rate, replay.speed)
    feed, said = opened or open_replay(replay)
    kept = replay.retention != Retention() and _known(log)
    topic = log.create(
        samples_of(log.stream), partitions=replay.partitions, retention=replay.retention
    )
    name = writer_name(log.stream, replay)
    listing = Listing(replay.source, name)
    counts = counts or Counts(log.stream)
    writer = Patient(log, name, stopping=stopping, counts=counts)
    started = clock()
    told = 0

    def committed() -> None:
        nonlocal told
        for flaw in feed.flaws[told:]:
            told += 1
            say(f"{flaw}; such rows are left out and counted")
        counts.out(delivery.sent)
        progress(_progress(feed, replay, delivery, clock() - started))

    try:
        delivery = Delivery(
            topic,
            writer,
            pace=pace,
            stopping=stopping,
            committed=committed,
            clock=clock,
            sleep=sleep,
            now=now,
            headers=listing.headers,
        )
        counts.watch(lambda: _seen(feed, delivery))
        listing.check(topic, delivery.rows)
        if kept:
            say(f"{topic.name} was there already and keeps the retention it was made with")
        _announce(feed, replay, topic, delivery, say)
        # The first number is kept for the classes, also where they are not known.
        delivery.send(said, first=0 if feed.schema.classes else 1)
        committed()
        if feed.skipped:
            say(f"rows left out: {feed.skipped:,}")
    finally:
        writer.close()
    return _summary(feed, topic, delivery, clock() - started)


def describe(replay: Replay, *, clock: Callable[[], float] = time.perf_counter) -> Preview:
    """Read the beginning of a replay, writing nothing: at most 50,000 rows in 2 seconds.

    Raises `SettingError` when a setting or the source is wrong.
    """
    feed, _ = open_replay(replay)
    rows: list[Row] = []
    read, started = 0, clock()
    for row in islice(feed.read(), _READ):
        read += 1
        if read <= _SHOWN:
            rows.append(row)
        if clock() - started > _SECONDS:
            break
    return Preview(
        schema=feed.schema,
        rows=rows,
        rows_per_second=read / max(clock() - started, 1e-9),
        skipped=feed.skipped,
        flaws=feed.flaws,
    )


def _announce(
    feed: Feed, replay: Replay, topic: Topic, delivery: Delivery, say: Callable[[str], None]
) -> None:
    """Say what a person should know before the first record."""
    say(feed.schema.sentence())
    if topic.partitions != replay.partitions:
        say(f"{topic.name} was made with {topic.partitions} partitions and keeps them")
    if delivery.last >= 0:
        say(f"{topic.name} holds this replay up to message {delivery.last}; going on behind it")
        if replay.classes and set(replay.classes) != set(declared(topic, 0)):
            say(
                "classes can no longer be declared to a stream that has samples; give them to "
                "'driftline learn --classes'"
            )
    elif any(topic.end().values()):
        say(
            f"{topic.name} holds records of another replay, or of this one with other "
            "settings; going on behind them"
        )


def _known(log: Log) -> bool:
    """Whether the topic is there already."""
    try:
        log.topic(samples_of(log.stream))
    except TopicMissing:
        return False
    return True


def _total(feed: Feed, replay: Replay) -> int | None:
    rows, limit = feed.schema.rows, replay.limit
    if rows is None or not replay.loop:
        return limit
    return rows * replay.loop if limit is None else min(rows * replay.loop, limit)


def _seen(feed: Feed, delivery: Delivery) -> Seen:
    return Seen(
        read=delivery.samples + feed.skipped,
        dead=feed.skipped,
        resumed=delivery.resumed,
        pending=delivery.pending,
    )


def _progress(feed: Feed, replay: Replay, delivery: Delivery, seconds: float) -> Progress:
    return Progress(
        samples=delivery.samples,
        total=_total(feed, replay),
        messages=delivery.sent.total(),
        resumed=delivery.resumed,
        skipped=feed.skipped,
        seconds=seconds,
    )


def _summary(feed: Feed, topic: Topic, delivery: Delivery, seconds: float) -> Summary:
    sent = delivery.sent
    samples = sent[SAMPLE] + sent[QUESTION]
    return Summary(
        source=feed.schema.source,
        samples=samples,
        questions=sent[QUESTION],
        labels=sent[LABEL],
        marks=sent[MARK],
        skipped=feed.skipped,
        resumed=delivery.resumed,
        partitions=topic.partitions,
        seconds=seconds,
        samples_per_second=samples / max(seconds, 1e-9),
        stopped=delivery.stopped,
    )
