"""'driftline compare', from its words to its page."""

import contextlib
import io
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
from rich.console import Console

from driftline import learn, produce
from driftline.commands import compare
from driftline.compare.board import Board, Entry, Row, ranked
from driftline.compare.page import page
from driftline.compare.play import Played, Task, play
from driftline.compare.pool import Failed
from driftline.compare.records import of_stream
from driftline.compare.recovery import Drift
from driftline.compare.series import Point
from driftline.compare.table import show
from driftline.compare.words import beside
from learner.config import Config
from stream.errors import SettingError

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


def came_of(accuracy, *, scored=1000, labelled=1000, after=(), mae=None):
    """Return a run that came to its end, with these figures and the usual others."""
    share = scored / 2000
    return Played(
        **{"task": "classification" if mae is None else "regression", "samples": 1000},
        **{"labelled": labelled, "scored": scored, "accuracy": accuracy, "mae": mae},
        **{"kappa": None, "no_change": share, "majority": share, "after": [*after]},
        **{"drifts": 0, "improvements": 0, "resets": 0, "actions": {}, "false_alarms": 0},
        **{"dead": 1000 - labelled, "dead_by": {}, "pending": 0, "watched": True},
        **{"curve": [Point(labelled, accuracy, share, share)], "seconds": 1.0},
        state_bytes=1024,
    )


def board_of(**runs):
    """Return the board of these models, each with its runs by seed."""
    rows = ranked([Row(Entry(name, "none"), each) for name, each in runs.items()])
    seeds = [*next(iter(runs.values()))]
    return Board(data="d", rows=rows, seeds=seeds, window=100, seconds=1.0)


def models(board):
    """Return the models of a board in their order."""
    return [row.entry.model for row in board.rows]


@pytest.mark.timeout(300)
def test_what_a_model_is_right_about_is_of_all_or_it_stands_behind(run, tmp_path):
    """Half of all it refused, for a text: it is said, and baselines are those of all."""
    lines = [f"{n / 500},{'abc'[n % 3] if n % 2 else ''},{int(n > 250)}" for n in range(500)]
    Path("half.csv").write_text("\n".join(["a,channel,y", *lines]))
    words = ("--source", "half.csv", "--label", "y", "--models", "logistic,hoeffding-tree")

    code, out, err = run(
        *("compare", *words, "--policies", "none", "--json", "--html", "page.html")
    )

    assert code == 0, err
    board = json.loads(out)
    best, behind = board["rows"]
    assert (best["model"], best["labelled"], best["dead"]) == ("hoeffding-tree", 500, 0)
    assert (behind["model"], behind["labelled"], behind["dead"]) == ("logistic", 250, 250)
    assert board["baselines"]["no_change"] == best["no_change"] != behind["no_change"]
    said = "logistic, none: refused 250 of 500 samples that others took; its figures are of"
    assert said in (tmp_path / "page.html").read_text()
    code, _, err = run("compare", *words, "--policies", "none")
    assert (code, said in err) == (0, True)


@pytest.mark.parametrize(
    ("labelled", "order"),
    [(989, ["all", "some", "none"]), (990, ["some", "all", "none"])],
)
def test_one_in_a_hundred_may_be_refused(labelled, order):
    """Beyond that a row stands behind all that have a figure, and before what failed."""
    board = board_of(
        none={1: Failed("it cannot be")},
        some={1: came_of(0.9, labelled=labelled, scored=labelled)},
        all={1: came_of(0.5)},
    )
    assert models(board) == order
    assert [*board.refused] == ["some, none"] * (labelled < 990)
    assert len(beside(board)) == len(board.refused)


def test_a_model_that_has_no_guess_at_first_has_refused_nothing():
    """It is ranked as it was, and baselines are of a row that has a guess for more."""
    board = board_of(slow={1: came_of(0.9, scored=744)}, all={1: came_of(0.5)})
    assert (models(board), board.refused) == (["slow", "all"], {})
    assert board.baselines == {"no_change": 0.5, "majority": 0.5}
    charts = json.loads(re.search(r'id="charts">(.*?)</script>', page(board), re.DOTALL)[1])
    lines = {each["name"]: each["points"] for each in charts[0]["series"]}
    assert lines["no change"] == [[1000, 0.5]]


