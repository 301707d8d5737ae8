"""Writes docs/metrics.md, the list of every metric: `python -m tools.metrics`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from learner import counts as learner
from learner.serving.counts import ASKED
from monitor import metrics as monitor
from producer import counts as producer
from stream.metrics import BUCKETS, BUILD, Described

PAGE = Path(__file__).parent.parent / "docs" / "metrics.md"


class Service(NamedTuple):
    """A service, where its page is, what its metrics say, and which they are."""

    name: str
    where: str
    says: str
    labels: Sequence[str]
    metrics: Sequence[Described]


SERVICES = (
    Service(
        "monitor",
        "`driftline monitor`, port 8000, and `driftline demo`",
        "What the stream says, whoever produced and learned it; only what begins with "
        "`driftline_monitor_` and `driftline_refused_total` is of the monitor's own work. "
        "When it last took something in is `driftline_last_outcome_timestamp_seconds`.",
        monitor.LABELS,
        monitor.METRICS,
    ),
    Service(
        "learner",
        "`driftline learn --port 8001`",
        "What one process does itself. Prometheus adds `instance`, which tells the learners of "
        "a name apart. With `--workers 4 --port 8001` each worker has such a page, at 8001 to "
        "8004, and is a target of its own; sums over `instance` are the learner's.",
        learner.LABELS,
        (*learner.COUNTED, *learner.COMPUTED, *ASKED),
    ),
    Service(
        "producer",
        "`driftline produce --port 8002`",
        "What one process does itself.",
        producer.LABELS,
        (*producer.COUNTED, *producer.COMPUTED),
    ),
    Service(
        "each of them",
        "all of these pages",
        "Beside them stand the client library's own `process_…`, `python_info` and "
        "`python_gc_…`.",
        (),
        (BUILD,),
    ),
)

EXAMPLES = (
    (
        "Accuracy over the last five minutes, of all partitions",
        "sum by (stream, learner) (rate(driftline_correct_total[5m]))"
        " / sum by (stream, learner) (rate(driftline_scored_total[5m]))",
    ),
    (
        "Mean absolute error over the last five minutes",
        "sum by (stream, learner) (rate(driftline_absolute_error_total[5m]))"
        " / sum by (stream, learner) (rate(driftline_scored_total[5m]))",
    ),
    (
        "How much better than guessing the last label again",
        'driftline_prequential_accuracy_ratio{window="all"} - on (stream, learner, window)'
        ' driftline_baseline_accuracy_ratio{baseline="no_change"}',
    ),
    (
        "What policies did in the last hour, by kind",
        "sum by (stream, learner, kind) (increase(driftline_actions_total[1h]))",
    ),
    (
        "How far behind a learner is, over all partitions",
        "sum by (stream, learner) (driftline_lag_records)",
    ),
    (
        "95 % of the commits took no longer, by process",
        "histogram_quantile(0.95, sum by (instance, le)"
        " (rate(driftline_learner_commit_duration_seconds_bucket[5m])))",
    ),
    (
        "How much a restart would replay, in seconds since the checkpoint",
        "time() - driftline_checkpoint_timestamp_seconds",
    ),
    (
        "Which versions are at work",
        "count by (version, river, scikit_learn) (driftline_build_info)",
    ),
)
"""Questions, and PromQL that answers them."""

_TOP = """# Metrics

Every metric of every service, as Prometheus reads it at `/metrics`. This page is made by
`python -m tools.metrics`; a test holds it against the pages of running services, in both
directions. `deploy/prometheus/` has the rules that are made of these,
[grafana.md](grafana.md) says what the dashboards show.

Ratios are from 0 to 1 unless they say otherwise. A counter ends in `_total`, and begins anew
with its process where it says so; a histogram has buckets up to {buckets} s and more. Labels
that come from records are bounded: reasons and kinds to 40, classes to the ten commonest, cut
to 64 characters, arms to 8; what is beyond is `other`.

| stage | in | out | dead | in progress | last |
| --- | --- | --- | --- | --- | --- |
{stages}
"""
_STAGES = (
    ("producer", {}),
    ("learner", {}),
    ("monitor", {"dead": "refused_total", "last": "last_outcome_timestamp_seconds"}),
)
_UNITS = (
    ("_timestamp_seconds", "seconds of the epoch"),
    ("_seconds", "seconds"),
    ("_per_second", "a second"),
    ("_bytes", "bytes"),
    ("_ratio", "ratio"),
    ("squared_error", "the label's, squared"),
    ("mae_variance", "the label's, squared"),
    ("rmsle", "1"),
    ("log_loss", "nats"),
    ("absolute_error", "the label's"),
    ("mae", "the label's"),
    ("mae_stddev", "the label's"),
    ("rmse", "the label's"),
    ("medae", "the label's"),
    ("records_in", "records"),
    ("records_out", "records"),
    ("records_dead", "records"),
    ("records_replayed", "records"),
    ("records_resumed", "records"),
    ("records_in_progress", "records"),
    ("lag_records", "records"),
    ("_rows", "rows"),
)


def unit(it: Described) -> str:
    """Return the unit of a metric, as its name says it."""
    name = it.name.removesuffix("_total")
    return next((unit for end, unit in _UNITS if name.endswith(end)), "1")


def text() -> str:
    """Return the page."""
    stages = "\n".join(_stage(name, other) for name, other in _STAGES)
    parts = [_TOP.format(buckets=f"{BUCKETS[-1]:g}", stages=stages)]
    for service in SERVICES:
        labels = " and ".join(f"`{label}`" for label in service.labels)
        parts += [
            f"## {service.name[:1].upper()}{service.name[1:]}\n",
            f"{service.where}. {service.says}"
            + (f" All carry {labels}.\n" if labels else "\n"),
            *_table(service.metrics),
            "",
        ]
    parts.append("## Questions\n\n| question | PromQL |\n| --- | --- |")
    parts += [f"| {question} | `{promql}` |" for question, promql in EXAMPLES]
    return "\n".join(parts) + "\n"


def _stage(stage: str, other: dict[str, str]) -> str:
    names = {
        "in": f"{stage}_records_in_total",
        "out": f"{stage}_records_out_total",
        "dead": f"{stage}_records_dead_total",
        "in progress": f"{stage}_records_in_progress",
        "last": f"{stage}_last_record_timestamp_seconds",
    } | other
    return f"| {stage} | " + " | ".join(f"`driftline_{it}`" for it in names.values()) + " |"


def _table(metrics: Iterable[Described]) -> list[str]:
    rows = ["| metric | type | labels | unit | meaning |", "| --- | --- | --- | --- | --- |"]
    for it in metrics:
        labels = ", ".join(it.labels) or "–"
        rows.append(f"| `{it.name}` | {it.kind} | {labels} | {unit(it)} | {it.help} |")
    return rows


if __name__ == "__main__":
    PAGE.write_text(text())
