"""The groups of learners on Kafka: who is in them, and whether they stand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from driftline.doctor.finding import Case, Finding, Skipped, ok, warn
from stream.topic import group_of

if TYPE_CHECKING:
    from stream.kafka_members import Group

_SHOWN = 10
"""Members of a group that are named."""


def groups(case: Case) -> Iterator[Finding]:
    """Name the members of each learner's group, and say what keeps it from working."""
    from stream.kafka import KafkaLog
    from stream.kafka_members import members

    log, samples = case.reached(), case.samples()
    names = case.learners()
    if not names or not isinstance(log, KafkaLog):
        raise Skipped("no learner has been here")
    for name in names:
        group = group_of(log.stream, name)
        found = members(log.cluster, group)
        if found.error:
            yield warn(
                f"{name} ({group}): {found.error}", "see the rights above, or start a learner"
            )
        elif found.state.endswith("Rebalance"):
            yield warn(
                f"{name} ({group}) is sharing out partitions ({found.state})",
                "look again; if it goes on, its members come and go: see their lines",
            )
        elif not found.members:
            yield ok(f"{name} ({group}): nobody is in it now ({found.state})")
        else:
            yield _of_group(f"{name} ({group})", found, samples.partitions)


def _of_group(which: str, found: Group, partitions: int) -> Finding:
    shown, rest = found.members[:_SHOWN], len(found.members) - _SHOWN
    who = "; ".join(
        f"{member.name} on {member.host} has "
        f"{', '.join(map(str, member.partitions)) or 'no partition'}"
        for member in shown
    )
    more = f", and {rest} more" if rest > 0 else ""
    text = f"{which} is {found.state}: {who}{more}"
    idle = sum(not member.partitions for member in found.members)
    if idle:
        return warn(
            text, f"{idle} have nothing to do: the samples have {partitions} partitions"
        )
    return ok(text)
