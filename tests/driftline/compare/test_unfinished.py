"""A comparison that is stopped, what cannot be compared, and what is said of it."""

import contextlib
import json
import os
import signal
from pathlib import Path

import pytest

from driftline import produce
from driftline.commands import compare
from driftline.compare.board import Board, Entry, Row
from driftline.compare.contest import entries, possible
from driftline.compare.page import page
from driftline.compare.play import Task, play
from driftline.compare.records import of_stream
from driftline.compare.trained import hold
from driftline.compare.words import beside
from learner.config import Config
from stream.errors import SettingError

SINE = ("--source", "synth:Sine", "--limit", 500)


@pytest.fixture
def interrupted(monkeypatch):
    """Let Ctrl-C come as soon as the second of two runs has begun."""

    @contextlib.contextmanager
    def bar(what):
        sent = []

        def show(taken, total):
            if what == "records learned" and taken > total / 2 and not sent:
                sent.append(os.kill(os.getpid(), signal.SIGINT))

        yield show

    monkeypatch.setattr(compare, "bar", bar)


@pytest.mark.timeout(300)
def test_what_has_come_to_its_end_is_shown_and_that_it_is_not_all(run, interrupted):
    """Exit code 130; and what cannot be compared is a sentence, no row."""
    code, out, err = run(
        *("compare", *SINE, "--models", "naive-bayes,hoeffding-tree", "--jobs", 1),
        *("--policies", "none,slower", "--json", "--html", "page.html"),
    )
    assert code == 130, err
    board = json.loads(out)
    assert [(row["model"], row["samples"]) for row in board["rows"]] == [("naive-bayes", 500)]
    assert board["missing"] == 1
    assert [*board["left_out"]] == ["naive-bayes, slower", "hoeffding-tree, slower"]
    text = Path("page.html").read_text()
    assert "this is not all, 1 run that was wanted did not come to an end" in text
    assert "left out, policy &#x27;slower&#x27; changes a learning rate" in text


def test_of_trainings_too_those_that_were_done_are_shown(tmp_path):
    """One that was stopped before any was done has none."""
    url = f"sqlite:{tmp_path / 's.db'}"
    produce(url, source="synth:Sine", limit=200)
    records, told = {1: of_stream(url)}, []
    common = {"pieces": 2, "config": {}, "jobs": 1}

    found = hold(
        *("s", records, ["naive-bayes"]),
        **common,
        stopping=lambda: bool(told) and told[-1] > len(records[1]),
        stepped=lambda taken, _: told.append(taken),
    )

    assert found is not None
    assert [row.way for row in found.rows] == ["continue"]
    assert found.as_dict()["missing"] == found.missing == 3
    assert hold("s", records, ["naive-bayes"], **common, stopping=lambda: True) is None


def test_what_does_not_go_together_is_left_out_with_its_reason():
    """Where nothing does, that is refused."""
    wanted = entries(["hoeffding-tree", "logistic"], ["none", "slower"])

    found, left_out = possible(wanted, {})

    assert [each.name for each in found] == [
        *("hoeffding-tree, none", "logistic, none", "logistic, slower")
    ]
    assert "model 'hoeffding-tree' has none" in left_out["hoeffding-tree, slower"]
    with pytest.raises(SettingError, match="model 'hoeffding-tree' has none"):
        possible(entries(["hoeffding-tree"], ["slower", "faster"]), {})


def test_alarms_of_arms_are_told_apart_from_those_of_what_is_served(tmp_path):
    """They are no drifts of the row; a sentence beside the board counts them."""
    url = f"sqlite:{tmp_path / 's.db'}"
    produce(url, source="synth:Sine", drifts=("abrupt@600",), limit=1200)
    played = play(Task(Config(model="naive-bayes", policy="auto"), of_stream(url), 100))
    rows = [Row(Entry("naive-bayes", "auto"), {1: played})]
    board = Board(data="d", rows=rows, seeds=[1], window=100, seconds=1.0)

    alarms = played.actions["arm-drift"]

    assert (played.drifts, alarms > 0) == (0, True)
    assert beside(board) == [
        "naive-bayes, auto: drifts are alarms at what it served; its arms had "
        f"{alarms} of their own"
    ]
    assert f"its arms had {alarms} of their own" in page(board)
