"""Commands to learners: records that they obey at the place where they read them."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from stream.errors import RecordError, SettingError, TopicMissing
from stream.records import MAIN_ARM, MAX_ARM, Promote, decode_outcomes, encode
from stream.topic import Log, Topic, backwards, samples_of, topic_of

_LOOKED = 50
"""Outcomes looked through, from the end backwards, for one that has totals."""


def promote(log: Log, arm: str, *, learner: str = "main") -> list[int]:
    """Have a learner serve another of its models; return the partitions that were told.

    The command is written to every partition of the stream's samples in one transaction. It
    names the learner, and the others read on.
    Raises `SettingError` where the learner has said that it has no such model, or that it
    reads somebody else's topic.
    """
    if not 1 <= len(arm) <= MAX_ARM:
        raise SettingError(f"arm {arm!r} must have 1 to {MAX_ARM} characters")
    samples = _samples(log)
    _check(log, learner, arm)
    command = Promote(arm, learner)
    writer = log.writer(f"{log.stream}.commands")
    try:
        for partition in range(samples.partitions):
            writer.append(samples.name, encode(command), partition=partition)
        writer.commit()
    finally:
        writer.close()
    return [*range(samples.partitions)]


def _samples(log: Log) -> Topic:
    try:
        return log.topic(samples_of(log.stream))
    except TopicMissing as error:
        raise SettingError(
            f"stream {log.stream!r} has no samples of its own to write a command among; bring "
            "them with 'driftline produce'"
        ) from error


def _check(log: Log, learner: str, arm: str) -> None:
    """Refuse what the learner's newest outcomes say cannot be obeyed."""
    try:
        topic = log.topic(topic_of(log.stream, learner, "outcomes"))
    except TopicMissing as error:
        raise SettingError(
            f"learner {learner!r} has said nothing yet, so nobody knows its models; start it "
            "with 'driftline learn --challengers …'"
        ) from error
    read, arms = _newest(topic)
    if read not in (None, samples_of(log.stream)):
        raise SettingError(
            f"learner {learner!r} reads {read!r}, a topic of somebody else's in which commands "
            "have no place; copy it with 'driftline produce --source', or promote by a rule"
        )
    if arms and MAIN_ARM not in arms:
        raise SettingError(
            f"learner {learner!r} weighs {', '.join(arms)} by itself, so there is no arm "
            f"{arm!r} to promote; --challengers gives a learner models to choose from"
        )
    if arms is not None and arm not in arms:
        raise SettingError(_unknown(learner, arm, arms))


def _unknown(learner: str, arm: str, arms: Sequence[str]) -> str:
    if not arms:
        return (
            f"learner {learner!r} has one model alone, so there is no arm {arm!r} to serve; "
            "--challengers gives it others"
        )
    close = get_close_matches(arm, arms, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(arms)}"
    return f"learner {learner!r} has no arm {arm!r}; {hint}"


def _newest(topic: Topic) -> tuple[str | None, Sequence[str] | None]:
    """Return the topic a learner reads and the names of its arms, None where not known."""
    read = None
    for partition in range(topic.partitions):
        for count, entry in enumerate(backwards(topic, partition)):
            if count == _LOOKED:
                break
            if name := entry.headers.get("topic"):
                read = name.decode(errors="replace")
            try:
                totals = decode_outcomes(entry.value).totals
            except RecordError:
                continue
            if totals is not None:
                return read, [*totals.arms]
    return read, None
