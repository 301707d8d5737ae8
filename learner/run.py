"""How a learner runs: what is asked of it that is no part of its state."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from learner.breaker import Breaker, Share
from learner.keys import HOW_TO_SHARE
from learner.past import Asked
from learner.state import State
from stream.errors import SettingError
from stream.topic import Crew, check_name

MAIN = "main"
"""The name of a learner that was given none."""
_TURN = 1_000_000
"""Records of one commit, at most: all of them wait in memory."""
_LONGEST = 60.0
"""Seconds of a turn, at most: so long nobody hears of a guess."""
_ANSWERS = ("asked", "all", "none")
_DELIVERIES = ("exactly-once", "at-least-once")


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """How a learner runs; nothing of it enters its state.

    `turn` bounds the records of one commit, `turn_seconds` the time for which a first
    record waits there for more. `until_end` stops at the end of the stream as
    it stood at the start. `rebuild` replays the stream from the old start into a new state,
    saying nothing that was said before; `fresh` begins with a new state where the old one
    stood. `answer` says which samples get a prediction: asked, all, none. `delivery` is
    exactly-once or, where the log has both, at-least-once. Learners of one name share the
    partitions; one with a `member` name takes its old place in the group again. `state` is a
    folder, or the address of a store; see `learner.state`. `accept_versions` takes a
    checkpoint that other versions of the libraries have made, if it guesses alike here. Above
    a `breaker` share of dead letters it pauses, see `learner.breaker`. With a `port`, 0 for a
    free one, it can be asked over HTTP while it learns; see `learner.serving`. One of a
    `crew` on one machine has its part of the partitions where the log does not share them
    out.

    With `begin` or `end`, as `stream.span.offsets` reads them, it learns that range of what is
    past, under a name of its own, and ends; see `learner.past`.
    """

    name: str = MAIN
    state: State
    key_file: Path | None = None
    turn: int = 2000
    turn_seconds: float = 0.01
    until_end: bool = False
    rebuild: bool = False
    fresh: bool = False
    answer: str = "asked"
    delivery: str = "exactly-once"
    member: str | None = None
    accept_versions: bool = False
    breaker: Share = 0.5
    host: str = "127.0.0.1"
    port: int | None = None
    crew: Crew | None = None
    begin: str | None = None
    end: str | None = None

    @property
    def past(self) -> Asked | None:
        """Return the range that was asked for, if any was."""
        if self.begin is None and self.end is None:
            return None
        return Asked(self.begin, self.end)

    @property
    def waits(self) -> bool:
        """Whether it waits for a stream that is not there yet."""
        return not self.until_end and self.past is None

    def __post_init__(self) -> None:
        """Refuse values that cannot be meant. Raises `SettingError`."""
        if not 1 <= self.turn <= _TURN:
            raise SettingError(
                f"turn must be a whole number from 1 to {_TURN}, got {self.turn!r}"
            )
        if not 0 <= self.turn_seconds <= _LONGEST:
            raise SettingError(
                f"turn_seconds must be from 0 to {_LONGEST:g}, got {self.turn_seconds!r}"
            )
        if self.answer not in _ANSWERS:
            raise SettingError(f"answer must be {' or '.join(_ANSWERS)}, got {self.answer!r}")
        if self.delivery not in _DELIVERIES:
            one = " or ".join(_DELIVERIES)
            raise SettingError(f"delivery must be {one}, got {self.delivery!r}")
        Breaker.check(self.breaker)
        if self.member is not None:
            check_name(self.member, "member")
            if self.key_file is None:
                raise SettingError(
                    f"member {self.member!r} shares checkpoints with others, who must all have "
                    f"the same key; {HOW_TO_SHARE}"
                )
        if self.rebuild and self.fresh:
            raise SettingError("rebuild and fresh are two ways on; leave one away")
        if self.past and (self.rebuild or self.fresh):
            raise SettingError(
                "a range of the past has a state of its own, with nothing to rebuild; leave "
                "--rebuild and --fresh away"
            )
