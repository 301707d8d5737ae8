"""Whatever is wrong with a setting or a file: one line that says so, and an exit code."""

import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from stream.sqlite import SqliteLog

ROOT = Path(__file__).parent.parent.parent
LEARN = ("learn", "--stream", "sqlite:s.db", "--until-end")
PRODUCE = ("produce", "--stream", "sqlite:new.db", "--source")


@dataclass
class Case:
    """A command, what is wrong, and what has to be said of it."""

    name: str
    words: tuple[str, ...]
    says: str
    given: Callable[[], object] = lambda: None
    toml: bytes | None = None
    variables: dict[str, str] = field(default_factory=dict)
    code: int = 2


def toml(name: str, text: str | bytes, says: str, words: tuple[str, ...] = LEARN) -> Case:
    """Return the case of a settings file."""
    return Case(name, words, says, toml=text.encode() if isinstance(text, str) else text)


def flags(words: str, says: str, command: tuple[str, ...] = LEARN) -> Case:
    """Return the case of flags after a command that is fine."""
    return Case(words, (*command, *words.split()), says)


def address(url: str, says: str) -> Case:
    """Return the case of an address."""
    return Case(f"stream {url}", ("learn", "--until-end", "--stream", url), says)


def checkpoints() -> list[Path]:
    """Return the checkpoints of the stream that was learned."""
    return sorted(Path("s.db.state/local/main/p0").iterdir())


def cut() -> None:
    """Break every checkpoint off in the middle."""
    for path in checkpoints():
        path.write_bytes(path.read_bytes()[:300])


def of_another_stream() -> None:
    """Put a learner's folder where another stream's has to be: same names, another topic."""
    shutil.move("s.db.state", "old.state")
    again("s2.db")
    shutil.rmtree("s2.db.state")
    shutil.move("old.state", "s2.db.state")


def again(path: str) -> None:
    """Learn a second stream, in another process."""
    for words in (("produce", "--source", "river:Phishing", "--limit", "20"), LEARN[:1]):
        more = ("--until-end",) if words[0] == "learn" else ()
        subprocess.run(
            [sys.executable, "-m", "driftline", *words, "--stream", f"sqlite:{path}", *more],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            check=True,
            capture_output=True,
            timeout=60,
        )


def foreign() -> None:
    """Make a database of another program."""
    db = sqlite3.connect("other.db")
    db.execute("CREATE TABLE t (x)")
    db.commit()
    db.close()


def damage(path: str, start: int) -> None:
    """Overwrite a file from a place on."""
    text = bytearray(Path(path).read_bytes())
    text[start:] = b"\x55" * (len(text) - start)
    Path(path).write_bytes(text)


def private(path: Path, text: str) -> None:
    """Write a file that nobody else may read."""
    path.touch(mode=0o600)
    path.write_text(text)


