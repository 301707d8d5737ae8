"""Lines as they come, of a pipe say: each a record at once, with the types of its own values.

A pipe cannot be read again. So what comes is taken as new, whoever sent it before, and what
was read and not yet committed is lost with the process: 20 milliseconds' worth of lines, or
5,000 of them.
"""

from __future__ import annotations

import contextlib
import hashlib
import queue
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from producer.chunks import Read, chunks_of
from producer.columns import CONVERTERS
from producer.counts import Counts, Seen
from producer.csv_lines import CsvLines
from producer.emissions import LABEL, QUESTION, SAMPLE
from producer.intake import Intake, encoded
from producer.patience import Patient
from producer.replay import Progress
from producer.sources.source import unknown
from stream.classes import check_classes
from stream.errors import RecordError, SettingError
from stream.mapping import FieldMap, reader
from stream.records import UNSET, Label, Record, decode
from stream.sought import Sought
from stream.topic import Log, Retention, samples_of

SOURCE = "-"
"""What standard input is called as a source."""
FORMATS = ("jsonl", "csv", "records")
BATCH, WITHIN = 5000, 0.02
"""Lines of one commit at most, and the seconds one waits for it at most."""
_LOOK = 0.1
_SOON = 500
"""Lines after which it is said what none of them has; again it is said at the end."""
_CALLED = {"y": "label", "ts": "time"}
"""What parts of a mapping are called as settings, where they have another name there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """What lines hold.

    `format` is jsonl, objects that `mapping` reads; records, our own form; or csv. A line of
    csv is a row, the first line names the columns, and `mapping` names columns in place of
    paths. Each value of csv is a number, a truth, a moment or a text as it looks by itself,
    unless `types` gives its column a type; ids are texts.

    A sample without an id is called by the number of its line, counted on from what was read
    before. `classes` are declared to a stream that has no record yet. `partitions` and
    `retention` are for a topic that is not there yet. Raises `SettingError` for what cannot
    be meant.
    """

    format: str = "jsonl"
    mapping: FieldMap = field(default_factory=FieldMap)
    types: Mapping[str, str] = field(default_factory=dict)
    classes: Sequence[Label] | None = None
    partitions: int = 1
    retention: Retention = field(default_factory=Retention)

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        check_classes(self.classes)
        if self.format not in FORMATS:
            raise unknown("format", self.format, FORMATS)
        if self.partitions < 1:
            raise SettingError(
                f"partitions must be a whole number of 1 or more, got {self.partitions}"
            )
        if self.types and self.format != "csv":
            raise SettingError("types are for csv: values of JSON have their own; leave them")
        for name, kind in self.types.items():
            if kind not in CONVERTERS:
                raise unknown(f"type for column {name!r} called", kind, CONVERTERS)
        if self.format == "records" and self.mapping != FieldMap():
            raise SettingError(
                "records are of our own form, and need no mapping; leave it away"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What came of lines: see `producer.copying.Copied`. `lines` counts them all."""

    source: str
    lines: int
    samples: int
    questions: int
    labels: int
    skipped: Mapping[str, int]
    partitions: int
    seconds: float
    samples_per_second: float
    stopped: bool


def take(
    log: Log,
    wanted: Lines,
    read: Read,
    *,
    stopping: Callable[[], bool] = lambda: False,
    progress: Callable[[Progress], None] = lambda _: None,
    say: Callable[[str], None] = lambda _: None,
    counts: Counts | None = None,
    clock: Callable[[], float] = time.monotonic,
    now: Callable[[], float] = time.time,
) -> Taken:
    """Write lines to the topic of samples of `log` as they come, until their end.

    What cannot be read is left out, counted, and told to `say`, once a reason. A path that
    none of the lines has is told too: a label may come later, so it is no error. Raises
    `Fenced` when another process has begun to take lines for the same stream.
    """
    topic = log.create(
        samples_of(log.stream), partitions=wanted.partitions, retention=wanted.retention
    )
    name = f"{log.stream}.stdin.{hashlib.sha256(b'lines').hexdigest()[:12]}"
    started, counts = clock(), counts or Counts(log.stream)
    patient = Patient(log, name, stopping=stopping, counts=counts)
    with contextlib.closing(patient) as writer:
        intake = Intake(topic, writer, name)
        if wanted.classes:
            intake.declare(wanted.classes)
        taking = _Taking(wanted, intake, say, now)
        counts.watch(taking.seen)
        stopped = taking.run(chunks_of(read), stopping, progress, counts, clock)
    seconds, sent = clock() - started, intake.sent
    samples = sent[SAMPLE] + sent[QUESTION]
    return Taken(
        source=SOURCE,
        lines=taking.lines,
        samples=samples,
        questions=sent[QUESTION],
        labels=sent[LABEL],
        skipped=dict(taking.skipped),
        partitions=topic.partitions,
        seconds=seconds,
        samples_per_second=samples / max(seconds, 1e-9),
        stopped=stopped,
    )


