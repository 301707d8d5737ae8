"""What dashboards, rules and docs ask of Prometheus has an answer while real services run."""

import json
import re
import uuid

import pytest

from tests.pages import lint
from tests.prometheus import Prometheus
from tests.system.watched import DRIFT, Watched
from tools.dashboards.__main__ import FOLDER
from tools.metrics import EXAMPLES, SERVICES

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(240)]

BOARDS = {
    path.stem: json.loads(path.read_text())
    for path in sorted(FOLDER.glob("*.json"))
    if path.stem != "runbook"
}
OVER = "5s"
"""What $__rate_interval comes to, with a scrape a second."""


@pytest.fixture(scope="module")
def watched(tmp_path_factory, kafka):
    """Give three streams at work."""
    name = f"t{uuid.uuid4().hex[:10]}"
    with Watched(tmp_path_factory.mktemp("watched"), f"kafka://{kafka}/{name}") as watched:
        yield watched


@pytest.fixture(scope="module")
def prometheus(watched, tmp_path_factory):
    """Give a Prometheus that has seen the world change, and what was done about it."""
    with Prometheus(tmp_path_factory.mktemp("prometheus"), watched.pages) as prometheus:
        prometheus.await_("sum(up) == 11")
        prometheus.await_(f"min(driftline_samples_total) > {DRIFT} / 2")
        prometheus.await_("min(sum by (stream) (driftline_resets_total)) > 0")
        prometheus.await_("sum(driftline_learner_checkpoint_bytes) > 0")
        prometheus.await_("driftline_arm_scored_total > 100")
        yield prometheus


def asked(board):
    """Return all PromQL of a dashboard's panels and marks."""
    drawn = [target["expr"] for panel in board["panels"] for target in panel.get("targets", [])]
    return [*drawn, *(it["expr"] for it in board["annotations"]["list"])]


def meant(promql, **chosen):
    """Return PromQL as Grafana asks it, with all that can be chosen chosen."""
    known = {"__rate_interval": OVER, "job": ".+", "instance": ".+"}
    for name, value in (known | chosen).items():
        promql = promql.replace(f"${name}", value)
    assert "$" not in promql
    return promql


def escaped(value):
    """Return a value as Grafana puts it into a pattern that stands in quotes."""
    return re.sub(r"[\\^$*+?.()|{}\[\]]", lambda it: "\\\\" + it[0], value)


def chosen(prometheus, board):
    """Return what Grafana would choose for each variable of a dashboard, in their order."""
    found = {}
    for it in board["templating"]["list"]:
        if it["type"] != "query":
            continue
        selector, label = re.fullmatch(r"label_values\((.+), (\w+)\)", it["query"]).groups()
        values = {
            series[label]
            for series in prometheus.series(meant(selector, **found))
            if label in series
        }
        if "regex" in it:
            values = {v for v in values if re.fullmatch(it["regex"].strip("/"), v)}
        assert values, it["query"]
        found[it["name"]] = it.get("allValue") or "|".join(map(escaped, sorted(values)))
    return found


def test_every_query_of_every_dashboard_draws_something(prometheus, report):
    """Each expression, each selector within it, and each variable; marks too."""
    expressions, selectors, variables, silent = 0, set(), 0, []
    for name, board in BOARDS.items():
        picked = chosen(prometheus, board)
        variables += len(picked)
        for promql in asked(board):
            promql = meant(promql, **picked)
            expressions += 1
            if not prometheus.drawn(promql):
                silent.append(f"{name}: {promql}")
            selectors |= set(re.findall(r"\w+\{[^}]*\}", promql))
    silent += [selector for selector in sorted(selectors) if not prometheus.drawn(selector)]

    report(expressions=expressions, selectors=len(selectors), variables=variables)
    assert silent == []


def test_every_rule_records_something(prometheus):
    """But for none: also those over an hour begin with what there is."""
    groups = prometheus.get("rules")["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    recorded = [rule["name"] for rule in rules if rule["type"] == "recording"]

    assert len(recorded) > 10
    assert [rule["name"] for rule in rules if rule["health"] != "ok"] == []
    assert [name for name in recorded if not prometheus.drawn(name)] == []


def test_every_question_of_the_docs_has_an_answer(prometheus):
    """As they stand there."""
    assert [promql for _, promql in EXAMPLES if not prometheus.drawn(promql)] == []


def test_the_page_of_metrics_lists_what_services_show_and_nothing_else(prometheus):
    """Name, type, labels and meaning, in both directions, as Prometheus has read them."""
    said = {
        it.name: (it.kind, it.help, {*service.labels, *it.labels})
        for service in SERVICES
        for it in service.metrics
    }
    found = {}
    told = prometheus.get("metadata", limit="10000")
    for series in prometheus.series('{__name__=~"driftline_.+"}'):
        whole = series.pop("__name__")
        base = re.sub("_(bucket|sum|count)$", "", whole)
        name = base if said.get(base, ("",))[0] == "histogram" else whole
        (about,) = {(it["type"], it["help"]) for it in told[name.removesuffix("_total")]}
        labels = {*series} - {"job", "instance", "le"}
        found.setdefault(name, (*about, labels))
        assert found[name] == (*about, labels), name

    assert found == said


@pytest.mark.parametrize(
    "job", ["driftline-monitor", "driftline-learner", "driftline-producer"]
)
def test_promtool_finds_nothing_to_mend_on_any_page(watched, job):
    """Of services at work."""
    lint(watched.page(job))
