"""The dashboard of the services: turns, commits, checkpoints, memory, rebalances."""

from __future__ import annotations

from grafana_foundation_sdk.models.dashboard import Dashboard

from tools.dashboards.parts import (
    A_SECOND,
    ASKED,
    BYTES,
    HALF,
    SECONDS,
    SHORT,
    THIRD,
    board,
    curve,
    grid,
    of,
    quantile,
    rate,
    variables,
)

WHO = "{{stream}}/{{learner}}"
HERE = f"{WHO} {{{{instance}}}}"
_PLACE = "stream, learner, instance"
_STREAM = 'stream=~"$stream"'


def _records(stage: str, *, dead: str | None = None) -> object:
    """Return what goes in and out of a stage, what is left out, and what is under way."""
    whose = {"whose": _STREAM} if stage == "producer" else {}
    by = "stream, instance" if stage == "producer" else _PLACE
    dead = dead or f"{stage}_records_dead_total"
    where = "{{stream}} {{instance}}"
    return curve(
        f"Records of the {stage}",
        f"What comes into the {stage}, what goes out, and what is refused.",
        A_SECOND,
        (f"{where} in", rate(f"{stage}_records_in_total", by=by, **whose)),
        (f"{where} out", rate(f"{stage}_records_out_total", by=by, **whose)),
        (f"{where} refused", rate(dead, by=by, **whose)),
        span=THIRD,
        least=0,
    )


def _flow() -> list[object]:
    progress = [
        ("producer {{stream}} {{instance}}", of("producer_records_in_progress", whose=_STREAM)),
        (f"learner {HERE}", of("learner_records_in_progress")),
        (f"monitor {HERE}", of("monitor_records_in_progress")),
    ]
    last = [
        (
            "producer {{stream}} {{instance}}",
            f"time() - {of('producer_last_record_timestamp_seconds', whose=_STREAM)}",
        ),
        (f"learner {HERE}", f"time() - {of('learner_last_record_timestamp_seconds')}"),
        (
            f"monitor {WHO}",
            f"time() - max by (stream, learner) ({of('last_outcome_timestamp_seconds')})",
        ),
    ]
    return [
        _records("producer"),
        _records("learner"),
        _records("monitor", dead="refused_total"),
        curve(
            "Under way",
            "Records that were read and are not committed, messages that wait for their turn's "
            "end.",
            SHORT,
            *progress,
            least=0,
        ),
        curve(
            "Since the last record",
            "How long each stage has had nothing.",
            SECONDS,
            *last,
            least=0,
            alert="DriftlineStalled",
        ),
    ]


def _turns() -> list[object]:
    turn, commit = "learner_turn_duration_seconds", "learner_commit_duration_seconds"
    produced = "producer_commit_duration_seconds"
    by = "stream, instance"
    return [
        curve(
            "Turns",
            "Time to learn what one commit holds: half of them are quicker than the median.",
            SECONDS,
            (f"{HERE} median", quantile(0.5, turn, by=_PLACE)),
            (f"{HERE} 95 %", quantile(0.95, turn, by=_PLACE)),
            span=THIRD,
            least=0,
        ),
        curve(
            "Commits of the learner",
            "Time to store outcomes, predictions, dead letters and the cursor as one.",
            SECONDS,
            (f"{HERE} median", quantile(0.5, commit, by=_PLACE)),
            (f"{HERE} 95 %", quantile(0.95, commit, by=_PLACE)),
            span=THIRD,
            least=0,
            alert="DriftlineLagGrowing",
        ),
        curve(
            "Commits of the producer",
            "Time to store a batch, with all tries.",
            SECONDS,
            ("{{stream}} {{instance}} 95 %", quantile(0.95, produced, by=by, whose=_STREAM)),
            (
                "{{stream}} {{instance}} tried again",
                rate("producer_commits_retried_total", by=by, whose=_STREAM),
            ),
            span=THIRD,
            least=0,
        ),
        curve(
            "A sample",
            "Time to guess and to learn one, of the few of each turn that are timed.",
            SECONDS,
            (f"{WHO} guess", f"avg by (stream, learner) ({of('predict_seconds')})"),
            (f"{WHO} learn", f"avg by (stream, learner) ({of('learn_seconds')})"),
            least=0,
            alert="DriftlineLagGrowing",
        ),
        curve(
            "Questions over HTTP",
            "Answered and refused.",
            A_SECOND,
            (
                f"{HERE} {{{{outcome}}}}",
                rate("learner_requests_total", by=f"{_PLACE}, outcome"),
            ),
            least=0,
        ),
    ]