def test_numbers_that_were_refused_are_those_of_the_same_seeds():
    """A mean over the seeds; one that failed with a seed has refused nothing of it."""
    board = board_of(
        part={1: came_of(None, mae=1.0, labelled=400, scored=400), 2: came_of(None, mae=1.0)},
        most={1: came_of(None, mae=3.0), 2: Failed("it cannot be")},
        all={1: came_of(None, mae=2.0), 2: came_of(None, mae=2.0)},
    )
    assert models(board) == ["all", "most", "part"]
    assert board.refused == {"part, none": (300, 1000)}
    assert "part, none: refused 300 of 1,000 samples" in beside(board)[0]


def test_how_many_seeds_were_back_is_said_where_not_all_were():
    """A mean over one that was, and soon, is none over all; JSON has the counts."""

    def drifted(recovery, delay):
        times = {"recovery": recovery, "delay": delay, "alarms": int(delay is not None)}
        drift = {"at": 500, "kind": "abrupt", "width": 1, "before": 0.9, "lost": 0.4}
        return came_of(0.8, after=[Drift(extra=10.0, **drift, **times)])

    board = board_of(
        once={seed: drifted(*((60, 40) if seed == 1 else (None, None))) for seed in range(5)},
        always={seed: drifted(200, 90) for seed in range(5)},
        never={seed: drifted(None, None) for seed in range(5)},
    )

    console = Console(file=io.StringIO(), width=160)
    show(board, console)
    shown = console.file.getvalue()

    for text in ("/ 60 (1 of 5) / 40 (1 of 5)", "/ 200 / 90", "/ – / –"):
        assert text in shown
    assert {"60 (1 of 5)", "40 (1 of 5)", "200", "90", "–"} <= {*Page(page(board)).cells}
    once = board.rows[0].as_dict()
    assert (once["recovery"], once["recovered"], once["recoveries"]) == (60, 0.2, 1)
    assert (once["delay"], once["detected"], once["detections"]) == (40, 0.2, 1)
    assert once["known_drifts"] == 5


def test_a_page_that_cannot_be_written_is_refused_before_the_work(run, monkeypatch):
    """In one sentence."""
    monkeypatch.setattr(compare, "_records", lambda *_: pytest.fail("it has begun"))
    code, out, err = run("compare", *SINE, "--html", "/proc/page.html")
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert "--html '/proc/page.html' cannot be written" in err


@pytest.mark.parametrize("there", ["nothing", "page", "link"])
def test_to_find_that_out_changes_nothing_there(run, monkeypatch, there):
    """A page stays as it was, and no empty one is left, not even at the end of a link."""
    path = Path("page.html")
    if there == "page":
        path.write_text("the old one")
    elif there == "link":
        path.symlink_to("nowhere.html")
    left = sorted(Path().iterdir())

    def begun(*_):
        raise SettingError("it has begun")

    monkeypatch.setattr(compare, "_records", begun)
    code, _, err = run("compare", *SINE, "--html", path)
    assert (code, "it has begun" in err) == (2, True)
    assert sorted(Path().iterdir()) == left
    assert there != "page" or path.read_text() == "the old one"


@pytest.mark.timeout(300)
def test_a_page_that_cannot_be_written_at_the_end_costs_no_figures(run, monkeypatch):
    """As where the disk is full by then: they are shown, and then the sentence."""

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    words = ("compare", *SINE, "--models", "naive-bayes", "--policies", "none")
    code, _, err = run(*words, "--html", "page.html")
    said = "--html 'page.html' cannot be written: No space left on device"
    assert code == 2
    assert 0 < err.index("baseline") < err.index(said)


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
