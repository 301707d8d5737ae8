"""The doctor's round: which steps there are, and how one is taken."""

from __future__ import annotations

from collections.abc import Iterator

from driftline.doctor import (
    clock,
    groups,
    learners,
    partitions,
    reach,
    rights,
    surroundings,
    topics,
    way,
)
from driftline.doctor.finding import FAILED, SKIPPED, Case, Finding, Skipped, Step, failed
from stream.errors import StreamError

STEPS = (
    Step("versions", surroundings.versions),
    Step("settings", surroundings.settings_file, leads=True),
    Step("ports", surroundings.ports),
    Step("dns", way.dns, leads=True, of_kafka=True),
    Step("tcp", way.tcp, leads=True, of_kafka=True),
    Step("tls", way.tls, leads=True, of_kafka=True),
    Step("host name", way.host_name, leads=True, of_kafka=True),
    Step("mechanism", way.mechanism, leads=True, of_kafka=True),
    Step("user", way.user, leads=True, of_kafka=True),
    Step("brokers", way.brokers, leads=True, of_kafka=True),
    Step("stream", reach.reach, leads=True),
    Step("rights", rights.rights, of_kafka=True),
    Step("topics", topics.topics),
    Step("partitions", partitions.partitions),
    Step("records", topics.records),
    Step("groups", groups.groups, of_kafka=True),
    Step("learners", learners.cursors),
    Step("outcomes", learners.outcomes),
    Step("checkpoints", learners.checkpoints),
    Step("clock", clock.clock),
)
"""In this order; what a later step needs of the stream, an earlier one has found."""


def examine(case: Case) -> Iterator[tuple[Step, Finding]]:
    """Take every step and yield what it finds; what a step cannot do is a finding too."""
    for step in STEPS:
        if step.of_kafka and not case.on_kafka:
            continue
        for finding in _look(step, case):
            if step.leads and finding.status == FAILED and not case.broken:
                case.broken = step.title
            yield step, finding


def _look(step: Step, case: Case) -> Iterator[Finding]:
    try:
        if step.leads:
            case.unbroken()
        yield from step.look(case)
    except Skipped as reason:
        yield Finding(SKIPPED, str(reason))
    except StreamError as error:
        # Our sentences end with what to do.
        found, _, advice = str(error).partition("; ")
        yield failed(found, advice or "see above")
