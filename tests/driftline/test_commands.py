import contextlib
import csv
import io
import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from driftline import learn, produce
from driftline.commands.demo import _Demo
from driftline.console import Stop
from driftline.options import Learning
from learner.detectors import DETECTORS
from learner.policies.policy import Maker
from learner.policies.table import POLICIES, policy
from producer.replay import Replay
from stream.connect import connect
from stream.errors import SettingError
from stream.memory import MemoryLog
from stream.records import Record, encode

ROOT = Path(__file__).parent.parent.parent


def test_the_last_line_of_learn_has_what_scripts_need(learned):
    """A second run adds nothing, and sums up the same."""
    code, out, _ = learned(
        *("learn", "--stream", "sqlite:s.db", "--policy", "none", "--until-end", "--json")
    )
    summary = json.loads(out.splitlines()[-1])
    assert code == 0
    assert summary["accuracy"] == 0.8928
    assert {
        *("samples", "scored", "accuracy", "drifts", "resets", "dead", "seconds"),
        *("samples_per_second", "cursor"),
    } <= set(summary)


def test_outcomes_are_one_line_each_in_order(learned):
    """As CSV and as JSON lines; accuracy by hand equals the summary's."""
    _, out, _ = learned("outcomes", "--stream", "sqlite:s.db")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert list(rows[0]) == (
        ["offset", "of", "id", "ts", "y", "y_pred", "p_true", "p_pred", "arm", "flag", "events"]
    )
    assert [int(row["id"]) for row in rows] == list(range(1250))
    assert sum(row["y"] == row["y_pred"] for row in rows) / len(rows) == 0.8928
    _, out, _ = learned("outcomes", "--stream", "sqlite:s.db", "--format", "jsonl")
    lines = [json.loads(line) for line in out.splitlines()]
    assert [line["y_pred"] for line in lines] == [row["y_pred"] == "true" for row in rows]
    assert lines[0]["events"][0][1] == "declare"


@pytest.fixture
def asked(run):
    """Give the same function, in a folder with questions answered and records refused."""
    with contextlib.closing(connect("sqlite:s.db")) as log:
        topic = log.create("local.samples", partitions=2)
        writer = log.writer("test")
        for i in range(40):
            record = Record(id=i, x={"a": float(i % 2)}, y=None if i % 4 == 3 else i % 2)
            writer.append(topic.name, encode(record), partition=i % 2)
        for value in (b"\xff{", b'{"x": {"a": [1]}}'):
            writer.append(topic.name, value, partition=1)
        writer.commit()
    assert run("learn", "--stream", "sqlite:s.db", "--until-end")[0] == 0
    return run


def test_predictions_are_one_line_each(asked):
    """Every question's, with where it stands; as CSV and as JSON lines."""
    _, out, _ = asked("predictions", "--stream", "sqlite:s.db")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert list(rows[0]) == ["partition", "offset", "id", "y_pred", "p", "at"]
    assert [int(row["id"]) for row in rows] == list(range(3, 40, 4))
    assert {row["partition"] for row in rows} == {"1"}
    assert [row["at"] for row in rows] == [f"samples[1]@{i}" for i in range(1, 20, 2)]
    _, out, _ = asked("predictions", "--stream", "sqlite:s.db", "--format", "jsonl")
    lines = [json.loads(line) for line in out.splitlines()]
    assert [line["at"] for line in lines] == [row["at"] for row in rows]
    for line, row in zip(lines, rows, strict=True):
        assert line["p"] == (json.loads(row["p"]) if row["p"] else None)


def test_dead_letters_are_one_line_each(asked):
    """With the reason and the record as far as it is text."""
    _, out, _ = asked("dead", "--stream", "sqlite:s.db")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert list(rows[0]) == ["partition", "offset", "reason", "message", "size", "record"]
    assert [(row["offset"], row["reason"], row["size"], row["record"]) for row in rows] == [
        ("20", "not_json", "2", "\\xff{"),
        ("21", "nested", "17", '{"x": {"a": [1]}}'),
    ]
    _, out, _ = asked("dead", "--stream", "sqlite:s.db", "--format", "jsonl")
    assert [json.loads(line)["offset"] for line in out.splitlines()] == [20, 21]


