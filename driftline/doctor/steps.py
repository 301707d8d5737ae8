"""The doctor's round: which steps there are, and how one is taken."""

from __future__ import annotations

from collections.abc import Iterator

from driftline.doctor import clock, learners, reach, surroundings, topics
from driftline.doctor.finding import SKIPPED, Case, Finding, Skipped, Step, failed
from stream.errors import StreamError

STEPS = (
    Step("versions", surroundings.versions),
    Step("settings", surroundings.settings_file),
    Step("ports", surroundings.ports),
    Step("stream", reach.reach),
    Step("topics", topics.topics),
    Step("records", topics.records),
    Step("learners", learners.cursors),
    Step("outcomes", learners.outcomes),
    Step("checkpoints", learners.checkpoints),
    Step("clock", clock.clock),
)
"""In this order; what a later step needs of the stream, an earlier one has found."""


def examine(case: Case) -> Iterator[tuple[Step, Finding]]:
    """Take every step and yield what it finds; what a step cannot do is a finding too."""
    for step in STEPS:
        try:
            for finding in step.look(case):
                yield step, finding
        except Skipped as reason:
            yield step, Finding(SKIPPED, str(reason))
        except StreamError as error:
            # Our sentences end with what to do.
            found, _, advice = str(error).partition("; ")
            yield step, failed(found, advice or "see above")
