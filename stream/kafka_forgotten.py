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
from collections.abc import Mapping, Sequence
from typing import Any

from kafka.errors import KafkaError, for_code
from kafka.protocol.producer.transaction import WriteTxnMarkersRequest
from kafka.structs import TopicPartition

from stream.errors import StreamError, TopicTimeout
from stream.kafka_cluster import Cluster
from stream.kafka_open import WITHIN, Open, fate_of, forgotten, is_open, open_in

_log = logging.getLogger("driftline.kafka")

_STEP = 5.0
"""Seconds after which it is worth a look why a transaction has been open for so long."""
_MARKED = 0.5
"""Seconds in which the marks of a commit are mostly there: it returns before they are."""
_OFFSETS = "__consumer_offsets"
"""Where Kafka keeps what groups have committed."""

Fates = Mapping[tuple[int, int], bool]
"""By number and epoch of writers, whether their last transaction was committed."""


def settled(
    cluster: Cluster, places: Sequence[Any], *, within: float, patience: float | None = None
) -> bool:
    """Wait for up to `within` seconds until nothing is open in partitions of a topic.

    Return whether that is so. What Kafka has forgotten to end is ended; see `end_forgotten`.
    `patience` is that of `Cluster.ask`.
    """
    step = _MARKED
    while not cluster.end(places, within=min(within, step), patience=patience)[1]:
        within, step = within - step, _STEP
        if not end_forgotten(cluster, places) and within <= 0:
            return False
    return True


def see_through(
    cluster: Cluster, ends: Mapping[Any, int], epoch: tuple[int, int], *, within: float
) -> None:
    """Wait until the last commit of a writer has its mark wherever it wrote.

    `ends` are the offsets after what it wrote in each partition, `epoch` is its number and
    epoch. Without a mark these records would go with the next transaction, and be lost if
    that is called off. Raises `TopicTimeout` where the mark is still missing after `within`.
    """
    last = time.monotonic() + within
    for topic in {place.topic for place in ends}:
        places = [place for place in ends if place.topic == topic]
        look = time.monotonic() + _MARKED
        while not _read_past(cluster, places, ends):
            if time.monotonic() < look:
                time.sleep(0.001)
                continue
            end_forgotten(cluster, places, {epoch: True})
            if not is_open(cluster, places, epoch[0]):
                break  # it is another's that cannot be read past
            if time.monotonic() > last:
                raise TopicTimeout(
                    f"a commit to {topic!r} on Kafka at {cluster.address} is not to be read "
                    f"after {within:g} s; see what was said above, and start again"
                )
            look = time.monotonic() + _MARKED


def _read_past(cluster: Cluster, places: Sequence[Any], ends: Mapping[Any, int]) -> bool:
    readable = cluster.readable(places)
    return all(readable[place.partition] >= ends[place] for place in places)


def look_back(cluster: Cluster, writing: Any) -> None:
    """End what a writer has left open, before its name is taken anew and its fate forgotten.

    `writing` is what its coordinator knows of it; from here on we know that as well.
    """
    for epoch in (writing.producer_epoch, writing.producer_epoch - 1):
        if (fate := fate_of(writing, epoch)) is not None:
            cluster.fates[writing.producer_id, epoch] = fate
    with contextlib.suppress(StreamError):
        places = _places_of_ours(cluster)
        if is_open(cluster, places, writing.producer_id):
            end_forgotten(cluster, places)
    with contextlib.suppress(StreamError):
        end_cursors(cluster)


def end_cursors(cluster: Cluster) -> None:
    """End what is forgotten among the cursors of groups."""
    end_forgotten(cluster, _places(cluster, [_OFFSETS]))


def _places_of_ours(cluster: Cluster) -> list[Any]:
    names = cluster.ask(cluster.admin.list_topics, "list topics", within=WITHIN)
    return _places(cluster, [name for name in names if name.startswith(cluster.ours)])


def _places(cluster: Cluster, names: Sequence[str]) -> list[Any]:
    ask = functools.partial(cluster.admin.describe_topics, names)
    return [
        TopicPartition(topic["name"], each["partition_index"])
        for topic in cluster.ask(ask, "describe topics", within=WITHIN)
        if not topic["error_code"]
        for each in topic["partitions"]
    ]


def end_forgotten(cluster: Cluster, places: Sequence[Any], fates: Fates | None = None) -> int:
    """End what Kafka has forgotten to end in these partitions; return how much that was.

    Only what writers of ours have left, and only where it is known how: by `fates`, by what
    this process saw when it took their names, or by their coordinators. It takes the right
    `ClusterAction`; without it a warning says what to do. Brokers that do not tell, as those
    before 3.0, are left as they are.
    """
    ended = 0
    with contextlib.suppress(StreamError):
        for each, name, told in forgotten(cluster, places):
            known = {**cluster.fates, **(fates or {})}
            fate = known.get((each.producer, each.epochs[0]), told)
            if not name.startswith(cluster.ours):
                _say_how(cluster, each, f"it is for {name!r} to say whether it counts", None)
            elif fate is None:
                _say_how(cluster, each, f"whether {name!r} committed it is not known", None)
            else:
                ended += _end(cluster, each, committed=fate)
    return ended


def _end(cluster: Cluster, each: Open, *, committed: bool) -> bool:
    try:
        done = _mark(cluster, each, committed)
    except (KafkaError, StreamError) as error:
        _say_how(cluster, each, str(error), committed)
        return False
    if done:
        _log.warning(
            "Kafka at %s forgot to %s a transaction in %r, partition %d, from offset %d on; "
            "that is done now",
            *(cluster.address, "commit" if committed else "call off", *each.place, each.start),
        )
    return done


def _say_how(cluster: Cluster, each: Open, why: str, committed: bool | None) -> None:
    """Say once how a transaction is ended by hand."""
    if each in cluster.told:
        return
    cluster.told.add(each)
    topic, partition = each.place
    tool = f"kafka-transactions abort --topic {topic} --partition {partition}"
    _log.warning(
        "a transaction in %r, partition %d, has no end since offset %d (%s); %s",
        *(topic, partition, each.start, why),
        "it was committed: start once with a user who has ClusterAction"
        if committed
        else f"to call it off: {tool} --start-offset {each.start}",
    )


def _mark(cluster: Cluster, each: Open, committed: bool) -> bool:
    """Write the mark that is missing; return False if it is no longer.

    Tried once: a second mark would end whatever the writer has begun there since.
    """
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
    admin = cluster.admin
    leaders = admin._manager.run(admin._async_get_leader_for_partitions, [each.place])
    if each not in open_in(cluster, [each.place]):
        return False
    answer = admin._manager.run(admin._manager.send, request, next(iter(leaders)))
    (error,) = (
        one.error_code
        for found in answer.markers
        for some in found.topics
        for one in some.partitions
    )
    if error:
        raise for_code(error)()
    return True