@pytest.mark.parametrize(
    "words",
    [
        ("learn", "--until-end"),
        ("learn", "--until-end", "--workers", "2"),
        ("learn", "--model", "hofd"),
        ("learn", "--policy", "rest"),
        ("produce", "--source", "none.csv"),
        ("produce", "--source", "river:Phishing", "--rate", "0"),
    ],
)
def test_a_command_that_cannot_begin_makes_no_log(run, words):
    """A mistyped path would else be an empty stream, and say so ever after."""
    assert run(*words, "--stream", "sqlite:new.db")[0] == 2
    assert list(Path().iterdir()) == []


def test_a_call_that_cannot_begin_makes_no_log_either(tmp_path):
    """From Python it is the same."""
    stream = f"sqlite:{tmp_path}/new.db"
    for settings in ({"until_end": True}, {"until_end": False, "model": "hofd"}):
        with pytest.raises(SettingError):
            learn(stream, **settings)
    with pytest.raises(SettingError):
        produce(stream, source="none.csv")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["outcomes", "predictions", "dead", "report"])
def test_what_writes_data_to_stdout_takes_no_json_there(asked, command):
    """A line of JSON behind the data would spoil it; set for every command it is no error."""
    code, out, err = asked(command, "--stream", "sqlite:s.db", "--json")
    assert (code, out) == (2, "")
    assert "--json" in err
    Path("driftline.toml").write_text("[common]\njson = true\n")
    assert asked(command, "--stream", "sqlite:s.db")[0] == 0


@pytest.mark.parametrize("kind", ["predictions", "dead"])
def test_what_was_said_twice_is_written_once(asked, kind):
    """As a restart on Kafka says it again."""
    _, before, _ = asked(kind, "--stream", "sqlite:s.db")
    with contextlib.closing(connect("sqlite:s.db")) as log:
        topic, writer = log.topic(f"local.main.{kind}"), log.writer("test")
        for entry in [*topic.scan(1, 0, topic.end()[1])]:
            writer.append(topic.name, entry.value, partition=1, headers=entry.headers)
        writer.commit()
        assert topic.end()[1] > len(before.splitlines()) - 1
    assert asked(kind, "--stream", "sqlite:s.db")[1] == before


def test_checkpoints_are_listed_shown_and_verified(learned, tmp_path):
    """A damaged one is found, with exit code 1."""
    _, out, _ = learned("checkpoints", "list", "--stream", "sqlite:s.db", "--json")
    (found, *_) = json.loads(out)
    assert found["cursor"] == 1251
    _, out, _ = learned("checkpoints", "show", found["path"])
    assert json.loads(out)["learner"] == "main"
    assert json.loads(out)["settings"]["policy"] == "none"
    assert learned("checkpoints", "show", "--stream", "sqlite:s.db")[1] == out
    assert learned("checkpoints", "show", "--stream", "sqlite:none.db")[0] == 1
    assert learned("checkpoints", "verify", "--stream", "sqlite:s.db")[0] == 0
    path = tmp_path / found["path"]
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    code, out, _ = learned("checkpoints", "verify", "--stream", "sqlite:s.db")
    assert (code, out.split()[0]) == (1, "bad")


def test_folders_put_aside_are_no_checkpoints(learned, tmp_path):
    """What --fresh has left is neither listed nor verified."""
    _, out, _ = learned("checkpoints", "list", "--stream", "sqlite:s.db", "--json")
    folder = (tmp_path / json.loads(out)[0]["path"]).parent
    shutil.copytree(folder, folder.with_name(f"{folder.name}.before-17"))
    _, again, _ = learned("checkpoints", "list", "--stream", "sqlite:s.db", "--json")
    assert again == out


def test_monitor_sums_up_what_there_is(learned):
    """The monitor's accuracy is the learner's."""
    _, out, _ = learned("monitor", "--stream", "sqlite:s.db", "--until-end", "--json")
    assert json.loads(out)["learners"]["main"]["accuracy"] == 0.8928


