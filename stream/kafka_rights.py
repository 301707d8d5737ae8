"""What the brokers let this client do, asked without doing any of it.

Of a topic they tell. Of a group and of a writer's name they tell by whom they refuse: what
is asked for here is a heartbeat of nobody and the end of a transaction of nobody, and both
are checked for the right to them before anything else.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any, NamedTuple

from kafka import errors as refusals
from kafka.protocol.consumer import HeartbeatRequest
from kafka.protocol.metadata import CoordinatorType
from kafka.protocol.producer import EndTxnRequest

from stream.kafka_cluster import Cluster

_NOBODY = 2**63 - 1
"""A number that no producer has."""


class Rights(NamedTuple):
    """Whether a topic is there, and what this client may do with it, in upper case.

    Where it may not even look, nothing is known to be there.
    """

    there: bool
    operations: frozenset[str]


def of_topics(cluster: Cluster, names: Iterable[str]) -> dict[str, Rights]:
    """Return the rights to each of these topics; one that is not there has rights too."""
    ask = functools.partial(cluster.admin.describe_topics, list(names))
    return {
        each["name"]: Rights(not each["error_code"], frozenset(_operations(each)))
        for each in cluster.ask(ask, "describe topics")
    }


def _operations(topic: dict[str, Any]) -> Iterable[str]:
    if topic["error_code"] == refusals.TopicAuthorizationFailedError.errno:
        return ()
    return map(str, topic.get("authorized_operations") or ())


class Creation(NamedTuple):
    """What would become of making a topic: its partitions and copies, or a refusal."""

    refusal: str
    denied: bool
    partitions: int
    copies: int


def of_creation(cluster: Cluster, name: str, partitions: int) -> Creation:
    """Return what would become of making a topic that is not there; none is made."""
    copies = cluster.settings.get("replication_factor", -1)
    wanted = {name: {"num_partitions": partitions, "replication_factor": copies}}
    make = functools.partial(
        cluster.admin.create_topics, wanted, validate_only=True, raise_errors=False
    )
    (found,) = cluster.ask(make, f"check topic {name!r}")["topics"]
    error = refusals.for_code(found["error_code"])
    denied = issubclass(error, refusals.AuthorizationError)
    refusal = "" if error is refusals.NoError else found.get("error_message") or error.message
    return Creation(
        str(refusal), denied, found.get("num_partitions", -1), found["replication_factor"]
    )


def of_group(cluster: Cluster, group: str) -> frozenset[str]:
    """Return which of READ and DESCRIBE this client may do with a group."""
    beat = HeartbeatRequest(group_id=group, generation_id=0, member_id="driftline-doctor")
    return _rights(cluster, group, CoordinatorType.GROUP, beat, "READ")


def of_writer(cluster: Cluster, name: str) -> frozenset[str]:
    """Return which of WRITE and DESCRIBE this client may do with a transactional id.

    The id should be nobody's, as only rights to a prefix are worth anything here.
    """
    end = EndTxnRequest(
        transactional_id=name, producer_id=_NOBODY, producer_epoch=0, committed=False
    )
    return _rights(cluster, name, CoordinatorType.TRANSACTION, end, "WRITE")


def _rights(
    cluster: Cluster, key: str, kind: CoordinatorType, request: Any, operation: str
) -> frozenset[str]:
    """Return DESCRIBE if a coordinator may be asked for, and what a request there takes."""
    manager, find = cluster.admin._manager, cluster.admin._find_coordinator_ids

    def question() -> frozenset[str]:
        try:
            nodes = manager.run(find, [key], kind)
        except refusals.AuthorizationError:
            return frozenset()
        answer = manager.run(manager.send, request, nodes[key])
        error = refusals.for_code(answer.error_code)
        if issubclass(error, refusals.AuthorizationError):
            return frozenset({"DESCRIBE"})
        if issubclass(error, refusals.RetriableError):
            raise error
        return frozenset({"DESCRIBE", operation})

    return cluster.ask(question, f"tell the rights to {key!r}")


def of_cluster(cluster: Cluster) -> frozenset[str]:
    """Return what this client may do with the cluster itself."""
    found = cluster.ask(cluster.admin.describe_cluster, "describe itself")
    return frozenset(map(str, found.get("authorized_operations") or ()))
