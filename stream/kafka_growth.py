"""Topics of Kafka that change while they are used: partitions added, a name taken anew."""

from __future__ import annotations

import functools
import time
from typing import Any, NamedTuple

from kafka import errors as refusals

from stream.errors import TopicMissing
from stream.kafka_cluster import ANSWER, LOOK, Cluster


class Described(NamedTuple):
    """What the brokers say of a topic; `identity` is "" where they know none."""

    partitions: int
    identity: str


def describe(cluster: Cluster, name: str, *, within: float | None = None) -> Described:
    """Return what a topic is by now. Raises `TopicMissing`."""
    ask = functools.partial(cluster.admin.describe_topics, [name])
    (found,) = cluster.ask(ask, f"describe topic {name!r}", within=within)
    if found["error_code"] == refusals.UnknownTopicOrPartitionError.errno:
        raise TopicMissing.named(name, f"Kafka at {cluster.address}")
    if found["error_code"]:
        error = refusals.for_code(found["error_code"])()
        raise cluster.refused(f"describe topic {name!r}", error)
    # Brokers before 2.8 give topics no identity.
    return Described(len(found["partitions"]), str(found.get("topic_id") or ""))


def widen(cluster: Cluster, name: str, partitions: int) -> None:
    """Give a topic as many partitions, unless it has more."""

    def add() -> None:
        # Another may be quicker: then it has them, and Kafka refuses to add none.
        if describe(cluster, name).partitions < partitions:
            try:
                cluster.admin.create_partitions({name: partitions})
            except refusals.InvalidPartitionsError:
                if describe(cluster, name).partitions < partitions:
                    raise

    cluster.ask(add, f"give topic {name!r} {partitions} partitions")
    deadline = time.monotonic() + ANSWER
    while describe(cluster, name).partitions < partitions and time.monotonic() < deadline:
        time.sleep(LOOK)


def meet(cluster: Cluster, client: Any, topic: str, partition: int, *, within: float) -> None:
    """Wait until a client knows a partition that was added since it last asked for them.

    A topic that it does not know at all it asks for by itself.
    """
    known = cluster.known(client)
    deadline = time.monotonic() + within
    while (
        (found := known.partitions_for_topic(topic)) is not None
        and partition not in found
        and time.monotonic() < deadline
    ):
        known.request_update()
        time.sleep(LOOK / 10)


class Place(NamedTuple):
    """A partition as the brokers see it: who leads it, or -1, and who has copies of it."""

    partition: int
    leader: int
    copies: tuple[int, ...]
    in_sync: tuple[int, ...]


def places(cluster: Cluster, name: str) -> list[Place]:
    """Return what the brokers say of each partition of a topic that is there."""
    ask = functools.partial(cluster.admin.describe_topics, [name])
    (found,) = cluster.ask(ask, f"describe topic {name!r}")
    return sorted(
        Place(
            each["partition_index"],
            each["leader_id"],
            tuple(each["replica_nodes"]),
            tuple(each["isr_nodes"]),
        )
        for each in found["partitions"]
    )