class _Taking:
    def __init__(
        self,
        wanted: Lines,
        intake: Intake,
        say: Callable[[str], None],
        now: Callable[[], float],
    ) -> None:
        self.lines, self.skipped = 0, Counter[str]()
        self._intake, self._say, self._now = intake, say, now
        self._before = int(intake.state.get("lines", 0))
        self._sought = Sought(wanted.mapping)
        self._read: Callable[[bytes], Record | None] = decode
        self._is_csv = wanted.format == "csv"
        if self._is_csv:
            self._read = CsvLines(wanted.mapping, wanted.types)
        elif wanted.format == "jsonl":
            self._read = reader(wanted.mapping, self._sought.look)

    def run(
        self,
        chunks: queue.Queue[list[bytes] | None],
        stopping: Callable[[], bool],
        progress: Callable[[Progress], None],
        counts: Counts,
        clock: Callable[[], float],
    ) -> bool:
        """Take lines until there are no more; return whether asked to stop before."""
        intake, started = self._intake, clock()
        since, open_ = started, True
        while open_ and not stopping():
            try:
                wait = max(0.0, WITHIN - (clock() - since)) if intake.pending else _LOOK
                lines = chunks.get(timeout=wait) if wait else chunks.get_nowait()
            except queue.Empty:
                lines = []
            open_ = lines is not None
            for line in lines or ():
                if not intake.pending:
                    since = clock()
                self._line(line)
            due = intake.pending >= BATCH or clock() - since >= WITHIN
            if due and intake.commit(self._state):
                counts.out(intake.sent)
                progress(intake.progress(clock() - started, self.skipped))
        if intake.commit(self._state):
            counts.out(intake.sent)
            progress(intake.progress(clock() - started, self.skipped))
        if self.lines != _SOON:
            self._say_unfound()
        return open_

    def seen(self) -> Seen:
        """Return how far it is."""
        return Seen(self.lines, self.skipped.total(), pending=self._intake.pending)

    def _state(self) -> dict[str, int]:
        return {"lines": self._before + self.lines}

    def _line(self, line: bytes) -> None:
        number = self.lines
        self.lines += 1
        if line.strip():
            self._try(line, number)
        if self.lines == _SOON:
            self._say_unfound()

    def _try(self, line: bytes, number: int) -> None:
        try:
            self._take(line, self._read(line), self._before + number)
        except RecordError as error:
            if error.reason not in self.skipped:
                self._say(
                    f"line {number + 1} is left out ({error.reason}): {error}"
                    f"{self._format_meant(line)}; such lines are left out and counted"
                )
            self.skipped[error.reason] += 1

    def _format_meant(self, line: bytes) -> str:
        # What begins with a bracket was meant to be JSON, and has a slip.
        if self._is_csv or line.lstrip()[:1] in (b"{", b"["):
            return ""
        return "; if it is CSV, give --format csv"

    def _say_unfound(self) -> None:
        for part, path, there in self._sought.unfound():
            self._say(
                f"none of {self._sought.objects} lines has {path!r}, which is named as "
                f"{_CALLED.get(part, part)}; {there}"
            )

    def _take(self, line: bytes, record: Record | None, id: int) -> None:
        if record is None:
            return
        if record.command or record.mark:
            self._intake.tell(line.strip(), range(self._intake.partitions))
            return
        if record.x is not UNSET:
            record.id = id if record.id is None else record.id
            record.ts = self._now() if record.ts is None else record.ts
        self._intake.add(record, encoded(record))
