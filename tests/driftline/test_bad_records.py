import csv
import io
import json
import logging
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from driftline.console import set_up_logging
from driftline.view import _event
from monitor.sentences import LONGEST, sentence
from monitor.tally import Noted
from stream.sqlite import SqliteLog
from tests.corpus import bad_for
from tests.learner.test_corpus import strewn

ROOT = Path(__file__).parent.parent.parent
ORDERS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""What a terminal obeys, or what ends a line other than the end of one."""
NO_JSON = ("empty", "not_utf8", "not_json", "truncated", "trailing_data", "malformed_json")
NASTY = "odd\x1b[2J\x1b]0;owned\x07\r\n2026 [info] forged \u202e\x9b31m"


def write(path, values):
    """Write records to a log on disk as a stranger would."""
    log = SqliteLog(path)
    log.create("local.samples", partitions=1)
    writer = log.writer("stranger")
    for value in values:
        writer.append("local.samples", value, partition=0)
    writer.commit()
    log.close()


def driftline(*words, cwd):
    """Run the real command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "driftline", *words],
        cwd=cwd,
        capture_output=True,
        timeout=100,
        env={"PYTHONPATH": str(ROOT), "PATH": "", "PYTHONUTF8": "1"},
    )


def test_a_stream_of_bad_records_is_learned_from_end_to_end(tmp_path):
    """It ends well, counts each, says the first of its kind in a line, and shows no orders."""
    _, mixed, bad = strewn("logistic")
    nasty = {"id": NASTY, "x": {"a": 0.1, NASTY: 1}, "y": 1}
    write(tmp_path / "s.db", [*mixed, json.dumps(nasty).encode()])

    ran = driftline(
        *("learn", "--stream", "sqlite:s.db", "--model", "logistic", "--until-end", "--json"),
        cwd=tmp_path,
    )

    assert ran.returncode == 0, ran.stderr
    summary = json.loads(ran.stdout.splitlines()[-1])
    assert summary["dead"] == len(bad)
    assert summary["dead_by_reason"] == Counter(reason for _, reason in bad)
    said = ran.stderr.decode()
    first = re.findall(r"first dead letter of its kind: reason=(\w+)", said)
    assert Counter(first) == Counter({reason: 1 for _, reason in bad})
    assert len(said.splitlines()) < len(first) + 40
    assert max(map(len, said.splitlines())) < 600
    assert not ORDERS.search(said)

    out = driftline("outcomes", "--stream", "sqlite:s.db", cwd=tmp_path).stdout.decode()
    assert not ORDERS.search(out)
    rows = [*csv.DictReader(io.StringIO(out))]
    assert len(rows) == len(out.splitlines()) - 1
    assert rows[-1]["id"] == NASTY.encode("unicode_escape").decode()
    lines = driftline("outcomes", "--stream", "sqlite:s.db", "--format", "jsonl", cwd=tmp_path)
    assert not ORDERS.search(lines.stdout.decode())
    assert json.loads(lines.stdout.splitlines()[-1])["id"] == NASTY


def test_a_stream_of_nothing_but_bad_records_is_a_failure(tmp_path):
    """It ends in good order, and a person is told what to do."""
    write(
        tmp_path / "s.db", [value for value, reason in bad_for("logistic") if reason in NO_JSON]
    )

    ran = driftline("learn", "--stream", "sqlite:s.db", "--until-end", cwd=tmp_path)

    assert ran.returncode == 1, ran.stderr
    assert b"dead letters for 0 samples, most for " in ran.stderr
    assert b"; mend what writes them; 'driftline dead' shows them" in ran.stderr
    assert not ORDERS.search(ran.stderr.decode())


