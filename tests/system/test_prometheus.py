import csv
import re
import signal
import subprocess
import time

import pytest

from tests.prometheus import Prometheus
from tests.system.lives import COMMAND, PATIENCE, environment, eventually, process

QUERIES = {
    "scored": "sum(driftline_scored_total)",
    "ratio": "sum(driftline_correct_total) / sum(driftline_scored_total)",
    "all": 'driftline_prequential_accuracy_ratio{window="all"}',
    "1000": 'driftline_prequential_accuracy_ratio{window="1000"}',
}


@pytest.fixture
def demo(tmp_path):
    """Give a demo at work, as a user starts it, with a stream that stays."""
    stream = ("--stream", f"sqlite:{tmp_path / 'demo.db'}")
    options = ("--port", 0, "--rate", 2000, "--json")
    with process("demo", *stream, *options, cwd=tmp_path) as demo:
        yield demo


@pytest.fixture
def prometheus(demo, tmp_path):
    """Give a Prometheus that scrapes the demo."""
    target = re.search(r"Metrics: http://(\S+)/metrics", demo.said("/metrics"))[1]
    with Prometheus(tmp_path, {"demo": [target]}, interval="200ms") as prometheus:
        yield prometheus


def ask(prometheus, promql, moment):
    """Return what a query gives at a moment; None while there is nothing, or no answer."""
    return next(iter(prometheus.now(promql, time=f"{moment:.3f}")), None)


def sample(prometheus, at_least):
    """Return all queries' values of one moment, once so many outcomes are scored."""

    def look():
        # What is older than the last scrape but one changes no more.
        moment = time.time() - 1.0
        scored = ask(prometheus, QUERIES["scored"], moment)
        return moment if scored and scored >= at_least else None

    moment = eventually(look)
    return {name: ask(prometheus, promql, moment) for name, promql in QUERIES.items()}


def recomputed(rows, scored):
    """Return accuracies over the first so many scored rows, and over their last thousand."""
    right = [row["y"] == row["y_pred"] and row["flag"] == "0" for row in rows]
    counted = [hit for hit, row in zip(right, rows, strict=True) if row["flag"] in ("0", "3")]
    seen = counted[:scored]
    return {
        "ratio": sum(seen) / len(seen),
        "all": sum(seen) / len(seen),
        "1000": sum(seen[-1000:]) / len(seen[-1000:]),
    }


def test_prometheus_tells_the_accuracy_of_the_outcomes(demo, prometheus, tmp_path):
    """What PromQL gives, twice while it changes, equals what the outcomes themselves give."""
    first = sample(prometheus, 1500)
    second = sample(prometheus, first["scored"] + 3000)
    assert demo.alive
    assert demo.end(signal.SIGINT) == 130
    done = subprocess.run(
        [*COMMAND, "outcomes", "--stream", f"sqlite:{tmp_path / 'demo.db'}", "--format", "csv"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    rows = list(csv.DictReader(done.stdout.splitlines()))

    assert done.returncode == 0, done.stderr
    assert first["scored"] < second["scored"] <= len(rows)
    assert first["ratio"] != second["ratio"]
    for seen in (first, second):
        scored = seen.pop("scored")
        assert seen == recomputed(rows, int(scored))
