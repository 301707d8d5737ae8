import json
import re
import tomllib
from pathlib import Path
from typing import Literal, get_origin

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.app import app
from driftline.catalog import catalog, commands
from driftline.config.schema import schema
from driftline.config.shown import shown
from driftline.config.template import template
from driftline.settings import FILE
from driftline.sources import check_file
from stream.errors import SettingError

KNOWN = catalog(app)
NEEDED = {
    ("produce",): ["--source", "x.csv"],
    ("checkpoints", "show"): ["x"],
    ("promote",): ["x"],
}


def bound(words):
    """Return what a command would be called with, the settings file and environment heeded."""
    found = app.parse_args([*words, *NEEDED.get(words, ())])[1]
    found.apply_defaults()
    return found.arguments


@pytest.mark.parametrize("words", KNOWN, ids=" ".join)
def test_the_settings_file_that_init_writes_changes_nothing(run, words):
    """Not even with every line in it set: each stands there at its default."""
    before = bound(words)
    assert run("config", "init")[0] == 0
    assert bound(words) == before
    text = FILE.read_text()
    FILE.write_text(re.sub(r"^#(?=\w)", "", text, flags=re.MULTILINE))
    assert FILE.read_text() != text
    for argument, value in bound(words).items():
        was = before.get(argument)
        # A group of options nobody has set is not even made.
        assert value == (was if was is not None else type(value)()), argument


def test_the_settings_file_that_init_writes_has_every_setting():
    """Each in the table of its command, set or with what it takes; none is made up."""
    text = template(KNOWN)
    table, found = "", set()
    for line in text.splitlines():
        if match := re.fullmatch(r"\[([\w.]+)\]", line):
            table = match[1]
        elif match := re.match(r"#(\w+) = |# (\w+) = <", line):
            found.add((table, match[1] or match[2]))
    wanted = {(".".join(words), each.key) for words in KNOWN for each in KNOWN[words]}
    assert wanted == {(t, key) for t, key in found if t not in ("common", "kafka", "")}
    assert max(map(len, text.splitlines())) <= 96


def test_init_overwrites_nothing(run, tmp_path):
    """What is there stays as it is; a folder that is not there is said."""
    FILE.write_text("[learn]\nturn = 7\n")
    code, out, err = run("config", "init")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert FILE.read_text() == "[learn]\nturn = 7\n"
    assert run("config", "init", "other.toml")[0] == 0
    assert Path("other.toml").read_text() == template(KNOWN)
    assert run("config", "init", "nowhere/other.toml")[0] == 2


def test_show_says_who_set_what(run, monkeypatch):
    """Environment before a command's table, that before [common], that before the default."""
    FILE.write_text(
        '[common]\nstream = "sqlite:c.db"\nname = "c"\n'
        '[learn]\nname = "f"\nturn = 7\n[checkpoints.list]\nstate = "s"\n'
    )
    monkeypatch.setenv("DRIFTLINE_LEARN_TURN", "9")
    rows = {(r.command, r.key): (r.value, r.origin) for r in shown(app)}
    assert rows["learn", "stream"] == ("sqlite:c.db", "driftline.toml [common]")
    assert rows["learn", "name"] == ("f", "driftline.toml [learn]")
    assert rows["learn", "turn"] == (9, "environment DRIFTLINE_LEARN_TURN")
    assert rows["learn", "seed"] == (1, "default")
    assert rows["outcomes", "name"] == ("c", "driftline.toml [common]")
    assert rows["checkpoints list", "state"] == ("s", "driftline.toml [checkpoints.list]")
    code, out, _ = run("config", "show", "learn")
    assert code == 0
    assert re.search(r"turn +9 +environment DRIFTLINE_LEARN_TURN", out)
    assert "seed" in out
    assert "[outcomes]" not in out


def test_what_is_shown_is_what_a_command_gets(run, monkeypatch):
    """Value by value, of every command."""
    FILE.write_text('[common]\nstream = "sqlite:c.db"\n[monitor]\nwindow = [5, 6]\nport = 1\n')
    monkeypatch.setenv("DRIFTLINE_OUTCOMES_FORMAT", "jsonl")
    for words, _ in commands(app):
        if words[0] == "config":
            continue
        got = {}
        for name, value in bound(words).items():
            got |= vars(value) if hasattr(value, "__dataclass_fields__") else {name: value}
        for row in shown(app, words):
            if row.key in got and row.origin != "default":
                assert row.value == got[row.key], (words, row)


