"""Another model is served from a command line on."""

import json

TREE = '[{"name": "tree", "model": "hoeffding-tree"}]'
LEARN = ("learn", "--stream", "sqlite:s.db", "--until-end", "--policy", "none", "--json")


def test_a_promotion_is_obeyed_and_taken_back(run):
    """Outcomes after it are the other model's, until the first champion is promoted."""
    produce = ("produce", "--stream", "sqlite:s.db", "--source", "river:Phishing")
    assert run(*produce, "--limit", "100")[0] == 0
    assert run(*LEARN, "--challengers", TREE)[0] == 0
    code, out, _ = run("promote", "tree", "--stream", "sqlite:s.db", "--json")
    assert (code, json.loads(out)) == (0, {"arm": "tree", "learner": "main", "partitions": 1})
    assert run(*produce, "--limit", "150")[0] == 0
    assert run("promote", "main", "--stream", "sqlite:s.db")[0] == 0
    assert run(*produce, "--limit", "200")[0] == 0
    code, out, _ = run(*LEARN, "--challengers", TREE)

    assert code == 0
    summary = json.loads(out.splitlines()[-1])
    assert set(summary["arms"]) == {"main", "tree"}
    assert summary["dead"] == 0
    _, out, _ = run("outcomes", "--stream", "sqlite:s.db", "--format", "jsonl")
    arms = [json.loads(line)["arm"] for line in out.splitlines()]
    assert arms == ["main"] * 100 + ["tree"] * 50 + ["main"] * 50


def test_nobody_is_promoted_where_nobody_is(run):
    """One sentence, and the code of a wrong use."""
    assert run("produce", "--stream", "sqlite:s.db", "--source", "river:Phishing")[0] == 0
    assert run(*LEARN)[0] == 0

    code, _, err = run("promote", "tree", "--stream", "sqlite:s.db")

    assert code == 2
    assert "has one model alone, so there is no arm 'tree'" in err
    assert len(err.strip().splitlines()) == 1


def test_challengers_of_a_settings_file_are_those_of_the_flag(run, tmp_path):
    """A list of tables, and a rule that is one."""
    (tmp_path / "driftline.toml").write_text(
        "[learn]\npolicy = 'none'\npromotion = {window = 50}\n"
        "[[learn.challengers]]\nname = 'tree'\nmodel = 'hoeffding-tree'\n"
    )
    flags = ("--challengers", TREE, "--promotion", '{"window": 50}', "--policy", "none")
    _, out, _ = run("config", "show", "learn", "--resolved", "--json")
    (tmp_path / "driftline.toml").unlink()

    assert "hoeffding-tree" in out
    assert run("produce", "--stream", "sqlite:s.db", "--source", "river:Phishing")[0] == 0
    code, out, err = run("learn", "--stream", "sqlite:s.db", "--until-end", "--json", *flags)
    assert code == 0, err
    assert set(json.loads(out.splitlines()[-1])["arms"]) == {"main", "tree"}


def test_challengers_that_are_none_are_refused(run):
    """In one sentence, before anything is read."""
    code, _, err = run("learn", "--stream", "sqlite:s.db", "--challengers", "[3]")

    assert code == 2
    assert "challengers must be a list of tables" in err
