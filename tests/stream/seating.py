"""Members of a group on Kafka, and what they come to."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from stream.kafka_seat import KafkaSeat
from stream.topic import Topic

Sit = Callable[..., KafkaSeat]


def values(seat: KafkaSeat) -> list[bytes]:
    """Return what stands in the first partition of the samples, for all to read."""
    topic: Topic = seat.writer._topic(seat._topic)
    return [entry.value for entry in topic.scan(0, 0, topic.end()[0])]


def settle(*seats: KafkaSeat) -> list[frozenset[int]]:
    """Return the shares of some members once they have all partitions between them.

    Each asks in a thread of its own: a group comes to rest only if all of them do.
    """
    deadline = time.monotonic() + 30
    with ThreadPoolExecutor(len(seats)) as threads:
        while time.monotonic() < deadline:
            shares = threads.map(lambda seat: seat.share(wait=1), seats)
            found = [share.partitions for share in shares if share is not None]
            if sum(map(len, found)) == 4 and len(found) == len(seats) and all(found):
                return found
            time.sleep(0.05)
    raise AssertionError("the group did not come to rest")
