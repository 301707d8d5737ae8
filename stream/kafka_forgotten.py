"""Transactions that Kafka has forgotten to end, found and ended.

A broker that comes up again calls off the transactions that have run out of time meanwhile.
Of a partition whose leader it does not know yet it takes the topic for deleted, and leaves
out the mark that ends the transaction there (seen on Kafka 4.3). The records stand open then
for good: nobody reads past them, and should the same writer commit once more, they count as
committed with it. How such transactions are told from others, and ended: KIP-664.
"""

from __future__ import annotations

import contextlib
import functools
import logging
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from kafka.admin import AbortTransactionSpec

from stream.errors import StreamError, TopicFailed
from stream.kafka_cluster import Cluster

_STEP = 5.0
"""Seconds after which it is worth a look why a transaction has been open for so long."""
_WITHIN = 10.0
"""Seconds in which the brokers tell of their transactions, or are asked another time."""


class Open(NamedTuple):
    """A transaction that is open in a partition from the offset `start` on.

    `producer` is the writer's number, `epochs` are its own and its coordinator's.
    """

    place: Any
    producer: int
    epochs: tuple[int, int]
    start: int


def settled(cluster: Cluster, places: Sequence[Any], *, within: float) -> bool:
    """Wait for up to `within` seconds until nothing is open in these partitions.

    Return whether that is so. What Kafka has forgotten to end is ended; see `end_forgotten`.
    """
    while not cluster.end(places, within=min(within, _STEP))[1]:
        within -= _STEP
        if not end_forgotten(cluster, places) and within <= 0:
            return False
    return True


def end_forgotten(cluster: Cluster, places: Sequence[Any]) -> int:
    """End what Kafka has forgotten to end in these partitions; return how much that was.

    Brokers that do not tell, as those before 3.0, are left as they are. Raises `TopicFailed`
    where they do not let us end it, which takes the right `ClusterAction`.
    """
    found: list[Open] = []
    with contextlib.suppress(StreamError):
        found = forgotten(cluster, places)
    for each in found:
        spec = AbortTransactionSpec(each.place, each.producer, *each.epochs)
        abort = functools.partial(cluster.admin.abort_transaction, spec)
        topic, partition = each.place
        try:
            cluster.ask(abort, "end a transaction", within=_WITHIN)
        except StreamError as error:
            raise TopicFailed(
                f"a transaction in {topic!r}, partition {partition}, has no end ({error}); "
                f"end it with kafka-transactions abort --topic {topic} --partition "
                f"{partition} --start-offset {each.start}"
            ) from error
        logging.getLogger("driftline.kafka").warning(
            "Kafka at %s forgot to end a transaction in %r, partition %d, from offset %d on; "
            "it is ended now, and what it wrote does not count",
            cluster.address,
            topic,
            partition,
            each.start,
        )
    return len(found)


def forgotten(cluster: Cluster, places: Sequence[Any]) -> list[Open]:
    """Return the transactions open in these partitions that their coordinator does not know.

    A coordinator knows of a partition before the first record is in it, and until the mark
    is. So one that is open before it is asked, and still afterwards, is open for good.
    """
    before = _open(cluster, places)
    if not before:
        return []
    there, known = _known(cluster, {each.producer for each in before})
    # Of a writer that we may not see nothing is known, and so nothing is forgotten.
    lost = {
        each
        for each in before
        if each.producer in there and (each.producer, each.place) not in known
    }
    return sorted(lost.intersection(_open(cluster, places)))


def _open(cluster: Cluster, places: Sequence[Any]) -> list[Open]:
    ask = functools.partial(cluster.admin.describe_producers, places)
    found = cluster.ask(ask, "tell who writes", within=_WITHIN)
    return [
        Open(
            place,
            each.producer_id,
            (each.producer_epoch, each.coordinator_epoch),
            each.current_transaction_start_offset,
        )
        for place, state in found.items()
        for each in state.active_producers
        if each.current_transaction_start_offset >= 0
    ]


def _known(cluster: Cluster, producers: Iterable[int]) -> tuple[set[int], set[Any]]:
    """Return which of these writers coordinators know, and in which partitions they write."""
    wanted, admin = list(producers), cluster.admin

    def tell() -> tuple[set[int], set[Any]]:
        listed = admin.list_transactions(producer_id_filters=wanted)
        names = {each.transactional_id for some in listed.values() for each in some}
        there = admin.describe_transactions(names).values()
        return {each.producer_id for each in there}, {
            (each.producer_id, place) for each in there for place in each.topic_partitions
        }

    return cluster.ask(tell, "tell of its transactions", within=_WITHIN)