CASES = [
    # The settings file.
    toml("table", "[lern]\nturn = 5", "has no table 'lern'; did you mean 'learn'?"),
    toml("key", "[learn]\nmodl = 'x'", "has no setting 'modl'; did you mean 'model'?"),
    toml("common key", "[common]\nstrem = 'x'", "did you mean 'stream'?"),
    toml("part", "[checkpoints.lst]\nname = 'x'", "did you mean 'list'?"),
    toml("another's key", "[health]\ntimout = 1", "did you mean 'timeout'?"),
    toml("type", "[learn]\nturn = 'x'", "turn in [learn] of"),
    toml("truth for a number", "[learn]\nseed = true", "must be a whole number, got True"),
    toml("number for a text", "[common]\nstream = 3", "stream in [common] of"),
    toml("list of numbers", "[monitor]\nname = [1]", "must be a list (each a text), got [1]"),
    toml("choice", "[outcomes]\nformat = 'xml'", "must be csv or jsonl, got 'xml'"),
    toml("no table", "learn = 3", "must be a table, got 3"),
    toml("kafka", "kafka = 3", "kafka in"),
    toml("syntax", "[common]\n[learn\n", "(at line 2, column 7)"),
    toml("twice", "[learn]\nturn = 1\nturn = 2\n\n", "is no TOML: Cannot overwrite a value"),
    toml("encoding", "[learn]\nturn = 1".encode("utf-16"), "is no TOML: 'utf-8' codec"),
    toml("model", "[learn]\nmodel = {class = 'river.tree.Nope'}", "cannot be imported"),
    toml("policy", "[learn]\npolicy = {name = 'replay', ratio = 0}", "policy 'replay' must"),
    Case("a folder", LEARN, "cannot be read", given=lambda: Path("driftline.toml").mkdir()),
    # The environment.
    Case("variable", LEARN, "DRIFTLINE_LEARN_TURN must be a whole number, got 'abc'",
         variables={"DRIFTLINE_LEARN_TURN": "abc"}),
    Case("service", ("monitor",), "set enableServiceLinks to false",
         variables={"DRIFTLINE_MONITOR_PORT": "tcp://10.0.0.1:80"}),
    Case("truth", LEARN, "DRIFTLINE_LEARN_FRESH must be True or False, got 'perhaps'",
         variables={"DRIFTLINE_LEARN_FRESH": "perhaps"}),
    Case("secret", ("learn", "--stream", "kafka://localhost:1/s"), "names 'nope', which cannot",
         variables={"DRIFTLINE_KAFKA_SASL_PLAIN_PASSWORD_FILE": "nope"}),
    Case("kafka setting", ("learn", "--stream", "kafka://localhost:1/s"), "did you mean",
         variables={"DRIFTLINE_KAFKA_SASL_MECHANISMS": "PLAIN"}),
    # The command line.
    Case("command", ("lern",), "there is no command 'lern'; did you mean 'learn'?"),
    Case("part of one", ("checkpoints", "shw"), "did you mean 'show'?"),
    Case("flag", ("learn", "--modl", "x"), "unknown option: --modl; did you mean --model?"),
    Case("word", ("learn", "x"), "has no place for 'x'"),
    Case(
        "source",
        ("produce", "--sorce", "x.csv"),
        "unknown option: --sorce; did you mean --source?",
    ),
    Case("no source", ("produce",), "needs a value for --source"),
    Case("config of what", ("config", "show", "lern"), "did you mean 'learn'?"),
    flags("--seed", "needs a value for --seed"),
    flags("--grain abc", "--grain must be a whole number, got 'abc'"),
    flags("--grain 0", "grain must be a whole number from 1 to 1000000"),
    flags("--grain 99999999999999999999", "grain must be"),
    flags("--grain-seconds inf", "grain_seconds must be above 0"),
    flags("--turn 99999999999999999999", "turn must be a whole number from 1 to 1000000"),
    flags("--seed 99999999999", "seed must be a whole number from 0"),
    flags("--pending-seconds 0", "pending_seconds must be above 0, got 0.0"),
    flags("--max-parameters 0", "max_parameters must be at least 1, got 0"),
    flags("--breaker 0", "breaker must be off, or above 0 and at most 1, got 0.0"),
    flags("--breaker on", "--breaker must be a number or off, got 'on'"),
    flags("--max-pending 0", "max_pending must be at least 1"),
    flags("--model {broken", "is no JSON"),
    flags('--model {"class":3}', "must be a name, a dotted path, a table with 'class'"),
    flags("--model logistik", "did you mean 'logistic'?"),
    flags("--model os.sep", "is not a class"),
    flags("--policy resett", "policy 'resett' is not known"),
    flags("--detector adwim", "did you mean 'adwin'?"),
    flags('--detector {"name":"page-hinkley","threshold":"40"}', "fails with these arguments"),
    flags('--detector {"name":"hddm-a","drift_confidence":0}', "fails with these arguments"),
    flags('--detector {"name":"adwin","clock":0}', "fails with these arguments"),
    flags('--detector {"class":"river.drift.ADWIN","delt":1}', "detector 'river.drift.ADWIN'"),
    flags("--direction up", "direction must be worse or any"),
    flags("--scaling max", "scaling must be one of standard, minmax, none"),
    flags("--answer some", "answer must be asked"),
    flags('--detector {"name":"ddm","cooldown":-1}', "cooldown of a detector must be"),
    flags('--policy {"name":"replay","size":0}', "size of policy 'replay' must be"),
    flags("--policy slower --model naive-bayes", "model 'naive-bayes' has none"),
    flags("--watch-inputs 0", "watch_inputs must be a whole number from 1 to 1000, got 0"),
    flags("--classes a", "classes must be at least two"),
    flags("--classes [1.5,2]", "got 1.5"),
    flags("--classes [1", "is no JSON"),
    flags("--name Main", "learner 'Main' must be 1 to 40 of a-z"),
    flags("--rebuild --fresh", "leave one away"),
    flags("--format xml", 'choose from "csv", "jsonl"', ("outcomes",)),
    flags("--name A", "learner 'A' must be", ("outcomes", "--stream", "sqlite:s.db")),
    flags("--window 0", "--window must be 1 to", ("monitor",)),
    flags("--port 70000", "--port must be a whole number from 0 to 65535", ("monitor",)),
    flags("--host nowhere.invalid", "is no address of this machine", ("monitor",)),
    flags("--source nope", "there is no source 'nope'", ("demo",)),
    # The stream's address.
    address("kafka://", "names no broker"),
    address("kafka:///s", "names no broker"),
    address("kafka://h:1/", "names no stream"),
    address("kafka://h:99999/s", "'h:99999', which is no HOST:PORT"),
    address("kafka://h:x/s", "'h:x', which is no HOST:PORT"),
    address("kafka://[::1/s", "which is no HOST:PORT"),
    address("kafka://me:pw@h:1/s", "no place for a secret"),
    address("kafka://h:1/Orders", "stream 'Orders' must be"),
    address("redis:x", "is no address of a stream"),
    address("s.db", "is no address of a stream"),
    address("sqlite:.", "cannot be used as an embedded log"),
    address("sqlite:nowhere/s.db", "no embedded log at 'nowhere/s.db'"),
    Case("no folder", ("produce", "--source", "river:Phishing", "--stream", "sqlite:no/s.db"),
         "cannot be used as an embedded log"),
    # What is replayed.
    Case("task", (*PRODUCE, "river:Phishing", "--task", "x"), "there is no task 'x'"),
    Case("parts", (*PRODUCE, "river:Phishing", "--partitions", "10001"), "partitions must be"),
    Case("classes", (*PRODUCE, "river:Phishing", "--classes", "a"), "at least two"),
    Case("data set", (*PRODUCE, "river:Phising"), "did you mean 'Phishing'?"),
    Case("parameter", (*PRODUCE, "synth:Agrawal(sed=1)"), "did you mean 'seed'?"),
    Case("no file", (*PRODUCE, "missing.csv"), "'missing.csv' does not exist"),
    # Files of ours that are not as they were.
    Case("damaged", LEARN, "cannot be used as an embedded log",
         given=lambda: damage("s.db", 1000)),
    Case("damaged within", LEARN, "mend", given=lambda: damage("s.db", 8192), code=1),
    Case("another's database", ("learn", "--until-end", "--stream", "sqlite:other.db"),
         "database of another program", given=foreign),
    Case("a text", ("learn", "--until-end", "--stream", "sqlite:t.db"), "not a database",
         given=lambda: Path("t.db").write_text("hello" * 900)),
    Case("no log", ("outcomes", "--stream", "sqlite:none.db"), "no embedded log at 'none.db'"),
    Case("no topic", ("learn", "--until-end", "--stream", "sqlite:empty.db"),
         "run 'driftline produce' to make it", code=1,
         given=lambda: SqliteLog("empty.db").close()),
    Case("no key", (*LEARN, "--key-file", "nope"),
         "make it with 'driftline checkpoints key nope'"),
    Case("key is a folder", (*LEARN, "--key-file", "."), "Is a directory"),
    Case("key too short", (*LEARN, "--key-file", "k"), "a key has at least 32",
         given=lambda: Path("k").write_text("short")),
    Case("another key", (*LEARN, "--key-file", "k"), "give the right one with --key-file",
         given=lambda: private(Path("k"), "0" * 64), code=1),
    Case("state is a file", (*LEARN, "--state", "s.db"), "choose another --state folder"),
    Case("checkpoints of another", (*LEARN[:1], "--stream", "sqlite:s2.db", "--until-end"),
         "use another --state folder", given=of_another_stream, code=1),
    Case("another configuration", (*LEARN, "--policy", "none", "--seed", "3"),
         "a state made with policy 'reset' (now 'none'), detector 'adwin' (now 'none'), "
         "seed 1 (now 3); go on with --rebuild"),
    Case("no checkpoint", ("checkpoints", "show", "s.db"), "is no checkpoint", code=1),
    Case("no key to verify", ("checkpoints", "verify"), "holds no key"),
]  # fmt: skip