WRONG = [
    (["learn", "--modl", "x"], "did you mean --model?"),
    (["learn", "--model", "logistik"], "did you mean 'logistic'?"),
    (["learn", "--model", "river.linear_model.Nothing"], "cannot be imported"),
    (["learn", "--model", '{"class": "river.tree.HoeffdingTreeClassifier", "x": 1}'], "takes"),
    (["learn", "--model", "{broken"], "is no JSON"),
    (["learn", "--model", "sklearn.svm.SVC"], "no partial_fit"),
    (["learn", "--model", "river.cluster.KMeans"], "neither a classifier nor a regressor"),
    (["learn", "--policy", "rest"], "policy 'rest' is not known"),
    (["learn", "--detector", "adwim"], "did you mean 'adwin'?"),
    (["learn", "--model", "linear", "--detector", "ddm"], "takes only right or wrong"),
    (["learn", "--grain", "0"], "grain must be"),
    (["learn", "--name", "Main Learner"], "learner 'Main Learner' must be"),
    (["learn", "--stream", "redis:x"], "is no address of a stream"),
    (["learn", "--stream", "kafka://host:9092"], "names no stream"),
    (["learn", "--classes", "a"], "classes must be at least two"),
    (["learn", "--classes", '["a", ["b"]]'], "true or false, got ['b']"),
    (["learn", "--stream", "sqlite::memory:"], "write sqlite:PATH, a file"),
    (["outcomes", "--stream", "sqlite:typo.db"], "no embedded log at 'typo.db'"),
    (["monitor", "--stream", "sqlite:typo.db", "--until-end"], "no embedded log at 'typo.db'"),
    (["demo", "--rate", "0", "--port", "0"], "rate must be a number above 0"),
    (["learn", "--turn", "0"], "turn must be"),
    (["learn", "--answer", "some"], "answer must be"),
    (["learn", "--rebuild", "--fresh"], "leave one away"),
    (["produce", "--source", "river:Phising"], "did you mean 'Phishing'?"),
    (["produce", "--source", "missing.csv"], "missing.csv"),
    (["produce", "--source", "river:Phishing", "--type", "zip"], "COLUMN=TYPE"),
    (["produce", "--source", "river:Phishing", "--rate", "-1"], "rate"),
    (["monitor", "--window", "0"], "--window must be"),
]


@pytest.mark.parametrize(("words", "sentence"), WRONG, ids=[" ".join(w[:3]) for w, _ in WRONG])
def test_a_wrong_setting_is_one_sentence_and_exit_code_2(run, words, sentence):
    """It says which, what was found, what to do; there is no traceback."""
    code, _, err = run(*words)
    assert code == 2
    assert "Traceback" not in err
    assert sentence in err
    assert not list(Path().glob("typo*"))


def test_learning_to_the_end_of_nothing_fails_with_a_sentence(run):
    """--until-end cannot wait: exit code 2 without a log, 1 with one that has no topic."""
    code, _, err = run("learn", "--until-end")
    assert code == 2
    assert "no embedded log at 'driftline.db'" in err
    connect("sqlite:driftline.db").close()
    code, _, err = run("learn", "--until-end")
    assert code == 1
    assert "local.samples" in err


def test_flags_go_before_environment_and_that_before_the_file(run, monkeypatch, tmp_path):
    """A model in the file, another in the environment, a third by flag."""
    run("produce", "--stream", "sqlite:s.db", "--source", "river:Phishing", "--limit", "50")
    (tmp_path / "driftline.toml").write_text(
        '[common]\nstream = "sqlite:s.db"\n[learn]\nuntil_end = true\n'
        '[learn.model]\nclass = "river.tree.HoeffdingTreeClassifier"\ngrace_period = 10\n'
    )
    assert run("learn", "--name", "file", "--json")[0] == 0
    monkeypatch.setenv("DRIFTLINE_LEARN_MODEL", "naive-bayes")
    assert run("learn", "--name", "env", "--json")[0] == 0
    assert run("learn", "--name", "flag", "--model", "logistic", "--json")[0] == 0
    configs = []
    for name in ("file", "env", "flag"):
        _, out, _ = run("checkpoints", "list", "--name", name, "--json")
        configs.append(json.loads(out)[-1]["config"])
    assert len(set(configs)) == 3


def test_an_unknown_key_in_the_settings_file_is_refused(run, tmp_path):
    """With the key that was perhaps meant."""
    (tmp_path / "driftline.toml").write_text('[learn]\nmodl = "logistic"\n')
    code, _, err = run("learn")
    assert code == 2
    assert "did you mean 'model'?" in err


def test_a_settings_file_that_is_broken_is_named(run, tmp_path):
    """With the line, and exit code 2."""
    (tmp_path / "driftline.toml").write_text("[learn\n")
    code, _, err = run("models")
    assert code == 2
    assert "driftline.toml' is no TOML" in err


