"""What tests of the command line need: commands run in an empty folder."""

import json
import sys

import pytest

from driftline.__main__ import main
from driftline.doctor.finding import FAILED, WARN
from driftline.doctor.steps import STEPS
from tests.driftline.findings import Findings


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Give a function that runs a command in an empty folder: exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)

    def command(*words):
        monkeypatch.setattr(sys, "argv", ["driftline", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return ended.value.code or 0, said.out, said.err

    return command


@pytest.fixture
def learned(run):
    """Give the same function, in a folder with a stream that has been learned."""
    assert run("produce", "--stream", "sqlite:s.db", "--source", "river:Phishing")[0] == 0
    code, out, _ = run(
        *("learn", "--stream", "sqlite:s.db", "--policy", "none", "--until-end", "--json")
    )
    assert code == 0
    assert json.loads(out.splitlines()[-1])["samples"] == 1250
    return run


@pytest.fixture
def examined(run):
    """Give a function that runs the doctor: its exit code, and its findings by step."""

    def doctor(*words):
        port = ("--port", "0", "--prometheus-port", "0")
        code, out, err = run("doctor", *port, "--json", *words)
        assert "Traceback" not in err
        said = json.loads(out)
        assert code == (1 if said["failed"] else 0)
        titles = [step.title for step in STEPS]
        steps = [f["step"] for f in said["findings"]]
        assert steps == sorted(steps, key=titles.index)
        for finding in said["findings"]:
            # What is not fine says what to do.
            assert bool(finding["advice"]) == (finding["status"] in (WARN, FAILED)), finding
        return code, Findings(said["findings"])

    return doctor
