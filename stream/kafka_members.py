"""Who is in a group on Kafka, as its coordinator tells."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

from kafka import errors as refusals

from stream.kafka_cluster import Cluster


class Member(NamedTuple):
    """A member of a group: its name, its host, and the partitions that it has."""

    name: str
    host: str
    partitions: tuple[int, ...]


class Group(NamedTuple):
    """The state of a group by Kafka's name of it, and its members; or what kept us out."""

    state: str
    members: tuple[Member, ...]
    error: str = ""


def members(cluster: Cluster, group: str) -> Group:
    """Return who is in a group; one that is not there is dead and has none."""
    ask = functools.partial(cluster.admin.describe_groups, [group])
    found = cluster.ask(ask, f"describe group {group!r}")[group]
    if found["error"] and refusals.GroupIdNotFoundError.message not in found["error"]:
        return Group("", (), found["error"])
    state = "Dead" if found["error"] else str(found["group_state"])
    return Group(state, tuple(sorted(map(_member, found["members"]))))


def _member(found: dict[str, Any]) -> Member:
    assigned = found["member_assignment"] or {}
    topics = assigned["assigned_partitions"] if assigned else ()
    return Member(
        found.get("group_instance_id") or found["member_id"],
        str(found["client_host"]).removeprefix("/"),
        tuple(sorted(p for topic in topics for p in topic["partitions"])),
    )
