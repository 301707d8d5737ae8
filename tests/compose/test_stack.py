"""The stack as a newcomer brings it up: from nothing to figures that are true."""

import json
import re
import stat
import time
from contextlib import closing

import pytest

from tests.compose.stack import SERVICES, ask, get
from tests.system.lives import PATIENCE, ROOT, Told, eventually, process

BOARDS = {
    path.stem: json.loads(path.read_text())
    for path in sorted((ROOT / "deploy" / "grafana" / "dashboards").glob("*.json"))
    if "targets" in path.read_text()
}

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def stack(start):
    """Give the whole stack, with nothing set."""
    stack = start()
    stack.began = time.monotonic()
    stack.up()
    return stack


@pytest.fixture(scope="module")
def told(stack):
    """Give what the learner says, read from this machine."""
    with closing(Told(stack.stream)) as told:
        yield told


def test_prometheus_tells_the_accuracy_of_the_outcomes(stack, told, report):
    """What PromQL gives is what the outcomes in the composed broker give, to a digit."""
    prometheus = stack.url("prometheus")
    eventually(lambda: sum(told.follow(0.1).values()) > 0, 3 * PATIENCE)
    outcome = time.monotonic() - stack.began
    eventually(lambda: rising(prometheus), 3 * PATIENCE)
    figure = time.monotonic() - stack.began
    # What is older than the last scrape but one changes no more.
    eventually(lambda: sum(scored(prometheus, time.time() - 6).values()) > 5000, 3 * PATIENCE)
    moment = time.time() - 6
    counts = scored(prometheus, moment)
    seen = {
        window: ask(
            prometheus, f'driftline_prequential_accuracy_ratio{{window="{window}"}}', moment
        )
        for window in ("all", "1000")
    }
    ratio = ask(
        prometheus, "sum(driftline_correct_total) / sum(driftline_scored_total)", moment
    )
    told.finish()
    right = {p: rights(told.messages[p])[:n] for p, n in counts.items()}
    assert [len(right[p]) for p in counts] == [*counts.values()]
    assert len(counts) == 3
    everything = [hit for hits in right.values() for hit in hits]
    newest = [hit for hits in right.values() for hit in hits[-1000:]]
    assert [value for _, value in ratio] == [sum(everything) / len(everything)]
    assert [value for _, value in seen["all"]] == [sum(everything) / len(everything)]
    assert [value for _, value in seen["1000"]] == [sum(newest) / len(newest)]
    report(
        first_outcome=round(outcome, 1), first_figure=round(figure, 1), scored=len(everything)
    )


def rising(prometheus):
    """Return whether Prometheus knows an accuracy."""
    return ask(prometheus, 'driftline_prequential_accuracy_ratio{window="all"}')


def scored(prometheus, moment):
    """Return how many rows were scored in each partition at a moment."""
    return {
        int(labels["partition"]): int(value)
        for labels, value in ask(prometheus, "driftline_scored_total", moment)
    }


def rights(messages):
    """Return, of each scored outcome in order, whether its guess was right."""
    return [
        y == guess and flag == 0
        for message in messages
        for y, guess, flag in zip(
            *(message["rows"][k] for k in ("y", "y_pred", "flag")), strict=True
        )
        if flag in (0, 3)
    ]


def test_every_service_comes_to_be_healthy(stack, report):
    """Each says so of itself by its own check, and none had to be started twice."""
    stack.healthy()
    report(all_healthy=round(time.monotonic() - stack.began, 1))
    for service in SERVICES:
        for container in stack.containers(service):
            assert stack.inspect(container)["RestartCount"] == 0, service


def test_prometheus_reads_every_service_and_its_rules(stack):
    """Its targets are up, and no rule of ours fails."""
    prometheus = stack.url("prometheus")
    up = eventually(lambda: ask(prometheus, 'up{job="driftline-monitor"} == 1'), PATIENCE)
    assert [value for _, value in up] == [1.0]
    rules = get(f"{prometheus}/api/v1/rules")
    assert "driftline" in rules
    assert set(re.findall(r'"health":"(\w+)"', rules)) <= {"ok", "unknown"}


@pytest.mark.parametrize("name", BOARDS)
def test_the_dashboards_queries_are_answered(stack, name):
    """Grafana's questions, with all that can be chosen chosen, to the composed Prometheus."""
    asked = [
        target["expr"]
        for panel in BOARDS[name]["panels"]
        for target in panel.get("targets", ())
    ]
    answers = {}
    for promql in asked:
        meant = promql.replace("$__rate_interval", "20s").replace("$window", "1000")
        meant = re.sub(r"\$\w+", ".+", meant)
        answers[promql] = ask(stack.url("prometheus"), meant)
    drawn = [promql for promql, answer in answers.items() if answer]
    # Of what is for numbers, anomalies and several models there is nothing in this stream.
    assert len(drawn) > len(asked) / 3, sorted(answers.keys() - {*drawn})


def test_a_learner_on_this_machine_reads_the_composed_broker(stack, told, tmp_path):
    """By the listener for this machine one guesses as the learner in the container does."""
    options = ("--model", "hoeffding-tree", "--policy", "reset", "--state", tmp_path / "state")
    with process(
        "learn",
        "--stream",
        stack.stream,
        "--name",
        "host",
        *options,
        "--until-end",
        cwd=tmp_path,
    ) as learner:
        assert learner.wait(2 * PATIENCE) == 0, learner.err
    with closing(Told(stack.stream, "host")) as mine:
        mine.finish()
        told.finish()
        for p, messages in mine.messages.items():
            here, there = rows(messages), rows(told.messages[p])
            assert len(here) > 500
            assert here == there[: len(here)]


def rows(messages):
    """Return offset, label and guess of each outcome, in order."""
    columns = ("offset", "y", "y_pred")
    return [
        row
        for message in messages
        for row in zip(*(message["rows"][name] for name in columns), strict=True)
    ]


def test_the_key_is_the_learners_alone_and_told_nobody(stack):
    """It lies in the volume, readable to its owner only, and in no log."""
    (container,) = stack.containers("learner")
    path = "/var/lib/driftline/state/key"
    script = (
        f"import os; s = os.stat({path!r}); print(s.st_mode, s.st_uid, open({path!r}).read())"
    )
    mode, user, key = stack.compose("exec", "-T", "learner", "python", "-c", script).split()
    assert stat.S_IMODE(int(mode)) == 0o600
    assert user == stack.inspect(container)["Config"]["User"].partition(":")[0]
    assert len(key) == 64
    said = stack.logs()
    assert len(said) > 1000
    assert key not in said


@pytest.mark.parametrize("service", ["producer", "learner", "monitor"])
def test_ours_cannot_write_but_where_they_should(stack, service):
    """The file system is read-only, no right is left, and none can be had."""
    (container,) = stack.containers(service)
    script = (
        "try: open('/opt/driftline/x', 'w')\n"
        "except OSError as error: print(error.errno)\n"
        "print(open('/proc/self/status').read())"
    )
    said = stack.compose("exec", "-T", service, "python", "-c", script)
    assert said.startswith("30\n")  # EROFS
    assert re.search(r"^CapEff:\s+0+$", said, re.MULTILINE)
    assert re.search(r"^CapBnd:\s+0+$", said, re.MULTILINE)
    assert re.search(r"^NoNewPrivs:\s+1$", said, re.MULTILINE)
    about = stack.inspect(container)["HostConfig"]
    assert about["Init"]
    assert about["Memory"] > 0