def _checkpoints() -> list[object]:
    return [
        curve(
            "Checkpoints",
            "By outcome: skipped where ahead of what was said, unchanged where nothing came.",
            A_SECOND,
            (
                f"{HERE} {{{{outcome}}}}",
                rate("learner_checkpoints_total", by=f"{_PLACE}, outcome"),
            ),
            span=THIRD,
            least=0,
            alert="DriftlineCheckpointOld",
        ),
        curve(
            "Age of the last checkpoint, of the partition where it is oldest",
            "A restart replays what came since.",
            SECONDS,
            (WHO, f"time() - min by (stream, learner) ({of('checkpoint_timestamp_seconds')})"),
            span=THIRD,
            least=0,
            alert="DriftlineCheckpointOld",
        ),
        curve(
            "Size of checkpoints",
            "Of all partitions of a learner together.",
            BYTES,
            (WHO, f"sum by (stream, learner) ({of('model_bytes')})"),
            span=THIRD,
            least=0,
        ),
    ]


def _processes() -> list[object]:
    return [
        curve(
            "Memory",
            "Resident size of each process; of learners also as their outcomes say it.",
            BYTES,
            ("{{job}} {{instance}}", f"process_resident_memory_bytes{{{ASKED}}}"),
            (WHO, f"max by (stream, learner) ({of('learner_memory_bytes')})"),
            span=THIRD,
            least=0,
        ),
        curve(
            "Processor",
            "Processors that each process keeps busy.",
            SHORT,
            (
                "{{job}} {{instance}}",
                f"rate(process_cpu_seconds_total{{{ASKED}}}[$__rate_interval])",
            ),
            span=THIRD,
            least=0,
        ),
        curve(
            "Open files",
            "Files and connections that each process holds open.",
            SHORT,
            ("{{job}} {{instance}}", f"process_open_fds{{{ASKED}}}"),
            span=THIRD,
            least=0,
        ),
        curve(
            "Rebalances and joins",
            "Times that the group shared the partitions out, and seats taken, since the start.",
            SHORT,
            (f"{HERE} shared out", of("learner_rebalances_total")),
            (f"{HERE} joined", of("learner_joins_total")),
            least=0,
        ),
        curve(
            "Partitions held",
            "By each process; and where the breaker has paused one.",
            SHORT,
            (f"{HERE} held", of("learner_partitions")),
            (f"{HERE} paused", of("learner_breaker_open")),
            least=0,
            alert="DriftlinePaused",
        ),
        grid(
            "At work",
            "Which process runs which versions.",
            SHORT,
            ("", f"driftline_build_info{{{ASKED}}}"),
            changes=[
                ("organize", {"excludeByName": {"Time": True, "Value": True, "__name__": True}})
            ],
            span=HALF,
        ),
        grid(
            "Models",
            "Which model and policy each learner has.",
            SHORT,
            ("", of("model_info")),
            changes=[
                ("organize", {"excludeByName": {"Time": True, "Value": True, "__name__": True}})
            ],
            span=HALF,
        ),
    ]


def operations() -> Dashboard:
    """Return the dashboard."""
    return board(
        "driftline-operations",
        "driftline: Operations",
        "What each process does: records, turns, commits, checkpoints, memory, rebalances.",
        variables("driftline_build_info", windows=False),
        [
            ("From stage to stage", _flow()),
            ("Turns and commits", _turns()),
            ("Checkpoints", _checkpoints()),
            ("Processes", _processes()),
        ],
    )
