import json
import sys

import pytest

from tests.battery import ROWS, Row
from tools import battery

FEW = {"KILLS": 3}
TESTS = """
import time
from tests.counts import note, number


def test_counts():
    note("test_counts", kills=number("KILLS", 30), share=0.5, name="left out")


def test_fails():
    note("test_fails", kills=1)
    assert False


def test_lasts():
    time.sleep(60)
"""


@pytest.fixture
def row(tmp_path, monkeypatch):
    """Give a function that makes a row of one of the tests above."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # half of pytest's start
    path = tmp_path / "test_made.py"
    path.write_text(TESTS)

    def row(test, **reached):
        where = ("-c", str(path.with_name("none.ini")), "--rootdir", str(tmp_path))
        (tmp_path / "none.ini").write_text("[pytest]\n")
        return Row(test, "for a test", (*where, f"{path}::{test}"), FEW, reached)

    return row


@pytest.mark.parametrize(
    ("test", "reached", "verdict"),
    [
        ("test_counts", {"kills": 3}, "passed"),
        ("test_counts", {"kills": 4}, "too few"),
        ("test_counts", {"flips": 1}, "too few"),
        ("test_fails", {"kills": 1}, "failed"),
    ],
)
def test_a_row_passes_only_with_what_its_tests_have_counted(
    row, tmp_path, test, reached, verdict
):
    """A test that fails and one that counts too little are told apart; both are kept."""
    result = battery.run(row(test, **reached), tmp_path / "kept")

    assert result.verdict == verdict
    assert battery.results(tmp_path / "kept") == {test: [result]}
    assert result.counts["kills"] == (3 if test == "test_counts" else 1)
    assert "name" not in result.counts


def test_a_row_that_lasts_too_long_is_ended(row, tmp_path, monkeypatch):
    """It says so, and leaves no process behind that runs on."""
    monkeypatch.setattr(battery, "LIMIT", 1.5)

    result = battery.run(row("test_lasts", passed=1), tmp_path)

    assert result.verdict == "too long"
    assert result.seconds < 30


def test_what_has_passed_on_a_commit_is_not_run_again(tmp_path, monkeypatch, capsys):
    """Unless asked to, or files have changed, or the commit is another one."""
    rows = [Row("quick", "for a test", (), FEW, {"kills": 3})]
    runs = []

    def ran(row, counts, log):
        counts.write_text('{"test": "t", "kills": 3}\n')
        return 0

    monkeypatch.setattr(battery, "_pytest", ran)
    for commit, again in [
        (("a", False), False),
        (("a", False), False),
        (("a", False), True),
        (("b", False), False),
        (("b", True), False),
        (("b", True), False),
        (("b", False), False),
    ]:
        monkeypatch.setattr(battery, "code", lambda commit=commit: commit)
        assert battery.battery(rows, tmp_path, again=again)
        runs.append(len(battery.results(tmp_path)["quick"]))

    assert runs == [1, 1, 2, 3, 4, 5, 5]


def test_a_row_that_has_not_passed_is_run_again(row, tmp_path, monkeypatch, capsys):
    """What its tests said last is shown."""
    monkeypatch.setattr(battery, "code", lambda: ("a", False))
    rows = [row("test_fails", kills=1)]

    assert not battery.battery(rows, tmp_path)
    assert not battery.battery(rows, tmp_path)

    assert "assert False" in capsys.readouterr().out
    assert len(battery.results(tmp_path)["test_fails"]) == 2


def test_the_list_shows_what_is_known(tmp_path, monkeypatch, capsys):
    """With the commit of each figure, marked where files had been changed."""
    monkeypatch.setattr(battery, "FOLDER", tmp_path)
    known = {"row": ROWS[0].name, "verdict": "passed", "commit": "c" * 40, "dirty": True}
    more = {"date": "2026-01-02T03:04:05+00:00", "seconds": 61.2, "counts": {"kills": 500}}
    (tmp_path / "results.jsonl").write_text(json.dumps(known | more) + "\n")
    monkeypatch.setattr(sys, "argv", ["battery.py", "--list"])

    with pytest.raises(SystemExit) as end:
        battery.main()

    lines = capsys.readouterr().out.splitlines()
    assert end.value.code == 0
    assert lines[1].split() == [ROWS[0].name, "passed", "61", "cccccccccc+", "kills=500"]
    assert lines[2].split()[:2] == [ROWS[1].name, "-"]
    assert len(lines) == len(ROWS) + 1


def test_every_row_must_reach_something():
    """Names are different, tests are there, and a row whose tests are skipped has failed."""
    assert len({row.name for row in ROWS}) == len(ROWS)
    for row in ROWS:
        assert row.reached, row.name
        assert all(wanted > 0 for wanted in row.reached.values()), row.name
        for path in (word for word in row.tests if word.startswith("tests/")):
            assert (battery.ROOT / path).exists(), path
