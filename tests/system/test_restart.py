"""A restart with a large model: from the start of the process to the first new outcome."""

import shutil
import time

from learner.config import Config
from learner.loop import learn
from learner.run import Run
from stream.records import Record, decode_outcomes, encode
from stream.sqlite import SqliteLog
from tests.system.lives import eventually

NAMES, EACH = 160_000, 20
"""Names of features that the model has met, and features of a sample: 10 MB of weights."""
LARGE = 10_000_000
CONFIG = Config(model="logistic", policy="none")


def sample(i):
    """Return a sample whose features no other of the first 8,000 has."""
    x = {f"feature-{(i * EACH + k) % NAMES}": (i + k) % 13 / 13 for k in range(EACH)}
    return encode(Record(id=i, x=x, y=i % 2))


def write(log, start, stop):
    """Write samples to the log."""
    writer = log.writer("source")
    for i in range(start, stop):
        writer.append("local.samples", sample(i), partition=0)
    writer.commit()


def last(log):
    """Return the newest outcomes."""
    return decode_outcomes(log.topic("local.main.outcomes").newest(0).value)


def test_a_model_of_ten_megabytes_comes_back_as_it_was(nursery, tmp_path, report):
    """The first new outcome is what a learner says that was never ended."""
    path, state, known = tmp_path / "s.db", tmp_path / "state", NAMES // EACH
    log = SqliteLog(path)
    log.create("local.samples", partitions=1)
    write(log, 0, known)
    learn(log, CONFIG, Run(state=state, until_end=True))
    newest = max(state.glob("local/main/p0/[0-9]*"))
    assert newest.stat().st_size > LARGE
    log.close()
    shutil.copytree(state, tmp_path / "other")
    shutil.copy(path, tmp_path / "other.db")

    log = SqliteLog(path)
    write(log, known, known + 1)
    began = time.monotonic()
    where = ("--stream", f"sqlite:{path}", "--state", state)
    life = nursery.start("learn", "--policy", "none", *where, cwd=tmp_path)
    eventually(lambda: last(log).last == known)
    report(seconds=round(time.monotonic() - began, 2), megabytes=newest.stat().st_size // 10**6)
    assert life.end() == -9

    oracle = SqliteLog(tmp_path / "other.db")
    write(oracle, known, known + 1)
    learn(oracle, CONFIG, Run(state=tmp_path / "other", until_end=True))
    assert last(log).rows == last(oracle).rows
    assert last(log).totals == last(oracle).totals
    log.close()
    oracle.close()
