"""'driftline compare', from its words to its page."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from html.parser import HTMLParser
from pathlib import Path

import pytest

from driftline import learn, produce
from driftline.compare.board import Board, Entry, Row
from driftline.compare.page import page
from driftline.compare.play import Task, play
from driftline.compare.pool import Failed
from driftline.compare.records import of_stream
from learner.config import Config

ROOT = Path(__file__).parent.parent.parent.parent
SINE = ("--source", "synth:Sine", "--drift", "abrupt@600", "--limit", 1200)


@pytest.mark.timeout(600)
def test_the_last_line_ranks_every_model_with_every_policy(run, tmp_path):
    """By the accuracy that the live learner has; one that fails is a row with its sentence."""
    code, out, err = run(
        *("compare", *SINE, "--models", "naive-bayes,linear", "--policies", "none,reset"),
        *("--detectors", "ddm", "--html", "page.html", "--json"),
    )
    assert code == 0, err
    board = json.loads(out.splitlines()[-1])
    rows = {(row["model"], row["policy"]): row for row in board["rows"]}
    produce("sqlite:s.db", source="synth:Sine", drifts=("abrupt@600",), limit=1200)
    for policy, detector in (("none", None), ("reset", "ddm")):
        summary = learn(
            "sqlite:s.db", name=policy, model="naive-bayes", policy=policy, detector=detector
        )
        row = rows["naive-bayes", policy]
        assert (row["accuracy"], row["drifts"], row.get("detector")) == (
            *(summary.accuracy, summary.drifts),
            detector,
        )
        assert row["samples"] == 1200
        assert row["peak_bytes"] > 2**24
        assert row["seconds"] > 0
        assert (row["after"][0]["at"], len(row["after"])) == (600, 1)
    # A detector of wrong classes hears nothing of numbers, so one of the two never began.
    assert "is for regression, and most" in rows["linear", "none"]["error"]
    assert ("linear", "reset") not in rows
    assert "regression" in board["left_out"]["linear, reset, ddm"]
    scores = [row["accuracy"] for row in board["rows"][:2]]
    assert scores == sorted(scores, reverse=True)
    assert board["baselines"]["majority"] < scores[0]
    assert "is for regression, and most" in (tmp_path / "page.html").read_text()


@pytest.mark.timeout(300)
def test_a_table_goes_to_stderr_and_nothing_to_stdout(run):
    """With the baselines below, and each seed in the spread."""
    words = ("compare", *SINE, "--models", "naive-bayes", "--policies", "none")
    code, out, err = run(*words, "--seeds", "1,2")
    assert (code, out) == (0, "")
    for text in ("2 seeds", "±", "no change", "majority", "abrupt @600"):
        assert text in err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--models", "logistc"], "did you mean 'logistic'"),
        (["--policies", "resett"], "did you mean 'reset'"),
        (["--detectors", "adwim"], "did you mean 'adwin'"),
        (["--models", '{"class": '], "is no JSON"),
        (["--seeds", "1,x"], "--seeds '1,x' must be whole numbers"),
        (["--window", "1"], "--window must be a whole number of 2 or more, got 1"),
        (["--jobs", "0"], "--jobs must be a whole number of 1 or more"),
        (["--from", "5"], "--from and --to are for a stream"),
        (["--topic", "orders"], "--topic and --mapping are for a stream"),
        (["--pieces", "6"], "--pieces needs --baseline full-retrain; add it"),
        (
            ["--baseline", "full-retrain", "--policies", "none"],
            "--policies is for a comparison",
        ),
        (["--baseline", "full-retrain", "--window", "100"], "--window is for a comparison of"),
        (["--html", "."], "--html '.' is a folder; name a file in it"),
        (["--html", "no/such/page.html"], "lies in no folder there is"),
        (["--source", "kafka://127.0.0.1:1/x"], "is no data set"),
        (["--source", "river:Phising"], "did you mean 'Phishing'"),
    ],
)
def test_what_cannot_be_is_one_sentence(run, words, sentence):
    """And exit code 2, before anything is learned."""
    given = words if "--source" in words else ["--source", "river:Phishing", *words]
    code, out, err = run("compare", *given)
    assert (code, out) == (2, "")
    assert sentence in err
    assert len(err.splitlines()) == 1


def test_a_stream_takes_no_settings_of_a_data_set(run):
    """A stream that is not there is not made, either."""
    code, _, err = run("compare", "--label", "y")
    assert code == 2
    assert "--label is for a data set; name one with --source" in err
    code, _, err = run("compare", "--stream", "sqlite:none.db")
    assert code == 2
    assert not Path("none.db").exists()


class Page(HTMLParser):
    """What a page would fetch, and the texts of its tables."""

    def __init__(self, text):
        super().__init__()
        self.fetched, self.cells, self._inside = [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.fetched += [value for name, value in attrs if name in ("src", "href")]
        self._inside = tag

    def handle_data(self, data):
        if self._inside in ("td", "th"):
            self.cells.append(data)


def test_the_page_has_all_in_it_and_believes_no_text(tmp_path):
    """It fetches nothing, its tables hold every figure, and a name can begin no script."""
    url = f"sqlite:{tmp_path / 's.db'}"
    produce(url, source="synth:Sine", drifts=("abrupt@600",), limit=1200)
    played = play(Task(Config(model="naive-bayes"), of_stream(url), 100))
    evil = "</script><script>alert(1)</script>"
    rows = [
        Row(Entry("naive-bayes", "reset"), {1: played}),
        Row(Entry(evil, evil, evil), {1: played}),
        Row(Entry("x", "none"), {1: Failed(evil)}),
    ]
    board = Board(data=evil, rows=rows, seeds=[1], window=100, seconds=1.0)

    text = page(board)

    assert "<script>alert" not in text
    assert text.count("</script>") == 3
    parsed = Page(text)
    assert parsed.fetched == []
    assert {f"{played.accuracy:.4f}", "abrupt at 600", evil} <= {*parsed.cells}
    assert "%" not in re.findall(r"<title>(.*?)</title>", text)[0]
    charts = json.loads(re.search(r'id="charts">(.*?)</script>', text, re.DOTALL)[1])
    assert charts[0]["series"][0]["points"] == [[p.samples, p.model] for p in played.curve]
    assert charts[0]["marks"] == [{"at": 600, "name": "abrupt"}]


def test_a_page_of_nothing_but_failures_says_why():
    """And draws no empty chart."""
    rows = [Row(Entry("x", "none"), {1: Failed("it cannot be")})]
    text = page(Board(data="d", rows=rows, seeds=[1], window=100, seconds=1.0))
    assert "it cannot be" in Page(text).cells
    assert 'class="chart"' not in text


@pytest.mark.timeout(300)
def test_ctrl_c_ends_it_and_all_its_processes(tmp_path):
    """As a terminal sends it, to all at once: exit code 130, one sentence, no traceback."""
    words = ["--source", "synth:Agrawal", "--limit", "200000", "--policies", "none"]
    process = subprocess.Popen(
        [sys.executable, "-m", "driftline", "compare", *words],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    deadline = time.monotonic() + 200
    while len(children.read_text().split()) < 2:
        assert time.monotonic() < deadline
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=90)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert "stopped before its end" in err
    while any(alive(process.pid)):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def alive(group):
    """Yield the processes of a group that have not ended."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, _, of = stat.read_text().rpartition(")")[2].split()[:3]
            if int(of) == group and state != "Z":
                yield stat