@pytest.mark.parametrize(
    ("value", "words", "said"),
    [
        (b'{"id": 1, "x": {"s": "a"}, "y": 1.5}', ["linear"], "sgd-regressor and passive-"),
        (b'{"id": 1, "x": {"a": 1}, "y": "a"}', ["linear"], "the model is for regression"),
        (b'{"id": 1, "y": 1}', ["logistic"], "see --max-pending and --pending-seconds"),
        (b'{"a": 1}', ["logistic"], "does [learn.mapping] say where"),
        (b'{"id": 1, "x": {"a": 1}, "y": 2}', ["loda"], "the model is for anomaly"),
        (
            b'{"id": 1, "x": {"a": 1}, "y": "c"}',
            ["gaussian-nb", "--classes", "a,b"],
            "name all --classes, under another --name",
        ),
    ],
)
def test_what_is_advised_goes_by_the_commonest_reason(run, value, words, said):
    """And never names the model that has refused them."""
    write("s.db", [*[value] * 3, b"{"])

    code, _, err = run("learn", "--stream", "sqlite:s.db", "--until-end", "--model", *words)

    last = err.splitlines()[-1]
    assert code in (0, 1)
    assert said in last
    assert words[0] not in last


def test_a_learner_that_the_breaker_stopped_leaves_with_a_sentence_until_it_is_lifted(run):
    """Exit code 1, at the next start as well; with --breaker off it goes through."""
    good = [b'{"id": %d, "x": {"a": %d}, "y": %d}' % (n, n % 7, n % 2) for n in range(50)]
    write("s.db", [*good, *[b"id;a;y"] * 3000, *good])
    learn = ("learn", "--stream", "sqlite:s.db", "--until-end", "--json")
    for _ in range(2):
        code, out, err = run(*learn)
        assert (code, out) == (1, "")
        assert re.search(r"^driftline: \d+ of the last 1000 records of partition 0", err, re.M)
        assert "Traceback" not in err

    code, out, _ = run(*learn, "--breaker", "off")

    assert (code, json.loads(out)["samples"]) == (0, 100)
    assert run(*learn, "--breaker", "2")[0] == 2


def test_what_a_mark_says_gives_a_terminal_no_orders():
    """It is shown in the demo's view, in a line of its own."""
    event = Noted(0, 17, "mark", {"mark": NASTY, "kind": "k" * 9999}, 0)
    assert not ORDERS.search(sentence(event))
    assert len(sentence(event)) <= LONGEST
    assert len(_event(event)) <= 90


@pytest.mark.parametrize("terminal", [False, True])
def test_a_log_line_is_one_line(terminal, capsys, monkeypatch):
    """Whatever a library or a record puts in it."""
    handlers, level = logging.root.handlers[:], logging.root.level
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    try:
        set_up_logging()
        logging.getLogger("driftline.test").warning("said %s", NASTY + "x" * 9999)
    finally:
        logging.root.handlers[:] = handlers
        logging.root.setLevel(level)
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    colours = re.compile("\x1b\\[\\d+m")  # those of the log itself
    assert not ORDERS.search(colours.sub("", said.removesuffix("\n")))
    assert "\\x1b[2J" in said
    assert len(said) < 2200


@pytest.mark.parametrize(
    ("kind", "what"),
    [("outcomes", "message of outcomes"), ("predictions", "answer"), ("dead", "dead letter")],
)
def test_what_a_stranger_has_written_beside_a_learner_is_left_out(run, tmp_path, kind, what):
    """It is told of on stderr, and what the learner has said stands as it would."""
    records = [{"id": n, "x": {"a": n % 3}, "y": n % 2} for n in range(20)]
    values = [json.dumps(each).encode() for each in records]
    write(tmp_path / "s.db", [*values, b'{"id": "q", "x": {"a": 1}}', b"{"])
    learn = ("learn", "--stream", "sqlite:s.db", "--model", "naive-bayes", "--until-end")
    assert run(*learn)[0] == 0
    _, before, _ = run(kind, "--stream", "sqlite:s.db")
    log = SqliteLog(tmp_path / "s.db")
    writer = log.writer("stranger")
    writer.append(f"local.main.{kind}", b'{"last": -1}', headers={"offset": b"x"}, partition=0)
    writer.commit()
    log.close()

    code, out, err = run(kind, "--stream", "sqlite:s.db")

    assert (code, out) == (0, before)
    assert f"local.main.{kind}[0]@1 is no {what}, and left out" in err
    assert "has learned 21 samples" in run("doctor", "--stream", "sqlite:s.db")[1]
    assert run(*learn)[0] == 0
