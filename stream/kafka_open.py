"""Transactions that are open, as partitions and as their coordinators tell: KIP-664."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from kafka.admin import TransactionState

from stream.errors import StreamError
from stream.kafka_cluster import Cluster

WITHIN = 10.0
"""Seconds in which the brokers tell of their transactions, or are asked another time."""
_COMMITTED = (TransactionState.PREPARE_COMMIT, TransactionState.COMPLETE_COMMIT)
_CALLED_OFF = (TransactionState.PREPARE_ABORT, TransactionState.COMPLETE_ABORT)


class Open(NamedTuple):
    """A transaction that is open in a partition from the offset `start` on.

    `producer` is the writer's number, `epochs` are its own and its coordinator's.
    """

    place: Any
    producer: int
    epochs: tuple[int, int]
    start: int


def fate_of(writing: Any, epoch: int) -> bool | None:
    """Return whether the last transaction of a writer's `epoch` was committed, if it is known.

    `writing` is what the coordinator knows of the writer: nothing any more once another
    process has taken its name. One that it calls off for its age takes the next epoch.
    """
    if writing.state in _COMMITTED and writing.producer_epoch == epoch:
        return True
    if writing.state in _CALLED_OFF and writing.producer_epoch in (epoch, epoch + 1):
        return False
    return None


def is_open(cluster: Cluster, places: Sequence[Any], producer: int) -> bool:
    """Return whether a writer has a transaction open in these partitions, as far as is told."""
    with contextlib.suppress(StreamError):
        return any(each.producer == producer for each in open_in(cluster, places))
    return False


def forgotten(cluster: Cluster, places: Sequence[Any]) -> list[tuple[Open, str, bool | None]]:
    """Return the transactions open in these partitions that their coordinator does not know.

    Each with the name of its writer, and with its fate as the coordinator tells it. That one
    knows of a partition before the first record is in it, and until the mark is. So one that
    is open before it is asked, and still afterwards, is open for good. Of a writer that we
    may not see nothing is known, and so nothing is forgotten.
    """
    before = open_in(cluster, places)
    if not before:
        return []
    known = _known(cluster, {each.producer for each in before})
    after = set(open_in(cluster, places))
    return [
        (each, name, fate_of(writing, each.epochs[0]))
        for each in before
        if each in after and each.producer in known
        for name, writing in [known[each.producer]]
        if each.place not in writing.topic_partitions
    ]


def open_in(cluster: Cluster, places: Sequence[Any]) -> list[Open]:
    """Return the transactions that are open in these partitions."""
    ask = functools.partial(cluster.admin.describe_producers, places)
    found = cluster.ask(ask, "tell who writes", within=WITHIN)
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


def _known(cluster: Cluster, producers: Iterable[int]) -> dict[int, tuple[str, Any]]:
    wanted, admin = list(producers), cluster.admin

    def tell() -> dict[int, tuple[str, Any]]:
        listed = admin.list_transactions(producer_id_filters=wanted)
        names = {each.transactional_id for some in listed.values() for each in some}
        told = admin.describe_transactions(names)
        return {each.producer_id: (name, each) for name, each in told.items()}

    return cluster.ask(tell, "tell of its transactions", within=WITHIN)
