"""Everything that can go wrong with a stream, as one family.

    StreamError
    ├── SettingError        a setting is wrong; the command line leaves with 2
    ├── NotReached          a layer of the way to a broker does not open
    ├── TopicMissing        no topic of that name
    ├── TopicReplaced       another topic has taken the name
    ├── TopicTimeout        the log did not answer in time
    ├── TopicFailed         the log refused to store or to read; nothing of that commit was kept
    ├── CursorExpired       the record a cursor points at is no longer kept
    ├── Fenced              another writer of the same name has taken over
    ├── SeatLost            a member has lost its place, or does not know what it stored
    ├── BreakerOpen         most of what comes is refused; nobody should go on unseen
    ├── CheckpointError     a checkpoint is not to be trusted, or not to be found
    └── RecordError         a record is refused; carries the reason code of its dead letter

A message says which thing, what was found there, and what to do, in one sentence.
"""

import re

from stream.texts import shown

_DIGEST = re.compile(r"\.[0-9a-f]{12}$")


class StreamError(Exception):
    """The root of the family; catching it catches all that a user or the world can cause."""


class SettingError(StreamError):
    """A setting has a value it cannot have."""


class NotReached(StreamError):
    """A layer of the way to a broker does not open: its name, a connection, TLS, a user."""


class TopicMissing(StreamError):
    """The log holds no topic of that name."""

    @classmethod
    def named(cls, topic: str, log: str) -> "TopicMissing":
        """Return the error for a topic that `log` lacks."""
        *_, kind = topic.split(".")
        maker = {"samples": "produce"} | dict.fromkeys(
            ("outcomes", "predictions", "dead"), "learn"
        )
        advice = (
            f"run 'driftline {maker[kind]}' to make it" if kind in maker else "correct its name"
        )
        return cls(f"topic {topic!r} is not in {log}; {advice}")


class TopicReplaced(StreamError):
    """A topic was deleted and made anew: its offsets mean other records now."""

    @classmethod
    def named(cls, topic: str) -> "TopicReplaced":
        """Return the error for a topic that is not what it was."""
        return cls(
            f"topic {topic!r} was deleted and made anew while it was read; start again, which "
            "says what of the old one is left"
        )


class TopicTimeout(StreamError):
    """The log did not answer in time; whether records were stored is unknown."""


class TopicFailed(StreamError):
    """The log refused to store or to read, for want of room, of rights, or a whole file.

    Nothing of what was to be stored then was kept.
    """


class CursorExpired(StreamError):
    """Retention has removed the record a cursor points at."""

    @classmethod
    def at(cls, topic: str, partition: int, cursor: int, oldest: int) -> "CursorExpired":
        """Return the error for a cursor before the oldest record kept."""
        return cls(
            f"{topic}[{partition}]@{cursor} is no longer kept, the oldest record is {oldest}: "
            f"{oldest - cursor:,} are gone; lengthen the topic's retention, and start the "
            "learner with --fresh to go on from what is left"
        )

    @classmethod
    def gap(cls, topic: str, partition: int, start: int, oldest: int) -> "CursorExpired":
        """Return the error for a range that begins before the oldest record kept."""
        return cls(
            f"{topic}[{partition}] begins at {oldest}, so that the records {start} to "
            f"{oldest - 1} are no longer kept; begin at {partition}:{oldest} or later, and "
            "lengthen the topic's retention for the next time"
        )


class Fenced(StreamError):
    """A newer writer of the same name exists; this one has stored nothing and must end."""

    @classmethod
    def by_name(cls, writer: str) -> "Fenced":
        """Return the error for a writer whose name another has taken."""
        # A producer's name ends in a digest; also that of a stream called driftline.
        learner = writer.startswith("driftline.") and not _DIGEST.search(writer)
        other_way = ", or give it a --name of its own" if learner else ""
        return cls(f"another process now writes as {writer!r}; end one of the two{other_way}")


class SeatLost(StreamError):
    """A member of a group has lost its place, or what became of its last commit.

    What it holds in memory is worth nothing any more; it may join again and find out.
    """


class BreakerOpen(StreamError):
    """Most of the last records were refused; all that came of them is committed."""


class CheckpointError(StreamError):
    """A checkpoint is damaged, forged, made by another configuration, or missing."""


class RecordError(StreamError):
    """A record is refused.

    `reason` is the code under which it is counted and filed as a dead letter; all there are
    stand in `stream.refusals`. The message may quote the record, so it is cut and cleaned.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(shown(message))
        self.reason = reason

    def __reduce__(self) -> tuple[type["RecordError"], tuple[str, str]]:
        """Pickle with both arguments; Exception's own way would lose one."""
        return type(self), (self.reason, str(self))
