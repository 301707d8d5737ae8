"""What is told in a topic: the classes at its beginning, a learner's newest outcomes."""

from __future__ import annotations

import contextlib
from itertools import islice

from stream.errors import CursorExpired, RecordError
from stream.records import Declare, Label, Outcomes, decode_command, decode_outcomes
from stream.topic import Entry, Topic, backwards

LOOKED = 4096
"""Messages that are looked at, at most."""


def newest_outcomes(topic: Topic, partition: int) -> tuple[Entry, Outcomes] | None:
    """Return the newest message of outcomes of a partition, and what it tells.

    What somebody else has written there is no outcome, and takes back none: it is passed
    over. None where the newest `LOOKED` messages are all of that kind, or there are none.
    """
    for entry in islice(backwards(topic, partition), LOOKED):
        with contextlib.suppress(RecordError):
            return entry, decode_outcomes(entry.value)
    return None


def declared(topic: Topic, partition: int, before: int | None = None) -> list[Label]:
    """Return the classes a partition of samples begins with, as it does where they were known.

    None where it does not, or no longer, or not `before` an offset.
    """
    first = topic.first()[partition]
    if first == (topic.end()[partition] if before is None else before):
        return []
    with contextlib.suppress(RecordError, CursorExpired):
        for entry in topic.scan(partition, first, first + 1):
            command = decode_command(entry.value)
            if isinstance(command, Declare):
                return [*dict.fromkeys(command.classes)]
    return []