def test_no_secret_is_shown(run, monkeypatch, tmp_path):
    """Not one in the environment, in a file it names, in the settings file or an address."""
    (tmp_path / "pw").write_text("hush-4")
    FILE.write_text(
        '[common]\nstream = "kafka://me:hush-1@h:9/s"\nstate = "sftp://me:hush-5@h/s"\n'
        '[kafka]\nsasl_plain_password = "hush-2"\nsasl_plain_username = "me"\n'
    )
    monkeypatch.setenv("DRIFTLINE_KAFKA_SSL_PASSWORD", "hush-3")
    monkeypatch.setenv("DRIFTLINE_KAFKA_SASL_MECHANISM_FILE", str(tmp_path / "pw"))
    for form in ((), ("--json",)):
        code, out, err = run("config", "show", *form)
        assert code == 0
        assert "hush" not in out + err
        assert "sasl_plain_password" in out
        assert "sasl_mechanism" in out
    assert "me" in json.dumps([r.value for r in shown(app, ("kafka",))])


def test_resolved_is_what_the_learner_is(run):
    """The configuration's hash is that of its checkpoints; folders and grain are filled in."""
    FILE.write_text(
        '[common]\nstream = "sqlite:s.db"\n[learn]\nmodel = "perceptron"\nwatch_inputs = 2\n'
        'policy = {name = "refit-window", window = 50}\n'
    )
    run("produce", "--source", "sklearn:iris")
    assert run("learn", "--until-end")[0] == 0
    _, out, _ = run("config", "show", "learn", "--resolved", "--json")
    rows = {row["key"]: row["value"] for row in json.loads(out)}
    assert (rows["state"], rows["detector"], rows["grain"]) == ("s.db.state", "adwin", 256)
    _, out, _ = run("checkpoints", "list", "--json")
    assert {each["config"] for each in json.loads(out)} == {rows["config"]}


def valid(value, rule):
    """Whether a value obeys the part of JSON Schema that ours are written in."""
    kinds = {
        "string": lambda v: isinstance(v, str),
        "integer": lambda v: isinstance(v, int) and not isinstance(v, bool),
        "number": lambda v: isinstance(v, int | float) and not isinstance(v, bool),
        "boolean": lambda v: isinstance(v, bool),
        "array": lambda v: isinstance(v, list),
        "object": lambda v: isinstance(v, dict),
    }
    assert rule.keys() <= {
        *("type", "properties", "additionalProperties", "anyOf", "enum", "items"),
        *("description", "default", "title", "$schema"),
    }
    if "anyOf" in rule:
        return any(valid(value, each) for each in rule["anyOf"])
    if "enum" in rule:
        return value in rule["enum"]
    if not kinds[rule["type"]](value):
        return False
    if isinstance(value, list) and "items" in rule:
        return all(valid(each, rule["items"]) for each in value)
    if isinstance(value, dict) and "properties" in rule:
        own = rule["properties"]
        more = rule.get("additionalProperties", True)
        return all(valid(v, own[k]) if k in own else more for k, v in value.items())
    return True


VALUES = st.one_of(
    st.sampled_from(["csv", "x", "", 1, 0.5, True, {"class": "a.B"}, [], ["x"], [1], [True]])
)
KEYS = sorted({each.key for settings in KNOWN.values() for each in settings} | {"modl"})
TABLES = st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=3)
FILES = st.dictionaries(
    st.sampled_from([*(words[0] for words in KNOWN), "common", "kafka", "lern"]),
    st.one_of(
        TABLES,
        st.dictionaries(st.sampled_from(["list", "show", "lst"]), TABLES, max_size=1),
        st.just(3),
    ),
    max_size=3,
)


@given(FILES)
def test_the_schema_takes_what_the_commands_take(tables):
    """A file is valid by the schema exactly when no command refuses it."""
    try:
        check_file(app, tables, FILE)
        taken = True
    except SettingError:
        taken = False
    assert valid(tables, schema(KNOWN)) == taken


@pytest.mark.parametrize("words", KNOWN, ids=" ".join)
def test_the_schema_knows_every_default_and_every_choice(words):
    """A default obeys its own rule, and what is a choice is one of those."""
    rule = schema(KNOWN)
    for word in words:
        rule = rule["properties"][word]
    for each in KNOWN[words]:
        own = rule["properties"][each.key]
        assert own["description"] == each.help
        assert each.default is None or valid(own["default"], own)
        if get_origin(each.hint) is Literal:
            assert own["enum"]
            assert not valid("no such choice", own)


def test_the_schema_is_written_as_json(run):
    """To stdout, in the dialect it names; the file of init obeys it."""
    code, out, _ = run("config", "schema")
    found = json.loads(out)
    assert (code, found) == (0, json.loads(json.dumps(schema(KNOWN))))
    assert found["$schema"].endswith("2020-12/schema")
    assert valid(tomllib.loads(template(KNOWN)), found)
