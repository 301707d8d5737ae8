"""'driftline learn': what it refuses, and who serves by its end."""

import json
from pathlib import Path

import pytest

from driftline import learn, produce
from stream.errors import SettingError, StreamError

TREE = {"name": "tree", "model": "hoeffding-tree"}


@pytest.mark.parametrize("words", [("--from", 5), ("--to", 5), ("--from", 5, "--workers", 2)])
def test_a_past_that_is_not_there_is_not_made(run, words):
    """One sentence, exit code 2, and the folder stays empty."""
    code, out, err = run("learn", "--stream", "sqlite:none.db", *words)
    assert (code, out) == (2, "")
    assert "no embedded log at 'none.db'" in err
    assert [*Path().iterdir()] == []


def test_the_function_makes_no_past_either(tmp_path):
    """But a live learner may be there before its stream."""
    with pytest.raises(StreamError, match="no embedded log"):
        learn(f"sqlite:{tmp_path / 'none.db'}", end="5")
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize(
    "challengers", [{"tree": {"model": "hoeffding-tree"}}, [["tree"]], ["tree"], "tree"]
)
def test_challengers_that_are_no_list_of_tables_are_refused(run, challengers):
    """With one that would be right, on the command line and in Python alike."""
    given = challengers if isinstance(challengers, str) else json.dumps(challengers)
    code, out, err = run("learn", "--stream", "sqlite:s.db", "--challengers", given)
    sentence = 'challengers must be a list of tables, as [{"name": "tree", "model": '
    assert (code, out) == (2, "")
    assert sentence in err
    assert len(err.splitlines()) == 1
    with pytest.raises(SettingError) as refused:
        learn("sqlite:s.db", challengers=challengers)
    assert sentence in str(refused.value)


def test_who_serves_by_the_end_is_in_the_summary(run):
    """One challenger may be given without the list; a single model has nobody to name."""
    stream = "sqlite:s.db"
    produce(stream, source="synth:Sine", limit=300, partitions=2)
    common = ("--stream", stream, "--until-end", "--json")

    def summary(*words):
        code, out, err = run("learn", *common, *words)
        assert code == 0, err
        return json.loads(out.splitlines()[-1])

    assert "serving" not in summary("--name", "one", "--policy", "none")
    assert summary("--name", "auto", "--policy", "auto")["serving"] == dict.fromkeys(
        ("0", "1"), "blend"
    )
    several = ("--name", "several", "--challengers", json.dumps(TREE))
    assert summary(*several)["serving"] == dict.fromkeys(("0", "1"), "main")
    assert run("promote", "tree", "--stream", stream, "--name", "several")[0] == 0
    assert summary(*several)["serving"] == dict.fromkeys(("0", "1"), "tree")
    shared = (*several, "--workers", 2)
    assert summary(*shared)["serving"] == dict.fromkeys(("0", "1"), "tree")
