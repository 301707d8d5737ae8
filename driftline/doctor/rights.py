"""The rights of this user on a Kafka cluster: those that each command needs, one by one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from driftline.doctor.finding import Case, Finding, Skipped, failed, ok, warn
from stream.connect import kafka_address
from stream.topic import group_of, samples_of, topic_of

if TYPE_CHECKING:
    from stream.kafka_cluster import Cluster

ROLES = ("produce", "learn", "monitor")
_RELAXED = (2, 8)
"""From here on a producer that may write to a topic may do so idempotently."""
_MADE = ("Create", "Write", "Read")


class Need(NamedTuple):
    """A right that a command needs: an operation on a resource of some kind, by name.

    `grant` is the name that it is granted for, a prefix where it ends in a dot.
    """

    role: str
    operation: str
    kind: str
    name: str
    grant: str


def needs(
    role: str, stream: str, source: str, learners: list[str], copied: list[str]
) -> list[Need]:
    """Return the rights that a command needs for a stream and each of these learners.

    `source` is the topic that is learned, `copied` are those that are brought into it.
    """
    samples = samples_of(stream)
    if role == "produce":
        made = [Need(role, it, "topic", samples, samples) for it in _MADE]
        writer = Need(role, "Write", "transactional-id", f"{stream}.doctor", f"{stream}.")
        return [*made, writer, *(Need(role, "Read", "topic", it, it) for it in copied)]
    found = [Need(role, "Read", "topic", source, source)]
    for name in learners:
        found += _of_learner(role, stream, name)
    return found


def _of_learner(role: str, stream: str, name: str) -> Iterator[Need]:
    group, outcomes = group_of(stream, name), topic_of(stream, name, "outcomes")
    yield Need(role, "Read", "topic", outcomes, outcomes)
    if role == "monitor":
        yield Need(role, "Describe", "group", group, group)
        return
    for kind in ("outcomes", "predictions", "dead"):
        for operation in ("Create", "Write"):
            own = topic_of(stream, name, kind)
            yield Need(role, operation, "topic", own, f"{stream}.{name}.")
    yield Need(role, "Read", "group", group, group)
    yield Need(role, "Write", "transactional-id", f"{group}.doctor", f"{group}.")


def rights(case: Case) -> Iterator[Finding]:
    """Look whether this user may do what the commands need, each right by its name."""
    from stream.kafka import KafkaLog

    log = case.reached()
    if not isinstance(log, KafkaLog):
        raise Skipped("the stream is none of Kafka's")
    names = case.learners() or ["main"]
    copied = _copied(case)
    user = str(log.cluster.settings.get("sasl_plain_username") or "NAME")
    for role in case.roles or ROLES:
        wanted = needs(role, log.stream, case.source(), names, copied)
        lacking = [each for each in wanted if not _has(log.cluster, each)]
        for each in lacking:
            yield _denied(each, user)
        if not lacking:
            yield ok(f"'driftline {role}' may do all that it needs: {_words(wanted)}")
    yield from _of_old(log.cluster)


def _copied(case: Case) -> list[str]:
    """Return the topics that are brought into the stream and lie on the same cluster."""
    brokers = set(kafka_address(case.stream)[0])
    found = []
    for url in case.copied():
        hosts, _, topic = url.removeprefix("kafka://").partition("/")
        if brokers & set(hosts.split(",")):
            found.append(topic)
    return found


def _has(cluster: Cluster, need: Need) -> bool:
    from stream import kafka_rights

    operation = need.operation.upper()
    if need.kind == "group":
        return operation in kafka_rights.of_group(cluster, need.name)
    if need.kind == "transactional-id":
        return operation in kafka_rights.of_writer(cluster, need.name)
    found = kafka_rights.of_topics(cluster, [need.name])[need.name]
    if operation != "CREATE":
        return operation in found.operations
    # Who may make one topic, or any, is told only by asking for this one.
    return found.there or not kafka_rights.of_creation(cluster, need.name, 1).denied


def _denied(need: Need, user: str) -> Finding:
    pattern = "prefixed" if need.grant.endswith(".") else "literal"
    return failed(
        f"'driftline {need.role}' may not {need.operation} {need.kind} {need.name!r}",
        f"grant it: kafka-acls --add --allow-principal User:{user} --operation "
        f"{need.operation} --{need.kind} {need.grant} --resource-pattern-type {pattern}",
    )


def _words(wanted: list[Need]) -> str:
    """Return rights in words, one part for each resource."""
    found: dict[tuple[str, str], list[str]] = {}
    for each in wanted:
        found.setdefault((each.kind, each.name), []).append(each.operation)
    return "; ".join(
        f"{', '.join(operations)} {kind} {name.removesuffix('doctor')}"
        for (kind, name), operations in found.items()
    )


def _of_old(cluster: Cluster) -> Iterator[Finding]:
    """Look for the right that brokers before 2.8 want of a writer without transactions."""
    from stream import kafka_rights

    version = tuple(map(int, cluster.version().split(".")))
    if version < _RELAXED and "IDEMPOTENT_WRITE" not in kafka_rights.of_cluster(cluster):
        yield warn(
            "this user may not write idempotently, which brokers before 2.8 want granted",
            "for --delivery at-least-once grant IdempotentWrite on the cluster",
        )
