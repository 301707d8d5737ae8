"""From other topics to the topic of samples: each record once, whatever happens.

Which of the source was read travels with what came of it: the last record of each commit has
a header with all cursors, and a commit is stored as a whole or not at all. So whoever starts
again finds there where to go on, and nothing is kept beside.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import Any

from producer.answers import Answers, Held, known_in
from producer.counts import Counts, Seen
from producer.emissions import LABEL, QUESTION, SAMPLE
from producer.inlets import Inlet, fill, merged
from producer.intake import Intake, record_of
from producer.patience import Patient
from producer.replay import Progress
from producer.topics import Copied, Copy
from stream.connect import open_topic
from stream.errors import CursorExpired, RecordError, SettingError
from stream.mapping import reader
from stream.records import UNSET, Record, encode
from stream.topic import Entry, Log, Topic, Writer, samples_of

BATCH, WITHIN = 5000, 0.5
"""Records of one commit at most, and the seconds one waits for it while there are more."""
_EVERY = 5.0
"""Seconds between two looks at whether a source has more partitions by now."""


def copy(
    log: Log,
    wanted: Copy,
    *,
    kafka: Mapping[str, object] | None = None,
    stopping: Callable[[], bool] = lambda: False,
    progress: Callable[[Progress], None] = lambda _: None,
    say: Callable[[str], None] = lambda _: None,
    counts: Counts | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Copied:
    """Write other topics to the topic of samples of `log`, going on where it stopped before.

    Goes on for ever, unless `until_end` or `stopping`. Records of both topics are written in
    the order of their times, as `producer.inlets` has it, and the labels behind their
    samples, as `producer.answers` has it. What a partition of a source holds keeps its order.

    A record goes to the partition of its id; one without an id is called partition@offset.
    One that the mapping cannot read is left out, counted, and told to `say`, once a reason.
    With another mapping, or other labels, the copy goes on where it is. `kafka` are settings
    of kafka-python, for the sources.

    Raises `SettingError` when a source is not there or cannot be meant, `Fenced` when another
    process has started the same copy.
    """
    counts = counts or Counts(log.stream)
    with ExitStack() as opened:
        sources = []
        for setting, url in (("source", wanted.source), ("labels", wanted.labels)):
            if url is not None:
                its, source = open_topic(url, setting, kafka=kafka)
                opened.callback(its.close)
                sources.append(source)
        topic = log.create(
            samples_of(log.stream), partitions=wanted.partitions, retention=wanted.retention
        )
        _check_apart(topic, sources, wanted)
        name = writer_name(log.stream, sources[0], wanted.source)
        writer = Patient(log, name, stopping=stopping, counts=counts)
        opened.callback(writer.close)
        copying = _Copying(wanted, sources, topic, writer, name, say=say)
        counts.watch(copying.seen)
        return copying.run(stopping, progress, counts, clock)


def writer_name(stream: str, source: Topic, url: str) -> str:
    """Return the name under which a copy of a topic writes, the same after every restart.

    It stays with the topic when its log moves, and is another when the topic is made anew.
    """
    digest = hashlib.sha256(f"copy of {source.identity or url}".encode()).hexdigest()
    return f"{stream}.{re.sub('[^A-Za-z0-9.]+', '-', source.name)}.{digest[:12]}"


def _check_apart(topic: Topic, sources: Sequence[Topic], wanted: Copy) -> None:
    for source in sources:
        if source.name == topic.name and source.identity == topic.identity:
            raise SettingError(
                f"{wanted.source!r} is the stream's own topic of samples, and would be copied "
                "into itself; name another stream"
            )
    if len(sources) == 2 and sources[0].identity and sources[0].identity == sources[1].identity:
        raise SettingError(
            f"labels {wanted.labels!r} is the source itself; give the path of y in its mapping"
        )


class _Copying:
    """A copy at work."""

    def __init__(
        self,
        wanted: Copy,
        sources: Sequence[Topic],
        topic: Topic,
        writer: Writer,
        name: str,
        *,
        say: Callable[[str], None],
    ) -> None:
        self._wanted, self._topic, self._say = wanted, topic, say
        self._intake = Intake(topic, writer, name)
        self._state = self._intake.state
        self._skipped: Counter[str] = Counter()
        self._unmatched = 0
        self._inlets = self._open(sources)
        self._read = reader(wanted.mapping) if wanted.mapping else None
        self._read_label = reader(wanted.label_map)
        self._answers = Answers(known_in(topic) if wanted.labels else ())
        if wanted.classes:
            self._intake.declare(wanted.classes)
        if wanted.labels:
            self._hold_again()

    def _open(self, sources: Sequence[Topic]) -> list[Inlet]:
        # Labels first: what they speak of was there before them.
        stops = [source.end() for source in reversed(sources)][::-1]
        inlets = []
        for what, source, stop in zip(("samples", "labels"), sources, stops, strict=False):
            known = self._state.get(what)
            cursor = {}
            if known and known["of"] == source.identity:
                cursor = {int(p): at for p, at in known["cursor"].items()}
            if cursor:
                there = ", ".join(f"{p}@{at}" for p, at in sorted(cursor.items()))
                self._say(f"{source.name} was copied up to {there}; going on behind it")
            inlets.append(
                Inlet(
                    source,
                    cursor,
                    stop=stop if self._wanted.until_end else None,
                    say=self._say,
                )
            )
        return inlets

    def _hold_again(self) -> None:
        """Read once more the labels that were held back when the copy ended."""
        labels, known = self._inlets[1].topic, self._state.get("labels")
        if not known or known["of"] != labels.identity:
            return
        self._inlets[0].look()
        held = [(p, at) for p, at in known["held"]]
        found: dict[tuple[int, int], Entry] = {}
        for p in {p for p, _ in held}:
            places = [at for q, at in held if q == p]
            try:
                for entry in labels.scan(p, min(places), max(places) + 1):
                    found[p, entry.offset] = entry
            except CursorExpired as error:
                self._say(f"labels that were held back are lost: {error}")
        for place in held:
            if place in found:
                self._label(place[0], found[place])

    def run(
        self,
        stopping: Callable[[], bool],
        progress: Callable[[Progress], None],
        counts: Counts,
        clock: Callable[[], float],
    ) -> Copied:
        """Copy until there is no more, or until asked to stop."""
        started = since = looked = clock()
        inlets, intake = self._inlets, self._intake
        done = False

        def commit() -> None:
            nonlocal since
            if intake.commit(self._now):
                counts.out(intake.sent)
                progress(self._intake.progress(clock() - started, self._skipped))
            since = clock()

        while not done and not stopping():
            if fill(inlets, stopping) and not stopping():
                for n, p, entry in merged(inlets):
                    (self._label if n else self._sample)(p, entry)
                    if intake.pending >= BATCH or clock() - since > WITHIN:
                        commit()
                        if stopping():
                            break
            if clock() - looked > _EVERY:
                for inlet in inlets:
                    inlet.grow()
                looked = clock()
            self._let_go()
            done = all(inlet.done for inlet in inlets)
            if done or all(inlet.idle for inlet in inlets):
                commit()
        commit()
        return self._copied(clock() - started, stopped=not done)

    def seen(self) -> Seen:
        """Return how far it is; labels that are held back are in progress."""
        sent, dead, held = self._intake.sent.total(), self._skipped.total(), self._answers.count
        return Seen(sent + dead + held, dead, pending=self._intake.pending + held)

    def _sample(self, partition: int, entry: Entry) -> None:
        try:
            record, value = record_of(entry, partition, self._read)
        except RecordError as error:
            self._skip(self._inlets[0].topic, partition, entry, error)
            return
        if record.command or record.mark:
            self._command(partition, value)
            return
        self._intake.add(record, value)
        if record.x is not UNSET and self._wanted.labels:
            for label in self._answers.sample(str(record.id)):
                self._intake.add(label, encode(label))

    def _command(self, partition: int, value: bytes) -> None:
        """Copy what stands in every partition of a stream to every partition of ours."""
        if self._inlets[0].topic.partitions == self._topic.partitions:
            self._intake.tell(value, [partition])
        elif partition == 0:
            self._intake.tell(value, range(self._topic.partitions))

    def _label(self, partition: int, entry: Entry) -> None:
        try:
            found = self._read_label(entry.value)
        except RecordError as error:
            self._skip(self._inlets[1].topic, partition, entry, error)
            return
        label = Record(found.id, y=found.y)
        held = Held(partition, entry.offset, label, self._inlets[0].end)
        for label in self._answers.label(held):
            self._intake.add(label, encode(label))
        self._let_go()

    def _let_go(self) -> None:
        for label in self._answers.due(self._inlets[0].taken):
            if not self._unmatched:
                self._say(
                    f"the label of {label.id!r} has no sample among the last in "
                    f"{self._inlets[0].topic.name}; such labels are written as they are, and "
                    "counted"
                )
            self._unmatched += 1
            self._intake.add(label, encode(label))

    def _skip(self, topic: Topic, partition: int, entry: Entry, error: RecordError) -> None:
        if error.reason not in self._skipped:
            self._say(
                f"{topic.name}[{partition}]@{entry.offset} is left out ({error.reason}): "
                f"{error}; such records are left out and counted"
            )
        self._skipped[error.reason] += 1

    def _now(self) -> dict[str, Any]:
        """Return what tells a later run where to go on."""
        for what, inlet in zip(("samples", "labels"), self._inlets, strict=False):
            self._state[what] = {"of": inlet.topic.identity, "cursor": inlet.taken}
        if self._wanted.labels:
            self._state["labels"]["held"] = self._answers.held
        return self._state

    def _copied(self, seconds: float, *, stopped: bool) -> Copied:
        sent = self._intake.sent
        samples = sent[SAMPLE] + sent[QUESTION]
        return Copied(
            source=self._wanted.source,
            samples=samples,
            questions=sent[QUESTION],
            labels=sent[LABEL],
            unmatched=self._unmatched,
            skipped=dict(self._skipped),
            partitions=self._topic.partitions,
            cursor={
                what: dict(inlet.taken)
                for what, inlet in zip(("samples", "labels"), self._inlets, strict=False)
            },
            seconds=seconds,
            samples_per_second=samples / max(seconds, 1e-9),
            stopped=stopped,
        )
