"""driftline produce, of topics and of standard input."""

import json
import subprocess
from contextlib import closing

import pytest

from driftline import produce
from driftline.settings import field_map
from stream.errors import SettingError
from stream.mapping import FieldMap
from stream.sqlite import SqliteLog
from tests.system.lives import COMMAND, environment, samples

SETTINGS = """
[common]
stream = "sqlite:ours.db"
[produce]
source = "sqlite:orders.db"
labels = "sqlite:payments.db"
until_end = true
[produce.mapping]
id = "['order.id']"
x = ["customer"]
rename = {"customer.age" = "age"}
[produce.labels_mapping]
id = "ref"
y = "paid"
"""


def pipe(folder, text, *words):
    """Give a text to a process of the command line, and return how it ended."""
    command = [*COMMAND, "produce", "--source", "-", *words]
    return subprocess.run(
        command, input=text, capture_output=True, text=True, cwd=folder, env=environment()
    )


@pytest.fixture
def shop(tmp_path):
    """Give a folder with two other streams, of orders and of what was paid for."""
    orders = [{"order.id": f"o-{n}", "customer": {"age": n}} for n in range(20)]
    paid = [{"ref": f"o-{n}", "paid": n > 9, "when": n} for n in range(20)]
    for name, records in (("orders", orders), ("payments", paid)):
        with closing(SqliteLog(tmp_path / f"{name}.db")) as log:
            topic, writer = log.create("local.samples", partitions=1), log.writer("w")
            for record in records:
                writer.append(topic.name, json.dumps(record).encode())
            writer.commit()
    return tmp_path


def test_standard_input_that_is_closed_is_no_end_of_lines(tmp_path):
    """The log would be opened under its number, and read in its place."""
    words = ["produce", "--source", "-", "--stream", "sqlite:s.db"]
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" <&-', "sh", *COMMAND, *words],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment(),
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "standard input is closed; give it lines" in done.stderr
    assert not list(tmp_path.iterdir())


def test_settings_alone_bring_samples_and_labels_together(shop, run):
    """Tables of the settings file are the mappings; a second run adds nothing."""
    (shop / "driftline.toml").write_text(SETTINGS)

    code, out, err = run("produce", "--json")
    again = run("produce", "--json")

    assert code == 0, err
    summary = json.loads(out)
    assert (summary["samples"], summary["labels"], summary["unmatched"]) == (20, 20, 0)
    assert json.loads(again[1])["samples"] == json.loads(again[1])["labels"] == 0
    assert "was copied up to 0@20" in again[2]
    records = [content for _, content in samples("sqlite:ours.db")[0]]
    assert {"id": "o-3", "x": {"age": 3}} in records
    assert {"id": "o-3", "y": False} in records


def test_a_dry_run_shows_a_record_through_the_mapping(shop, run):
    """The newest of each topic, each value with the path it comes from; nothing is made."""
    (shop / "driftline.toml").write_text(SETTINGS.replace('id = "ref"', 'id = "reff"'))

    code, out, err = run("produce", "--dry-run")

    assert (code, out) == (0, "")
    assert [line.split() for line in err.splitlines()] == [
        ["local.samples[0]@19,", "45", "bytes"],
        ["id", "id", '"o-19"', "from", "['order.id']"],
        ["feature", "age", "19", "from", "customer.age"],
        ["local.samples[0]@19,", "41", "bytes"],
        ["would", "be", "left", "out", "(missing_id):", "'reff'", "holds", "no", "id"],
    ]
    assert not (shop / "ours.db").exists()


def test_columns_of_files_are_paths_of_topics(shop, run):
    """Label, id and drop may be said by flags, over the mapping."""
    flags = ("--label", "paid", "--id", "ref", "--drop", "nothing")
    code, _, err = run(
        *("produce", "--stream", "sqlite:o.db", "--source", "sqlite:payments.db", *flags),
        *("--until-end", "--mapping", '{"rename": {"when": "number"}}'),
    )
    assert code == 0, err
    assert samples("sqlite:o.db")[0][2][1] == {"id": "o-2", "x": {"number": 2}, "y": False}


