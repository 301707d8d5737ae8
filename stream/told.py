"""What a learner has told last: its newest outcomes, among whatever else stands there."""

from __future__ import annotations

import contextlib
from itertools import islice

from stream.errors import RecordError
from stream.records import Outcomes, decode_outcomes
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
