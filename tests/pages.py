"""A page of metrics, as Prometheus' own client library reads it back."""

import os
import shutil
import subprocess

import pytest
from prometheus_client.parser import text_string_to_metric_families


def families(page):
    """Return the families of ours on a page, by name as Prometheus knows it."""
    found = {it.name: it for it in text_string_to_metric_families(page)}
    return {name: it for name, it in found.items() if name.startswith("driftline_")}


def values(page, **labels):
    """Return the value of each sample that has these labels, by name and further labels.

    A sample with none beyond them goes by its name, any other by its name and their values.
    """
    found = {}
    for family in families(page).values():
        for sample in family.samples:
            if sample.labels.items() >= labels.items():
                more = tuple(v for k, v in sample.labels.items() if k not in labels)
                name = sample.name.removeprefix("driftline_")
                found[(name, *more) if more else name] = sample.value
    return found


def lint(page):
    """Let promtool look at a page; fail with what it has to say."""
    promtool = shutil.which("promtool")
    if promtool is None:
        assert "CI" not in os.environ, "promtool is missing; tools/needs.sh installs it"
        pytest.skip("promtool is not installed")
    done = subprocess.run(
        [promtool, "check", "metrics", "--extended"],
        input=page.encode(),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (done.stderr, done.returncode) == (b"", 0)
