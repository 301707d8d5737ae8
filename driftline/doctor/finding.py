"""What a step of the doctor's gives, and what it is given."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from stream.topic import group_of

if TYPE_CHECKING:
    from learner.config import Config
    from learner.state import State
    from stream.kafka_probe import Probe
    from stream.topic import Log, Topic

OK, WARN, FAILED, SKIPPED = "ok", "warn", "failed", "skipped"
"""How it stands: fine; worth a look; broken; not looked at, for what was found before."""


class Finding(NamedTuple):
    """One thing that was looked at: how it stands, what was found, and what to do."""

    status: str
    found: str
    advice: str = ""


def ok(found: str) -> Finding:
    """Return a finding that is fine."""
    return Finding(OK, found)


def warn(found: str, advice: str) -> Finding:
    """Return a finding that is worth a look."""
    return Finding(WARN, found, advice)


def failed(found: str, advice: str) -> Finding:
    """Return a finding that keeps something from working."""
    return Finding(FAILED, found, advice)


class Skipped(Exception):
    """A step has nothing to look at, for the reason that is its text."""


@dataclass
class Case:
    """What is looked at. Steps before have put `log` there, if it could be reached.

    `names` are the learners asked for, none for all there are. `config` is what `driftline
    learn` would have at present, and `copied` the addresses that `driftline produce` would
    follow. `roles` are the commands whose rights are looked at.
    """

    stream: str
    names: tuple[str, ...]
    state: State
    key_file: Path | None
    host: str
    port: int
    prometheus_port: int
    config: Callable[[], Config]
    copied: Callable[[], list[str]] = list
    roles: tuple[str, ...] = ()
    log: Log | None = None
    ways: list[Probe] = field(default_factory=list)
    """The ways to brokers that are open as far as they were looked at."""
    broken: str = ""
    """The first step of the way to the stream that failed, if one has."""

    @property
    def on_kafka(self) -> bool:
        """Whether the stream is one of Kafka's."""
        return self.stream.startswith("kafka:")

    def reached(self) -> Log:
        """Return the log, or skip the step where it was not reached."""
        self.unbroken()
        if self.log is None:
            raise Skipped("the stream was not reached")
        return self.log

    def unbroken(self) -> None:
        """Skip the step where one on the way to the stream has failed."""
        if self.broken:
            raise Skipped(f"not looked at, as {self.broken} failed")

    def close(self) -> None:
        """Close what was opened to look."""
        for way in self.ways:
            way.close()
        if self.log is not None:
            self.log.close()

    def source(self) -> str:
        """Return the name of the topic that holds the samples."""
        from stream.topic import samples_of

        return self.config().topic or samples_of(self.reached().stream)

    def samples(self) -> Topic:
        """Return the topic of samples, or skip the step where there is none."""
        from stream.errors import TopicMissing

        log = self.reached()
        try:
            return log.topic(self.source())
        except TopicMissing:
            raise Skipped("the stream has no samples yet") from None

    def learners(self) -> list[str]:
        """Return the names of the learners to look at: those asked for, else all there are."""
        log = self.reached()
        prefix = group_of(log.stream, "")
        there = [g.removeprefix(prefix) for g in log.groups() if g.startswith(prefix)]
        return list(self.names) or [name for name in there if "." not in name]


class Step(NamedTuple):
    """A step: what it is called, and the function that looks.

    One that `leads` to the stream ends the way there when it fails. One `of_kafka` is not
    taken on other logs.
    """

    title: str
    look: Callable[[Case], Iterable[Finding]]
    leads: bool = False
    of_kafka: bool = False
