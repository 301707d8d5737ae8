import csv
import io
import random
import signal
import subprocess
from contextlib import closing

import pytest

from stream.connect import connect
from stream.topic import group_of, samples_of
from tests.system.lives import (
    COMMAND,
    PATIENCE,
    Told,
    environment,
    eventually,
    faults,
    process,
)

ROWS = 3000
TREE = ("--model", "hoeffding-tree")
HEAVY = {"river", "sklearn", "numpy", "kafka", "uvicorn"}


@pytest.fixture
def source(tmp_path):
    """Give a file of samples whose meaning turns round after two thirds."""
    rng, path = random.Random(11), tmp_path / "source.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["a", "b", "label"])
        for n in range(ROWS):
            a, b = rng.random(), rng.random()
            writer.writerow([a, b, int((a > b) == (n < 2 * ROWS // 3))])
    return ("--source", path, "--label", "label")


@pytest.fixture
def url(tmp_path):
    """Give the address of an embedded log that is not there yet."""
    return f"sqlite:{tmp_path / 's.db'}"


@pytest.fixture
def start(nursery, tmp_path, url):
    """Give a function that starts a command on that log; whoever is left is killed."""
    lives = []

    def start(*arguments, on=url, plants=()):
        life = nursery.start(*arguments, "--stream", on, cwd=tmp_path, plants=plants)
        lives.append(life)
        return life

    yield start
    for life in lives:
        life.end()


@pytest.fixture
def run(start):
    """Give a function that runs a command until it leaves with a code, and returns it."""

    def run(*arguments, code=0, **how):
        life = start(*arguments, **how)
        assert life.wait() == code, life.err
        return life

    return run


@pytest.fixture
def learned(run, source):
    """Produce two thirds of the samples, and let a learner learn them in small turns."""
    run("produce", *source, "--limit", 2 * ROWS // 3)
    return run("learn", *TREE, "--until-end", "--turn", 50, "--json")


@pytest.fixture
def go_on(run, source, url):
    """Give a function that learns the rest, and compares with one that learned it all."""

    def go_on(*how):
        run("produce", *source)
        life = run("learn", *TREE, "--until-end", "--turn", 50, *how)
        run("learn", *TREE, "--until-end", "--name", "oracle")
        with closing(Told(url)) as told, closing(Told(url, "oracle")) as oracle:
            assert faults(told, oracle, exactly_once=True) == []
        return life

    return go_on


def cursor(url):
    """Return the cursor that the learner has committed."""
    with closing(connect(url)) as log:
        return log.committed(group_of(log.stream, "main")).get(0, 0)


def checkpoints(tmp_path):
    """Return the files of the learner's checkpoints, newest last."""
    folder = tmp_path / "s.db.state" / "local" / "main" / "p0"
    return sorted(path for path in folder.iterdir() if path.name.isdecimal())


def table(life):
    """Return what `driftline outcomes` wrote, without the hour of the run."""
    rows = list(csv.DictReader(io.StringIO(life.out)))
    return [{name: row[name] for name in row if name != "ts"} for row in rows]


def sentence(life):
    """Return the one sentence with which a command has refused, without a traceback."""
    (line,) = [line for line in life.err.splitlines() if line.startswith("driftline: ")]
    assert "Traceback" not in life.err
    return line


@pytest.mark.parametrize(
    "order", [["learn", "monitor", "produce"], ["monitor", "learn", "produce"]]
)
def test_three_processes_leave_what_one_leaves(start, run, source, url, tmp_path, order):
    """In whatever order they start, three services say together what one process says."""
    services = {
        "learn": (["learn", *TREE], "waiting for topic local.samples"),
        "monitor": (["monitor", "--port", 0], "waiting for="),
        "produce": (["produce", *source, "--rate", 3000], "classification of 'label'"),
    }
    lives = {}
    for name in order:
        command, sign = services[name]
        lives[name] = start(*command, "--json")
        lives[name].said(sign)
    codes = {"produce": lives["produce"].wait()}
    eventually(lambda: cursor(url) == ROWS + 1)
    codes["learn"] = lives["learn"].end(signal.SIGTERM)
    lives["monitor"].said("caught_up=true")
    codes["monitor"] = lives["monitor"].end(signal.SIGINT)
    one = f"sqlite:{tmp_path / 'one.db'}"
    alone = run("demo", *source, *TREE, "--until-end", "--json", on=one)

    assert codes == {"produce": 0, "learn": 0, "monitor": 130}
    assert lives["produce"].summary["samples"] == ROWS
    sums, other = lives["learn"].summary, alone.summary
    for figure in ("samples", "scored", "accuracy", "drifts", "improvements", "resets"):
        assert sums[figure] == other[figure]
    assert sums["resets"] > 0
    assert table(run("outcomes")) == table(run("outcomes", on=one))
    last = run("monitor", "--until-end", "--json").summary["learners"]["main"]
    assert (last["accuracy"], last["lag"]) == (sums["accuracy"], 0)
    assert lives["monitor"].summary["learners"]["main"]["resets"] == sums["resets"]


def test_real_processes_end_as_asked(tmp_path, url):
    """Started as by a user, a service leaves with 0 on SIGTERM and with 130 on Ctrl-C."""
    sine = ("--source", "synth:Sine(seed=7)", "--rate", 500)
    common = ("--stream", url, "--json")
    with (
        process("learn", *TREE, *common, cwd=tmp_path) as learner,
        process("monitor", "--port", 0, *common, cwd=tmp_path) as monitor,
        process("produce", *sine, *common, cwd=tmp_path) as producer,
    ):
        monitor.said("caught_up=true")
        eventually(lambda: cursor(url) > 200)

        assert producer.end(signal.SIGINT) == 130
        assert learner.end(signal.SIGTERM) == 0
        assert monitor.end(signal.SIGTERM) == 0

        assert producer.summary["stopped"] is True
        assert learner.summary["samples"] > 200
        assert monitor.summary["stream"] == "local"


def test_a_second_learner_of_a_name_fences_the_first(start, source, url):
    """The older of two leaves with 1 and one sentence, the newer goes on without a gap."""
    start("produce", *source, "--rate", 1500)
    older = start("learn", *TREE)
    eventually(lambda: cursor(url) > 100)
    newer = start("learn", *TREE, "--json")

    assert older.wait() == 1
    assert sentence(older) == (
        "driftline: another process now writes as 'driftline.local.main'; end one of the two, "
        "or give it a --name of its own"
    )
    eventually(lambda: cursor(url) == ROWS + 1)
    assert newer.end(signal.SIGTERM) == 0
    assert newer.summary["samples"] == ROWS


def test_another_configuration_is_refused(learned, run, url):
    """It leaves with 2 and names the three ways on, and nothing has been said."""
    refused = run("learn", "--model", "naive-bayes", "--until-end", code=2)

    assert all(way in sentence(refused) for way in ("--rebuild", "--fresh", "--name OTHER"))
    with closing(Told(url)) as told:
        told.finish()
        assert told.said == {0: learned.summary["cursor"]["0"]}


def test_rebuilt_it_goes_on_as_if_it_had_always_been_so(learned, run, source, url):
    """`--rebuild` replays the past in silence, then speaks as one of that configuration."""
    with closing(Told(url)) as told:
        told.finish()
        before = told.messages[0]
    bayes = ("--model", "naive-bayes", "--until-end")

    rebuilt = run("learn", *bayes, "--rebuild", "--json")
    run("produce", *source)
    again = run("learn", *bayes, "--json")
    oracle = run("learn", *bayes, "--name", "oracle", "--json")

    assert rebuilt.summary["samples"] == learned.summary["samples"]
    for figure in ("samples", "accuracy", "drifts", "resets"):
        assert again.summary[figure] == oracle.summary[figure]
    with closing(Told(url)) as told, closing(Told(url, "oracle")) as other:
        told.finish()
        other.finish()
        messages, wanted = told.messages[0], other.messages[0]
    said, here = messages[len(before) :], learned.summary["cursor"]["0"]
    assert messages[: len(before)] == before
    assert said[0]["first"] == here
    assert rows_from(here, said) == rows_from(here, wanted)
    assert said[-1]["totals"] == wanted[-1]["totals"]


def rows_from(start, messages):
    """Return the rows at an offset or later, each with all its columns."""
    rows = [row for m in messages for row in zip(*m["rows"].values(), strict=True)]
    return [row for row in rows if row[0] >= start]


def test_fresh_it_knows_nothing_and_goes_on_from_here(learned, run, source, url):
    """`--fresh` starts a new state where the old one stood, and says nothing twice."""
    fresh = run("learn", "--model", "naive-bayes", "--fresh", "--until-end", "--json")
    run("produce", *source)
    further = run("learn", "--model", "naive-bayes", "--until-end", "--json")

    assert fresh.summary["samples"] == 0
    assert further.summary["samples"] == ROWS - learned.summary["samples"]
    with closing(Told(url)) as told:
        told.finish()
        offsets = [at for message in told.messages[0] for at in message["rows"]["offset"]]
    assert offsets == sorted(set(offsets))
    assert len(offsets) == ROWS


@pytest.mark.parametrize("damage", [b"", b"driftline checkpoint 1\n", None])
def test_a_damaged_checkpoint_is_passed_over(learned, run, go_on, tmp_path, damage):
    """Where the newest one is damaged the one before serves, and it shows nowhere."""
    older, newest = checkpoints(tmp_path)[-2:]
    if damage is None:
        body = bytearray(newest.read_bytes())
        body[len(body) // 2] ^= 1
        damage = bytes(body)
    newest.write_bytes(damage)

    life = go_on()

    assert "going back to the one before" in life.err
    assert f"goes on from checkpoint {int(older.name)}, said {int(newest.name)}" in life.err


def test_without_its_state_it_rebuilds_in_silence(learned, go_on, tmp_path):
    """A state folder that is gone costs a replay, and nothing is said twice."""
    folder = tmp_path / "s.db.state"
    folder.rename(tmp_path / "gone")

    life = go_on()

    end = learned.summary["cursor"]["0"]
    assert f"no checkpoint can be used: replaying 0 to {end} in silence" in life.err


def test_a_wrong_key_is_refused(learned, run, go_on, tmp_path):
    """A checkpoint signed with another key is not believed; the right key is."""
    wrong, right = tmp_path / "wrong", tmp_path / "s.db.state" / "key"
    wrong.write_text("x" * 64)

    refused = run("learn", *TREE, "--until-end", "--key-file", wrong, code=1)

    assert "give the right one with --key-file" in sentence(refused)
    assert "x" * 32 not in refused.err
    assert right.read_text() not in refused.err
    go_on("--key-file", right)


def test_retention_leaves_what_a_restart_needs(start, run, source, url):
    """However little is to be kept, the samples behind the oldest checkpoint are."""
    sweeping = {"plants": ["frequent_retention"]}
    learner = ("learn", *TREE, "--turn", 20)
    run("produce", *source, "--limit", 500, "--retention-bytes", 1000)
    run(*learner, "--until-end")
    producer = start("produce", *source, "--rate", 3000, **sweeping)
    for sixth in range(2, 6):
        life = start(*learner, **sweeping)
        eventually(lambda at=sixth * ROWS / 6: cursor(url) > at)
        assert life.end(signal.SIGKILL) == -9, life.err
    assert producer.wait() == 0
    last = run(*learner, "--until-end", "--json", **sweeping)

    assert last.summary["samples"] == ROWS
    with closing(connect(url)) as log, closing(Told(url)) as told:
        assert log.topic(samples_of(log.stream)).first()[0] > 0
        told.finish()
        ids = [id_ for message in told.messages[0] for id_ in message["rows"]["id"]]
    assert ids == list(range(ROWS))


def test_the_demo_runs_to_its_end(run):
    """With `--until-end` it says on its last line what it learned, and serves nothing."""
    demo = run("demo", "--limit", 2000, "--until-end", "--json")

    assert demo.summary["samples"] == 2000
    assert "Metrics" not in demo.err


def test_the_demo_sums_up_on_ctrl_c(nursery, tmp_path):
    """Interrupted in the middle it leaves with 130 and the sums so far."""
    demo = nursery.start("demo", "--port", 0, "--rate", 2000, "--json", cwd=tmp_path)
    demo.said("scored=512")

    assert demo.end(signal.SIGINT) == 130
    assert 512 <= demo.summary["samples"] < 60_000


def test_help_imports_nothing_heavy(tmp_path):
    """Asked for help, the command line loads none of the libraries behind it."""
    python, *arguments = COMMAND
    done = subprocess.run(
        [python, "-X", "importtime", *arguments, "--help"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    lines = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in lines}

    assert done.returncode == 0
    assert "learn" in done.stdout
    assert "cyclopts" in imported
    assert imported & HEAVY == set()
