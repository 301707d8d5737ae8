import json
import os
import random
import shutil
import subprocess
from contextlib import closing

import pytest

from stream.connect import connect
from stream.topic import samples_of
from tests.system.lives import PATIENCE, Told, eventually, samples
from tools.kafka import Broker, BrokerError, tool

pytestmark = pytest.mark.kafka

TREE = ("--model", "hoeffding-tree", "--turn", 100)
ROWS = 3000


@pytest.fixture
def source(tmp_path):
    """Give a file of samples with a time, whose meaning turns round after the half."""
    rng, path = random.Random(12), tmp_path / "source.jsonl"
    with path.open("w") as file:
        for n in range(ROWS):
            a, b = rng.random(), rng.random()
            y = int((a > b) == (n < ROWS // 2))
            file.write(json.dumps({"at": float(n), "a": a, "b": b, "y": y}) + "\n")
    return ("produce", "--source", path, "--label", "y", "--time", "at")


@pytest.fixture
def run(nursery, tmp_path):
    """Give a function that runs a command on a stream, and returns its last line."""

    def run(url, *arguments):
        return nursery.run(*arguments, "--stream", url, "--json", cwd=tmp_path).summary

    return run


def kcat(address, *arguments):
    """Return what kcat says of a broker; skip where there is none, but not on CI."""
    program = shutil.which("kcat")
    if program is None:
        assert "CI" not in os.environ, "kcat is missing; tools/needs.sh installs it"
        pytest.skip("kcat is not installed")
    return output([program, "-b", address, *arguments])


def output(command):
    """Return what a command writes to stdout, once it has ended well."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    return done.stdout


def name_of(url):
    """Return the name of the stream at an address."""
    return url.rpartition("/")[2]


def lags(address, group):
    """Return what `kafka-consumer-groups` shows: (offset, end, lag) by topic and partition."""
    text = output(
        tool("consumer-groups", "--bootstrap-server", address, "--describe", "--group", group)
    )
    rows = [line.split() for line in text.splitlines() if line.startswith(group)]
    return {(row[1], int(row[2])): tuple(map(int, row[3:6])) for row in rows}


def by_number(url, name="main"):
    """Return what a learner has said, with the number of a record in place of its offset.

    On Kafka the end of a transaction takes up an offset too, so numbers are what two logs
    of the same records share.
    """
    with closing(Told(url, name)) as told:
        told.finish()
        topic = told.log.topic(samples_of(told.log.stream))
        first, end = topic.first(), topic.end()
        found = {}
        for p, messages in told.messages.items():
            scanned = topic.scan(p, first[p], end[p])
            number = {entry.offset: n for n, entry in enumerate(scanned)}
            rows = [
                {**row, "offset": number[row["offset"]], "of": number[row["of"]]}
                for message in messages
                for row in _rows(message["rows"])
            ]
            events = [[number[e[0]], *e[1:]] for m in messages for e in m["events"]]
            found[p] = rows, events, messages[-1]["totals"]
        return found


def _rows(columns):
    return [
        dict(zip(columns, values, strict=True))
        for values in zip(*columns.values(), strict=True)
    ]


@pytest.mark.parametrize("partitions", [1, 4])
def test_outcomes_are_those_of_the_embedded_log(
    run, source, kafka_stream, tmp_path, partitions
):
    """The same records in the same partition have the same outcomes, on whatever log."""
    embedded = f"sqlite:{tmp_path / 's.db'}"
    state = ("--state", tmp_path / "state")
    sums = []
    for url in (embedded, kafka_stream):
        run(url, *source, "--partitions", partitions)
        sums.append(run(url, "learn", *TREE, *state, "--until-end"))

    assert samples(kafka_stream, timed=True) == samples(embedded, timed=True)
    found, expected = by_number(kafka_stream), by_number(embedded)
    assert len(found) == partitions
    assert found == expected
    assert sum(len(rows) for rows, _, _ in found.values()) == ROWS
    assert any(event[1] == "reset" for _, events, _ in found.values() for event in events)
    for figure in ("samples", "scored", "accuracy", "drifts", "resets"):
        assert sums[0][figure] == sums[1][figure]


@pytest.fixture(params=[1, 4])
def behind(request, run, source, kafka, kafka_stream, tmp_path):
    """Give a stream with a learner that has caught up, and after that a thousand samples."""
    run(kafka_stream, *source, "--limit", 2000, "--partitions", request.param)
    sums = run(kafka_stream, "learn", *TREE, "--state", tmp_path / "state", "--until-end")
    stream = name_of(kafka_stream)
    caught_up = lags(kafka, f"driftline.{stream}.main")
    run(kafka_stream, *source)
    cursors = {(f"{stream}.samples", int(p)): at for p, at in sums["cursor"].items()}
    return request.param, cursors, caught_up


def test_kafkas_own_tools_show_outcomes_and_lag(behind, kafka, kafka_stream):
    """`kafka-consumer-groups` shows the lag, and Kafka's own consumer reads the outcomes."""
    partitions, cursors, caught_up = behind
    stream = name_of(kafka_stream)
    shown = lags(kafka, f"driftline.{stream}.main")
    with closing(connect(kafka_stream)) as log:
        ends = log.topic(f"{stream}.samples").end()

    assert caught_up == {place: (at, at, 0) for place, at in cursors.items()}
    assert shown == {
        (topic, p): (at, ends[p], ends[p] - at) for (topic, p), at in cursors.items()
    }
    # Besides a thousand records there are the ends of their transactions.
    assert 1000 < sum(lag for _, _, lag in shown.values()) < 1100

    read = output(
        tool(
            "console-consumer",
            *("--bootstrap-server", kafka, "--topic", f"{stream}.main.outcomes"),
            *("--from-beginning", "--timeout-ms", "3000"),
            *("--isolation-level", "read_committed"),
        )
    )
    messages = [json.loads(line) for line in read.splitlines()]
    assert sorted(n for message in messages for n in message["rows"]["id"]) == [*range(2000)]
    assert sum(message["totals"] is not None for message in messages) >= partitions


def test_kcat_shows_topics_and_records(behind, kafka, kafka_stream):
    """With kcat one sees the topics with their partitions, and the records as JSON."""
    partitions, cursors, _ = behind
    stream = name_of(kafka_stream)

    listed = json.loads(kcat(kafka, "-L", "-J"))["topics"]
    committed = ("-C", "-e", "-q", "-X", "isolation.level=read_committed")
    records, messages = (
        [json.loads(line) for line in kcat(kafka, *committed, "-t", topic).splitlines()]
        for topic in (f"{stream}.samples", f"{stream}.main.outcomes")
    )

    known = {it["topic"]: len(it["partitions"]) for it in listed}
    for kind in ("samples", "main.outcomes", "main.predictions", "main.dead"):
        assert known[f"{stream}.{kind}"] == partitions
    assert sorted(it["id"] for it in records if "x" in it) == [*range(ROWS)]
    assert sorted(n for message in messages for n in message["rows"]["id"]) == [*range(2000)]
    for (topic, p), at in cursors.items():
        assert int(kcat(kafka, "-Q", "-t", f"{topic}:{p}:-1").split()[-1]) > at


def test_a_broker_that_is_not_up_yet_is_waited_for(tmp_path, nursery):
    """A learner started first waits for its broker, says so, and then learns."""
    try:
        broker = Broker(brief=True)
        url = f"kafka://{broker.address}/late"
        command = ("learn", "--stream", url, "--json")
        learner = nursery.start(*command, cwd=tmp_path, plants=["impatient"])
        learner.said("waiting for Kafka")
        with broker:
            sine = ("--source", "synth:Sine(seed=7)", "--limit", 500)
            nursery.run("produce", *sine, "--stream", url, cwd=tmp_path)
            with closing(Told(url)) as told:
                eventually(lambda: sum(len(m["rows"]["id"]) for m in said(told)) == 500)
            assert learner.end(15) == 0
    except BrokerError as error:
        if "CI" in os.environ:
            raise
        pytest.skip(str(error))
    assert learner.summary["samples"] == 500


def said(told):
    """Return all messages that a learner has said so far."""
    told.follow(0.05)
    return [message for messages in told.messages.values() for message in messages]
