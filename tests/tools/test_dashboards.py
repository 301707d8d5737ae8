"""What can be said of the dashboards without drawing them; tests/system runs what they ask."""

import json
import re
from pathlib import Path

import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from tools.dashboards.__main__ import BOARDS, FOLDER, text
from tools.dashboards.alerts import link, sections

DEPLOY = Path(__file__).parent.parent.parent / "deploy"
DRAWN = [name for name in BOARDS if name != "runbook"]
"""Those that ask for data."""


@pytest.fixture(params=DRAWN)
def board(request):
    """Give each dashboard as it is committed."""
    return json.loads((FOLDER / f"{request.param}.json").read_text())


def panels(board):
    """Return the panels that show data."""
    return [it for it in board["panels"] if it["type"] not in ("row", "text")]


def variable(board, name):
    """Return a variable by name."""
    (found,) = [it for it in board["templating"]["list"] if it["name"] == name]
    return found


@pytest.mark.parametrize("name", BOARDS)
def test_what_is_committed_is_what_is_made(name):
    """Else 'python -m tools.dashboards' was forgotten."""
    assert (FOLDER / f"{name}.json").read_text() == text(name)
    assert sorted(it.stem for it in FOLDER.iterdir()) == sorted(BOARDS)


@pytest.mark.parametrize("name", BOARDS)
def test_grafanas_own_types_read_it_back(name):
    """What Grafana's builders wrote its models read, and write again as it was."""
    made = json.loads(text(name))
    again = json.loads(json.dumps(Dashboard.from_json(made), cls=JSONEncoder))

    assert [it["title"] for it in again["panels"]] == [it["title"] for it in made["panels"]]
    assert again["templating"] == made["templating"]
    assert {it["uid"] for it in (again, made)} == {f"driftline-{name}"}


def test_the_linters_rules_for_a_dashboard_hold(board):
    """One data source to choose, jobs and instances of which all are taken, no edits."""
    source = variable(board, "datasource")
    assert (source["type"], source["query"], source["label"]) == (
        "datasource",
        "prometheus",
        "Data Source",
    )
    for name in ("job", "instance"):
        it = variable(board, name)
        assert (it["type"], it["label"]) == ("query", name.capitalize())
        assert it["datasource"]["uid"] == "${datasource}"
        assert it["multi"]
        assert it["includeAll"]
        assert it["allValue"] == ".+"
        assert it["refresh"] == 2
    assert board["editable"] is False
    assert board["timezone"] == "browser"
    ids = [it["id"] for it in board["panels"]]
    assert len(ids) == len({*ids})


def test_the_linters_rules_for_a_panel_hold(board):
    """Title, description and unit, and the chosen data source, its queries too."""
    assert panels(board)
    titles = [it["title"] for it in panels(board)]
    assert len(titles) == len({*titles})
    for panel in panels(board):
        assert panel["title"]
        assert panel["description"].endswith(".")
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        assert panel["targets"]
        refs = [target["refId"] for target in panel["targets"]]
        assert len(refs) == len({*refs})
        for target in panel["targets"]:
            assert target["datasource"] == panel["datasource"]


def test_the_linters_rules_for_a_query_hold(board):
    """Each selector asks for job and instance; each rate is over what Grafana reckons."""
    for panel in panels(board):
        for target in panel["targets"]:
            expr = target["expr"]
            selectors = re.findall(r"\b(?:driftline|process)_\w+(\{[^}]*\})?", expr)
            assert selectors
            for selector in selectors:
                assert 'job=~"$job",instance=~"$instance"' in selector
            for over in re.findall(r"\b(?:rate|irate|increase)\([^[]*\[([^]]*)\]", expr):
                assert over == "$__rate_interval"
            if re.search(r"\b(?:rate|increase)\(", expr):
                counted = re.findall(r"(?:rate|increase)\((\w+)\{", expr)
                assert counted
                assert all(it.endswith(("_total", "_bucket")) for it in counted)
            # A legend names only what the aggregation has left.
            by = re.match(r"(?:sum|avg|max|min) by \(([^)]*)\)", expr)
            named = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
            if by and " / " not in expr:
                assert named <= {*re.split(r", ?", by[1])}


def test_everything_that_is_chosen_is_heeded(board):
    """No variable is there for show."""
    queries = json.dumps([board["panels"], board["annotations"]])
    chained = json.dumps([it.get("query") for it in board["templating"]["list"]])

    for it in board["templating"]["list"]:
        name = it["name"]
        assert f"${name}" in queries or f"{{{name}}}" in queries or f"${name}" in chained, name
    named = set(re.findall(r"\$\{?(\w+)\}?", queries + chained))
    known = {it["name"] for it in board["templating"]["list"]}
    assert named <= known | {"__rate_interval"}


def test_every_dashboard_marks_drifts_and_actions(board):
    """What the world did, what was heard of it, and what was done."""
    marked = {it["name"]: it["expr"] for it in board["annotations"]["list"]}

    assert list(marked) == ["True drifts", "Drifts", "Actions"]
    assert all(it["target"]["expr"] == it["expr"] for it in board["annotations"]["list"])


def test_links_lead_to_what_is_there(board):
    """To the other dashboards, and to the one section of the runbook that is meant."""
    uids = {json.loads(text(name))["uid"] for name in BOARDS}
    links = [
        *board["links"],
        *(it for panel in board["panels"] for it in panel.get("links", [])),
    ]
    found = [it["url"] for it in links if it["type"] == "link"]
    assert len(found) > 2
    assert {re.match(r"/d/([\w-]+)", url)[1] for url in found} <= uids

    shown = {it["id"]: it["title"] for it in json.loads(text("runbook"))["panels"]}
    for alert in sections():
        assert shown[int(link(alert).rpartition("=")[2])] == alert
    for it in links:
        if "viewPanel" in it.get("url", ""):
            assert it["title"] == f"What to do: {shown[int(it['url'].rpartition('=')[2])]}"


def test_the_runbook_has_a_panel_for_each_alert():
    """In its own words."""
    (rules,) = (DEPLOY / "prometheus").glob("alerts.rules.yml")
    alerts = [it["alert"] for it in yaml.safe_load(rules.read_text())["groups"][0]["rules"]]
    shown = json.loads(text("runbook"))["panels"]

    assert [it["title"] for it in shown] == alerts == [*sections()]
    assert [it["options"]["content"] for it in shown] == [*sections().values()]


def test_what_is_provisioned_is_where_it_is_mounted():
    """The paths of docker-compose, the data source's address, and its interval, are one."""
    grafana = DEPLOY / "grafana" / "provisioning"
    (provider,) = yaml.safe_load((grafana / "dashboards" / "driftline.yml").read_text())[
        "providers"
    ]
    (source,) = yaml.safe_load((grafana / "datasources" / "prometheus.yml").read_text())[
        "datasources"
    ]
    prometheus = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())

    assert provider["options"]["path"] == "/etc/driftline/dashboards"
    assert provider["type"] == "file"
    assert not provider["allowUiUpdates"]
    assert (source["type"], source["access"]) == ("prometheus", "proxy")
    assert source["url"] == "http://prometheus:9090"
    assert source["jsonData"]["timeInterval"] == prometheus["global"]["scrape_interval"]
    # What stands beside the configuration is mounted with it.
    assert prometheus["rule_files"] == ["*.rules.yml"]
    jobs = [it["job_name"] for it in prometheus["scrape_configs"]]
    assert jobs == ["driftline-monitor", "driftline-learner", "driftline-producer"]
