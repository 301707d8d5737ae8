"""The rules that Prometheus is given: sound, tried one by one, and true to what we export."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from monitor.metrics import METRICS
from tools.metrics import SERVICES

ROOT = Path(__file__).parent.parent.parent
RULES = sorted((ROOT / "deploy" / "prometheus").glob("*.rules.yml"))
CASES = Path(__file__).parent / "rules.yml"
LEVELS = {
    "stream_learner": "stream learner",
    "stream_learner_baseline": "stream learner baseline",
}


@pytest.fixture(scope="module")
def promtool():
    """Give a function that runs promtool and returns what it said once it was content."""
    found = shutil.which("promtool")
    if found is None:
        assert "CI" not in os.environ, "promtool is missing; tools/needs.sh installs it"
        pytest.skip("promtool is not installed")

    def run(*arguments):
        done = subprocess.run([found, *map(str, arguments)], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    return run


def rules(kind):
    """Return every rule that records, or every one that alerts."""
    files = [yaml.safe_load(path.read_text()) for path in RULES]
    found = [rule for file in files for group in file["groups"] for rule in group["rules"]]
    return [rule for rule in found if kind in rule]


def test_promtool_reads_every_rule(promtool):
    """Each file is one it would load."""
    assert promtool("check", "rules", *RULES).count("SUCCESS") == len(RULES) > 1


def test_every_alert_fires_when_it_should_and_only_then(promtool):
    """Each has a case with series that must raise it, beside some that must not."""
    promtool("test", "rules", CASES)

    raised, silent = set(), set()
    for case in yaml.safe_load(CASES.read_text())["tests"]:
        for check in case["alert_rule_test"]:
            (raised if check.get("exp_alerts") else silent).add(check["alertname"])
    assert raised == silent == {rule["alert"] for rule in rules("alert")}


def test_every_alert_tells_a_person_what_to_do():
    """How long it waited, how bad it is, two sentences, and a page of the runbook."""
    runbook = (ROOT / "docs" / "runbook.md").read_text()
    pages = re.findall(r"^## (\w+)$", runbook, re.MULTILINE)

    for rule in rules("alert"):
        name = rule["alert"]
        assert rule["for"]
        assert rule["labels"]["severity"] in ("warning", "critical")
        assert set(rule["annotations"]) == {"summary", "description", "runbook_url"}
        assert rule["annotations"]["runbook_url"] == f"docs/runbook.md#{name.lower()}"
    assert pages == [rule["alert"] for rule in rules("alert")]


def test_rules_ask_for_nothing_that_nobody_exports():
    """Every metric named in a rule is one of ours, or recorded by another rule."""
    recorded = {rule["record"] for rule in rules("record")}
    ours = {metric.name for metric in METRICS}

    for rule in [*rules("record"), *rules("alert")]:
        asked = set(re.findall(r"[a-z_]+:driftline\w+:\w+", rule["expr"]))
        plain = re.sub(r"[a-z_]+:driftline\w+:\w+", "", rule["expr"])
        assert asked <= recorded
        assert set(re.findall(r"driftline_\w+", plain)) <= ours


def test_recorded_names_say_their_level_and_what_was_done():
    """As level:metric:operations, with the labels that the level names."""
    for rule in rules("record"):
        level, metric, operations = rule["record"].split(":")
        labels = ", ".join(LEVELS[level].split())
        assert metric.startswith("driftline_")
        assert operations
        assert f"sum by ({labels})" in rule["expr"] or level in rule["expr"]


def test_the_runbook_names_only_what_is_there():
    """Its metrics are exported."""
    text = (ROOT / "docs" / "runbook.md").read_text()

    every = {metric.name for service in SERVICES for metric in service.metrics}
    assert set(re.findall(r"`(driftline_\w+)`", text)) <= every