def test_ctrl_c_while_the_command_is_still_imported_leaves_with_130(run, monkeypatch):
    """Without a traceback, however early it comes."""

    class Impatient:
        def find_spec(self, name, path=None, target=None):
            if name == "driftline.app":
                raise KeyboardInterrupt

    monkeypatch.delitem(sys.modules, "driftline.app")
    monkeypatch.setattr(sys, "meta_path", [Impatient(), *sys.meta_path])
    assert run("models") == (130, "", "")


def test_models_prints_construction_and_labels_of_every_preset(run):
    """As text and as JSON."""
    _, out, _ = run("models", "--json")
    models = {row["model"]: row for row in json.loads(out)}
    assert models["logistic"]["construction"] == (
        "river.preprocessing.StandardScaler() | river.linear_model.LogisticRegression()"
    )
    assert "two classes" in models["logistic"]["labels"]
    _, out, _ = run("models")
    assert all(name in out for name in models)


def test_policies_and_detectors_are_listed_with_all_they_take(run):
    """As text and as JSON: each argument there is, and only such."""
    for what, module in (("policy", POLICIES), ("detector", DETECTORS)):
        command = {"policy": "policies", "detector": "detectors"}[what]
        _, out, _ = run(command, "--json")
        rows = {row[what]: row["arguments"] for row in json.loads(out)}
        assert rows.keys() == module.keys()
        _, out, _ = run(command)
        assert all(name in out for row in rows.values() for name in row)
    make = Maker(model="logistic", seed=1, classes=None, scaling=None, grain=None)
    _, out, _ = run("policies", "--json")
    for row in json.loads(out):
        policy({"name": row["policy"], **row["arguments"]}, make)


def test_datasets_lists_names_that_produce_takes(run, tmp_path, monkeypatch):
    """With what is known of each, and whether it must be downloaded, which is only asked."""
    monkeypatch.setenv("RIVER_DATA", str(tmp_path / "river"))
    _, out, _ = run("datasets", "--json")
    found = {each.pop("name"): each for each in json.loads(out)}
    nothing = {"download": None, "brought_by": None}
    assert found["river:Phishing"] == {
        **{"task": "classification", "rows": 1250, "features": 9, "classes": 2},
        **nothing,
    }
    assert found["sklearn:diabetes"] == {
        **{"task": "regression", "rows": 442, "features": 10, "classes": None},
        **nothing,
    }
    assert found["synth:LED"] == {
        **{"task": "classification", "rows": None, "features": 7, "classes": 10},
        **nothing,
    }
    assert found["river:Elec2"]["download"] == 3_091_689
    assert not (tmp_path / "river").exists()
    _, out, err = run("datasets")
    lines = {line.split()[0]: line for line in out.splitlines()}
    assert lines.keys() == found.keys() | {"name"}
    assert lines["river:Elec2"].split()[1:5] == ["classification", "45,312", "8", "2"]
    assert lines["river:Elec2"].endswith("to download, 3.1 MB")
    assert lines["synth:LED"].split()[2] == "endless"
    assert ".parquet" in err


@pytest.mark.parametrize(
    "name", ["a.parquet", "a.arrow", "a.avro", "a.zip", "a.arff", "folder"]
)
def test_a_broken_source_leaves_with_two_and_one_sentence(run, tmp_path, name):
    """Whatever library reads it; the file is named, and no traceback is shown."""
    if name == "folder":
        (tmp_path / name).mkdir()
    else:
        (tmp_path / name).write_bytes(b"\0 what is this? " * 99)
    code, out, err = run("produce", "--source", name, "--stream", "sqlite:s.db")
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1
    assert name in err


def test_dry_run_shows_schema_rows_and_rate_and_writes_nothing(run, tmp_path):
    """No log is made."""
    code, _, err = run("produce", "--source", "sklearn:iris", "--dry-run")
    assert code == 0
    assert "classification of 'target' (0, 1, 2)" in err
    assert "rows a second" in err
    assert list(tmp_path.iterdir()) == []


def test_the_demo_tells_its_story(run):
    """Unpaced: three true drifts, each followed by a reset, far better than the baseline."""
    code, out, _ = run("demo", "--until-end", "--json")
    summary = json.loads(out.splitlines()[-1])
    assert code == 0
    assert (summary["samples"], summary["true_drifts"]) == (60_000, 3)
    assert summary["resets"] >= 3
    assert summary["accuracy"] > 0.94


