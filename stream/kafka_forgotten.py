"""Transactions that Kafka has forgotten to end, found and ended.

A broker that comes up again ends the transactions that were under way. Of a partition whose
leader it does not know yet it takes the topic for deleted, and leaves out the mark that ends
the transaction there (seen on Kafka 4.3). The records stand open then for good: nobody reads
past them, and they share the fate of whatever their writer writes there next. How such
transactions are told from others: KIP-664. The tool made for that calls them off; here they
get the end that their coordinator had decided on, or what was committed would be lost.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from kafka.admin import TransactionState
from kafka.errors import for_code
from kafka.protocol.producer.transaction import WriteTxnMarkersRequest

from stream.errors import StreamError
from stream.kafka_cluster import Cluster
from stream.kafka_growth import places as leaders

_log = logging.getLogger("driftline.kafka")

_STEP = 5.0
"""Seconds after which it is worth a look why a transaction has been open for so long."""
_MARKED = 0.5
"""Seconds in which the marks of a commit are mostly there: it returns before they are."""
_WITHIN = 10.0
"""Seconds in which the brokers tell of their transactions, or are asked another time."""
_FATES = {
    TransactionState.PREPARE_COMMIT: True,
    TransactionState.COMPLETE_COMMIT: True,
    TransactionState.PREPARE_ABORT: False,
    TransactionState.COMPLETE_ABORT: False,
}

Fates = Mapping[int, bool]
"""By the numbers of writers, whether their last transaction was committed or called off."""


class Open(NamedTuple):
    """A transaction that is open in a partition from the offset `start` on.

    `producer` is the writer's number, `epochs` are its own and its coordinator's.
    """

    place: Any
    producer: int
    epochs: tuple[int, int]
    start: int


class Writing(NamedTuple):
    """What a coordinator knows of a writer: its name, where it writes, and `fate_of` it."""

    name: str
    places: frozenset[Any]
    fate: bool | None


def fate_of(state: Any) -> bool | None:
    """Return whether a transaction in that state was committed; None where that is not known.

    A coordinator forgets it as soon as another process takes the writer's name.
    """
    return _FATES.get(state)


def settled(
    cluster: Cluster, places: Sequence[Any], *, within: float, fates: Fates | None = None
) -> bool:
    """Wait for up to `within` seconds until nothing is open in partitions of a topic.

    Return whether that is so. What Kafka has forgotten to end is ended; see `end_forgotten`.
    """
    while not cluster.end(places, within=min(within, _STEP))[1]:
        within -= _STEP
        if not end_forgotten(cluster, places, fates) and within <= 0:
            return False
    return True


def see_through(cluster: Cluster, ends: Mapping[Any, int], producer: int) -> None:
    """Wait until the last commit of a writer has its mark wherever it wrote.

    `ends` are the offsets after what it wrote in each partition. Without a mark these records
    would go with the next transaction, and be lost if that is called off.
    """
    for topic in {place.topic for place in ends}:
        places = [place for place in ends if place.topic == topic]
        deadline = time.monotonic() + _MARKED
        while any(cluster.readable(places)[p] < ends[place] for p, place in _numbered(places)):
            if time.monotonic() < deadline:
                time.sleep(0.001)
                continue
            end_forgotten(cluster, places, {producer: True})
            if not is_open(cluster, places, producer):
                break  # it is another's that cannot be read past
            deadline = time.monotonic() + _MARKED


def _numbered(places: Iterable[Any]) -> list[tuple[int, Any]]:
    return [(place.partition, place) for place in places]


def is_open(cluster: Cluster, places: Sequence[Any], producer: int) -> bool:
    """Return whether a writer has a transaction open in these partitions, as far as is told."""
    with contextlib.suppress(StreamError):
        return any(each.producer == producer for each in _open(cluster, places))
    return False


def end_forgotten(cluster: Cluster, places: Sequence[Any], fates: Fates | None = None) -> int:
    """End what Kafka has forgotten to end in these partitions; return how much that was.

    Only what writers of ours have left, and only where it is known how: by `fates`, or by
    their coordinators. It takes the right `ClusterAction`; without it a warning says what to
    do. Brokers that do not tell, as those before 3.0, are left as they are.
    """
    ended = 0
    with contextlib.suppress(StreamError):
        for each, writing in forgotten(cluster, places):
            fate = writing.fate if fates is None else fates.get(each.producer, writing.fate)
            ours = writing.name.startswith(cluster.ours)
            if ours and fate is not None:
                ended += _end(cluster, each, committed=fate)
            elif not ours:
                _say_how(
                    each, f"writer {writing.name!r} has to know whether it counts", "abort"
                )
    return ended


def _end(cluster: Cluster, each: Open, *, committed: bool) -> bool:
    try:
        cluster.ask(
            lambda: _mark(cluster, each, committed), "end a transaction", within=_WITHIN
        )
    except StreamError as error:
        _say_how(each, str(error), "commit" if committed else "abort")
        return False
    _log.warning(
        "Kafka at %s forgot to %s a transaction in %r, partition %d, from offset %d on; "
        "that is done now",
        *(cluster.address, "commit" if committed else "call off", *each.place, each.start),
    )
    return True


def _say_how(each: Open, why: str, how: str) -> None:
    topic, partition = each.place
    tool = f"kafka-transactions abort --topic {topic} --partition {partition}"
    _log.warning(
        "a transaction in %r, partition %d, has no end since offset %d (%s); %s",
        *(topic, partition, each.start, why),
        f"end it with {tool} --start-offset {each.start}"
        if how == "abort"
        else "it was committed: have somebody start driftline once who has ClusterAction",
    )


def _mark(cluster: Cluster, each: Open, committed: bool) -> None:
    """Write the mark that is missing."""
    marker = WriteTxnMarkersRequest.WritableTxnMarker
    topic, partition = each.place
    producer_epoch, coordinator_epoch = each.epochs
    request = WriteTxnMarkersRequest(
        markers=[
            marker(
                producer_id=each.producer,
                producer_epoch=producer_epoch,
                coordinator_epoch=coordinator_epoch,
                transaction_result=committed,
                topics=[
                    marker.WritableTxnMarkerTopic(name=topic, partition_indexes=[partition])
                ],
            )
        ]
    )
    manager = cluster.admin._manager
    leader = leaders(cluster, topic)[partition].leader
    answer = manager.run(manager.send, request, leader)
    for found in answer.markers:
        for some in found.topics:
            for one in some.partitions:
                if one.error_code:
                    raise for_code(one.error_code)()


def forgotten(cluster: Cluster, places: Sequence[Any]) -> list[tuple[Open, Writing]]:
    """Return the transactions open in these partitions that their coordinator does not know.

    A coordinator knows of a partition before the first record is in it, and until the mark
    is. So one that is open before it is asked, and still afterwards, is open for good. Of a
    writer that we may not see nothing is known, and so nothing is forgotten.
    """
    before = _open(cluster, places)
    if not before:
        return []
    known = _known(cluster, {each.producer for each in before})
    after = set(_open(cluster, places))
    return [
        (each, known[each.producer])
        for each in before
        if each in after
        and each.producer in known
        and each.place not in known[each.producer].places
    ]


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


def _known(cluster: Cluster, producers: Iterable[int]) -> dict[int, Writing]:
    wanted, admin = list(producers), cluster.admin

    def tell() -> dict[int, Writing]:
        listed = admin.list_transactions(producer_id_filters=wanted)
        names = {each.transactional_id for some in listed.values() for each in some}
        return {
            it.producer_id: Writing(name, frozenset(it.topic_partitions), fate_of(it.state))
            for name, it in admin.describe_transactions(names).items()
        }

    return cluster.ask(tell, "tell of its transactions", within=_WITHIN)