def test_a_pipe_is_read_as_it_comes(tmp_path):
    """JSON with its types, CSV by the looks of its values; what is bad is said and counted."""
    text = '{"a": {"b": 1}, "y": "UP"}\nno\n{"a": {"b": 2}, "y": "DOWN"}\n'
    done = pipe(tmp_path, text, "--label", "y", "--stream", "sqlite:s.db", "--json")
    summary = json.loads(done.stdout)
    assert done.returncode == 0, done.stderr
    assert (summary["samples"], summary["skipped"]) == (2, {"truncated": 1})
    assert "line 2 is left out (truncated)" in done.stderr

    text = "odd.key,zip,y\n1.5,010,UP\n"
    words = ("--label", "y", "--id", "odd.key", "--type", "zip=category", "--format", "csv")
    done = pipe(tmp_path, text, *words, "--stream", "sqlite:s.db", "--json")
    assert done.returncode == 0, done.stderr
    assert [it for _, it in samples(f"sqlite:{tmp_path}/s.db")[0]] == [
        {"id": 0, "x": {"a.b": 1}, "y": "UP"},
        {"id": 2, "x": {"a.b": 2}, "y": "DOWN"},
        {"id": "1.5", "x": {"zip": "010"}, "y": "UP"},
    ]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--source", "sqlite:none.db"), "no embedded log at 'none.db'"),
        (("--source", "kafka://localhost:9"), "names no topic; write"),
        (("--source", "sqlite:"), "is no address of a topic"),
        (("--source", "sqlite:x.db", "--rate", 5), "rate does not go with 'sqlite:x.db'"),
        (("--source", "-", "--label-delay", "3d"), "label delay does not go with '-'"),
        (("--source", "-", "--labels", "sqlite:x.db"), "labels does not go with '-'"),
        (("--source", "-", "--format", "cvs"), "there is no format 'cvs'; did you mean 'csv'?"),
        (("--source", "-", "--format", "csv", "--mapping", "{}"), "mapping is for JSON"),
        (("--source", "a.csv", "--labels", "sqlite:x.db"), "labels is for topics"),
        (
            ("--source", "a b.jsonl.gz", "--mapping", "{}"),
            "leave it away, or zcat 'a b.jsonl.gz' | driftline produce --source - …",
        ),
        (("--source", "sqlite:x.db", "--mapping", "[1]"), "mapping must be a table"),
        (("--source", "sqlite:x.db", "--mapping", '{"idd": "a"}'), "did you mean 'id'?"),
        (("--source", "sqlite:x.db", "--mapping", '{"x": "a"}'), "x must be a list"),
        (("--source", "sqlite:x.db", "--id", "a..b"), "path 'a..b' of id cannot be followed"),
        (
            ("--source", "sqlite:x.db", "--labels-mapping", '{"id": "a"}'),
            "the paths of id and y",
        ),
        (
            ("--source", "sqlite:x.db", "--labels-mapping", '{"id": "a", "y": "b"}'),
            "labels_mapping is for labels",
        ),
    ],
)
def test_what_cannot_be_meant_leaves_with_two(run, words, sentence):
    """And one sentence."""
    code, out, err = run("produce", "--stream", "sqlite:ours.db", *words)
    assert (code, out) == (2, "")
    assert sentence in err
    assert err.count("\n") == 1


def test_from_python_it_is_the_same(shop):
    """A mapping is a dict there, or what one makes of it."""
    ours = f"sqlite:{shop}/ours.db"
    for mapping in ({"id": "ref", "y": "paid"}, FieldMap(id="id")):
        summary = produce(
            ours, source=f"sqlite:{shop}/payments.db", mapping=mapping, until_end=True
        )
    assert summary.samples == 0
    assert field_map("mapping", mapping) is mapping
    assert samples(ours)[0][3][1]["id"] == "o-3"
    with pytest.raises(SettingError, match="did you mean 'until_end'"):
        produce(ours, source=f"sqlite:{shop}/payments.db", until_ende=True)