def test_the_demo_ends_on_a_stream_that_has_its_data_already(run):
    """Twice on one stream, a stream it was given: the second adds nothing, and ends too."""
    words = (
        "demo",
        "--until-end",
        "--json",
        "--limit",
        2000,
        "--stream",
        "sqlite:driftline.db",
    )
    for _ in range(2):
        code, out, _ = run(*words)
        assert code == 0
        assert json.loads(out.splitlines()[-1])["samples"] == 2000
    assert Path("driftline.db").is_file()


@pytest.mark.parametrize(
    ("source", "model"),
    [("river:Phishing", "hoeffding-tree"), ("river:TrumpApproval", "linear")],
)
def test_an_option_of_learning_leaves_the_demo_its_model(run, source, model):
    """One that fits the task, as without the option."""
    sums = []
    for more in ((), ("--model", model)):
        words = ("--seed", 2, "--source", source, "--limit", 300, *more)
        code, out, _ = run("demo", "--until-end", "--json", *words)
        assert code == 0
        sums.append(json.loads(out.splitlines()[-1]))
    keys = ("samples", "accuracy", "mae", "improvements")
    assert [sums[0].get(key) for key in keys] == [sums[1].get(key) for key in keys]


def test_a_limit_of_nothing_is_no_default(run):
    """The demo ends at once."""
    _, out, _ = run("demo", "--until-end", "--json", "--limit", 0)
    assert json.loads(out.splitlines()[-1])["samples"] == 0


@pytest.fixture
def deaf():
    """Put what signals do back: once one was heard, the next ends the process."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("deaf")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_demo_stops_when_all_is_produced_but_not_all_is_learned(number):
    """A signal counts before the end that the producer has left."""
    log, stop = MemoryLog(), Stop()
    replay = Replay(source="river:Phishing", limit=10)
    learning = Learning(model="logistic")
    running = _Demo(
        log, "sqlite:s.db", replay, learning, stop, host="127.0.0.1", port=0, open_page=False
    )
    running._produce()
    assert not running._over()
    with stop.on_signals():
        signal.raise_signal(number)
    assert running._over()


def test_the_two_functions_do_what_the_commands_do(tmp_path):
    """Produce and learn by address, and go on from the checkpoint."""
    stream = f"sqlite:{tmp_path / 's.db'}"
    assert produce(stream, source="river:Phishing", limit=1000).samples == 1000
    assert learn(stream, policy="none").samples == 1000
    assert produce(stream, source="river:Phishing").samples == 250
    assert learn(stream, policy="none").accuracy == 0.8928


@pytest.mark.parametrize(
    ("function", "settings", "sentence"),
    [
        (produce, {"lable": "y"}, "did you mean 'label'?"),
        (produce, {"limit": "5"}, "limit must be a whole number or None, got '5'"),
        (produce, {"drop": "x"}, "drop must be a list"),
        (produce, {"types": {"x": 1}}, "types must be a table"),
        (learn, {"polisy": "none"}, "did you mean 'policy'?"),
        (learn, {"grain": "5"}, "grain must be a whole number or None, got '5'"),
        (learn, {"seed": True}, "seed must be a whole number, got True"),
        (learn, {"classes": "ab"}, "classes must be a list"),
        (learn, {"until_end": 1}, "until_end must be True or False"),
    ],
)
def test_a_wrong_setting_of_a_function_is_one_sentence(tmp_path, function, settings, sentence):
    """A name that is none, and a value of another type, before anything is written."""
    more = {"source": "river:Phishing"} if function is produce else {}
    with pytest.raises(SettingError) as caught:
        function(f"sqlite:{tmp_path / 's.db'}", **more, **settings)
    assert sentence in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_numbers_of_the_right_kind_are_taken(tmp_path):
    """A whole number where any is wanted, a list of classes, a key file as text."""
    stream = f"sqlite:{tmp_path / 's.db'}"
    key = tmp_path / "key"
    key.write_text("0" * 64)
    produce(stream, source="river:Phishing", limit=10, rate=100_000, drop=["https"])
    settings = {"grain_seconds": 5, "classes": [False, True], "key_file": str(key)}
    assert learn(stream, **settings).samples == 10


def test_help_imports_nothing_heavy():
    """No model library, broker client or server is imported to print the help."""
    said = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "driftline", "--help"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    ).stderr
    imported = {line.rpartition("|")[2].strip() for line in said.splitlines()}
    assert not imported & {"river", "sklearn", "numpy", "kafka", "uvicorn", "msgspec"}
