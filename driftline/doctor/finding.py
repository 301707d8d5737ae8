"""What a step of the doctor's gives, and what it is given."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from stream.topic import group_of

if TYPE_CHECKING:
    from learner.config import Config
    from learner.state import State
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
    learn` would have at present.
    """

    stream: str
    names: tuple[str, ...]
    state: State
    key_file: Path | None
    host: str
    port: int
    prometheus_port: int
    config: Callable[[], Config]
    log: Log | None = None

    def reached(self) -> Log:
        """Return the log, or skip the step where it was not reached."""
        if self.log is None:
            raise Skipped("the stream was not reached")
        return self.log

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
    """A step: what it is called, and the function that looks."""

    title: str
    look: Callable[[Case], Iterable[Finding]]