@pytest.fixture(scope="module")
def stream(tmp_path_factory):
    """Give a folder with a stream that has been learned."""
    folder = tmp_path_factory.mktemp("learned")
    for words in (PRODUCE[:1], LEARN):
        source = ("--source", "river:Phishing", "--stream", "sqlite:s.db")
        subprocess.run(
            [sys.executable, "-m", "driftline", *words, *(source * (words is not LEARN))],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            check=True,
            capture_output=True,
            timeout=60,
        )
    return folder


def prepare(case: Case, stream: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the working folder what the case is about."""
    shutil.copytree(stream, ".", dirs_exist_ok=True)
    case.given()
    if case.toml is not None:
        Path("driftline.toml").write_bytes(case.toml)
    for name, value in case.variables.items():
        monkeypatch.setenv(name, value)


def one_sentence(err: str, says: str) -> None:
    """Hold that a line says what it must, as a sentence of ours."""
    lines = err.splitlines()
    assert len(lines) == 1, err
    assert lines[0].startswith("driftline: ")
    assert says in lines[0]
    assert not lines[0].endswith(".")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_is_wrong_is_one_sentence(run, stream, monkeypatch, case):
    """One line on stderr, nothing on stdout, the exit code, and all that soon."""
    prepare(case, stream, monkeypatch)
    # The one shows what is computed, however busy the machine; the other what is waited for.
    worked, began = time.process_time(), time.monotonic()
    code, out, err = run(*case.words)
    assert time.process_time() - worked < 10
    assert time.monotonic() - began < 60
    assert (code, out) == (case.code, "")
    one_sentence(err, case.says)


def test_broken_checkpoints_are_replaced_by_a_replay(run, stream):
    """Damage that the stream can make good is no failure: it is said, and made good."""
    shutil.copytree(stream, ".", dirs_exist_ok=True)
    cut()
    code, _, err = run(*LEARN)
    assert code == 0
    assert "replaying 0 to 1251" in err
    assert "Traceback" not in err


OUTSIDE = ("table", "syntax", "variable", "command", "--model logistik", "damaged", "no key")


@pytest.mark.parametrize("case", [c for c in CASES if c.name in OUTSIDE], ids=lambda c: c.name)
def test_a_process_says_it_too(stream, monkeypatch, tmp_path, case):
    """The same from outside, with the same exit code."""
    monkeypatch.chdir(tmp_path)
    prepare(case, stream, monkeypatch)
    ended = subprocess.run(
        [sys.executable, "-m", "driftline", *case.words],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (case.code, "")
    one_sentence(ended.stderr, case.says)


def test_a_port_that_is_taken_is_named(run):
    """With the two ways out."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, _, err = run("monitor", "--stream", "sqlite:s.db", "--port", port)
    assert code == 2
    one_sentence(err, f"cannot listen on 127.0.0.1 port {port} (Address already in use")


def test_an_unknown_variable_is_said_and_nothing_more(run, monkeypatch):
    """Something else may own it, so the command goes on; what Kubernetes sets is no news."""
    monkeypatch.setenv("DRIFTLINE_LERN_TURN", "3")
    monkeypatch.setenv("DRIFTLINE_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("DRIFTLINE_PORT_8000_TCP", "tcp://10.0.0.1:8000")
    monkeypatch.setenv("DRIFTLINE_KAFKA_CLIENT_ID", "x")
    code, out, err = run("models")
    assert (code, "hoeffding-tree" in out) == (0, True)
    one_sentence(err, "DRIFTLINE_LERN_TURN is no setting; did you mean 'DRIFTLINE_LEARN_TURN'?")


def test_an_unknown_variable_is_said_once(run, monkeypatch):
    """Also by a command that looks at the settings of all."""
    monkeypatch.setenv("DRIFTLINE_LEARN_POLISY", "none")
    code, _, err = run("config", "show")
    assert code == 0
    one_sentence(err, "did you mean 'DRIFTLINE_LEARN_POLICY'?")
    assert run("--help")[2] == ""


def test_a_settings_file_with_a_byte_order_mark_is_read(run):
    """As an editor on Windows leaves it."""
    Path("driftline.toml").write_bytes("[learn]\nturn = 0\n".encode("utf-8-sig"))
    code, _, err = run("learn", "--until-end")
    assert code == 2
    one_sentence(err, "turn must be")


def test_an_unknown_setting_matters_to_every_command(run):
    """A mistake in one command's table is said by the next command, whichever it is."""
    Path("driftline.toml").write_text("[produce]\nsorce = 'x'\n")
    code, _, err = run("models")
    assert code == 2
    one_sentence(err, "did you mean 'source'?")
    assert run("learn", "--help")[0] == 0
