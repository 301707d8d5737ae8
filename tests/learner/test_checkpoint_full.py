"""A disk that is full, or may not be written: the learner goes on, and says so now and then."""

import contextlib
import errno
import json
import os
import resource
import shutil
import sqlite3
import subprocess

import pytest

from learner import saves
from learner.config import Config
from learner.loop import learn
from learner.run import Run
from stream.errors import TopicFailed
from stream.memory import MemoryLog
from stream.records import Record, decode_outcomes, encode
from stream.sqlite import SqliteLog

CONFIG = Config(model="naive-bayes", policy="none")
SAMPLES = 1000
SMALL = 1 << 22
"""Bytes of the small disk."""


def fill(log):
    """Write samples with many features, so that a model of them is no small thing."""
    log.create(f"{log.stream}.samples", partitions=1)
    writer = log.writer("source")
    for i in range(SAMPLES):
        x = {f"feature-{k}": (i * k % 97) / 97 for k in range(20)}
        writer.append(f"{log.stream}.samples", encode(Record(id=i, x=x, y=i % 3)), partition=0)
        if i % 100 == 99:
            writer.commit()
    return log


def said(log):
    """Return every outcome, by column."""
    topic = log.topic(f"{log.stream}.main.outcomes")
    rows = [decode_outcomes(e.value).rows for e in topic.scan(0, 0, topic.end()[0])]
    return [
        row
        for each in rows
        for row in zip(each.offset, each.y, each.y_pred, each.p_true, strict=True)
    ]


@pytest.fixture(scope="module")
def oracle(tmp_path_factory):
    """Give what an undisturbed learner says."""
    log, state = fill(MemoryLog("s")), tmp_path_factory.mktemp("oracle")
    learn(log, CONFIG, Run(state=state, until_end=True, turn=50))
    return said(log)


@pytest.fixture(autouse=True)
def eager(monkeypatch):
    """Save after every turn, and try again at once what could not be saved."""
    monkeypatch.setattr(saves, "_SHARE", 1e9)
    monkeypatch.setattr(saves, "_AGAIN", 0.0)


class SmallDisk:
    """A folder in which a checkpoint finds no room until `clear`.

    A file system of a megabyte that is full, where this user may mount one. Else a limit on
    the size of files, which the kernel holds as strictly, with another number.
    """

    def __init__(self, folder, *, mount):
        self.folder, self._limit, self.mounted = folder, None, False
        command = ["mount", "-t", "tmpfs", "-o", f"size={SMALL}", "tmpfs", str(folder)]
        if mount and shutil.which("mount"):
            ended = subprocess.run(command, capture_output=True, check=False)
            self.mounted = ended.returncode == 0
        self.errno = errno.ENOSPC if self.mounted else errno.EFBIG

    def state(self):
        """Return the state folder, with its key in it."""
        (self.folder / "state").mkdir()
        (self.folder / "state" / "key").write_text("k" * 64)
        (self.folder / "state" / "key").chmod(0o600)
        return self.folder / "state"

    def fill(self):
        """Leave no room."""
        if self.mounted:
            with contextlib.suppress(OSError), (self.folder / "ballast").open("wb") as file:
                while True:
                    os.write(file.fileno(), bytes(4096))
        else:
            self._limit = resource.getrlimit(resource.RLIMIT_FSIZE)
            resource.setrlimit(resource.RLIMIT_FSIZE, (1000, self._limit[1]))

    def clear(self):
        """Make room again."""
        if self._limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, self._limit)
            self._limit = None
        (self.folder / "ballast").unlink(missing_ok=True)

    def close(self):
        """Let go of it."""
        self.clear()
        if self.mounted:
            subprocess.run(["umount", str(self.folder)], check=True)


@pytest.fixture(params=["mounted", "limited"])
def disk(request, tmp_path):
    """Give a small disk."""
    (tmp_path / "disk").mkdir()
    disk = SmallDisk(tmp_path / "disk", mount=request.param == "mounted")
    yield disk
    disk.close()


def after(turns, then=lambda: None):
    """Return a `stopping` that lets so many looks pass, and does something at the last."""
    left = iter(range(turns))

    def stopping():
        if next(left, None) is not None:
            return False
        then()
        return True

    return stopping


def at_look(number, do):
    """Return a `stopping` that never stops, but does something at one look."""
    looks = iter(range(10**9))

    def stopping():
        if next(looks) == number:
            do()
        return False

    return stopping


def test_with_no_room_it_learns_on_and_saves_when_there_is(disk, caplog, oracle):
    """Nothing is lost; one line says so, one that it is over, and headers count it."""
    state, log = disk.state(), fill(MemoryLog("s"))
    caplog.set_level("INFO")
    disk.fill()
    run = Run(state=state, until_end=True, turn=50)
    learn(log, CONFIG, run, stopping=at_look(12, disk.clear))

    assert said(log) == oracle
    warned = [r.getMessage() for r in caplog.records if "no checkpoint of" in r.getMessage()]
    assert len(warned) == 1
    assert f"[Errno {disk.errno}]" in warned[0]
    assert "checkpoints are written again, after" in caplog.text
    names = sorted(path.name for path in (state / "s" / "main" / "p0").iterdir())
    assert len(names) == 3
    assert names[-1] == f"{SAMPLES:020d}"
    told = [e.headers["resources"] for e in log.topic("s.main.outcomes").scan(0, 0, 10**6)]
    found = [json.loads(each) for each in told]
    failed = [each["checkpoints_failed"] for each in found]
    assert failed == sorted(failed)
    assert failed[0] == 0
    assert failed[-1] > 3
    assert "checkpoint_time" not in found[0]
    assert "checkpoint_time" in found[-1]


def test_killed_with_no_room_it_goes_on_from_the_last_that_was_written(disk, oracle):
    """The old checkpoint is whole, and no half of a new one is in its way."""
    state, log = disk.state(), fill(MemoryLog("s"))
    learn(log, CONFIG, Run(state=state, turn=50), stopping=after(8))
    before = {path.name: path.read_bytes() for path in state.rglob("0*")}
    disk.fill()
    learn(log, CONFIG, Run(state=state, turn=50), stopping=after(8))
    assert {path.name: path.read_bytes() for path in state.rglob("0*")} == before
    assert not [*state.rglob("*.tmp")]
    disk.clear()
    learn(log, CONFIG, Run(state=state, turn=50, until_end=True))
    assert said(log) == oracle


@pytest.mark.parametrize(
    ("place", "error"),
    [
        ("folder", errno.ENOSPC),
        ("folder", errno.EROFS),
        ("store", errno.EIO),
    ],
)
def test_whatever_the_disk_says_is_no_end(tmp_path, monkeypatch, caplog, oracle, error, place):
    """Full, failing or read-only for a while; a warning comes once, not at each turn."""
    state = tmp_path if place == "folder" else f"file://{tmp_path}/s"
    key = tmp_path / "key"
    key.write_text("k" * 64)
    key.chmod(0o600)
    sync, calls = os.fsync, iter(range(10**9))

    def failing(descriptor):
        if next(calls) < 9:
            raise OSError(error, os.strerror(error))
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", failing)
    log = fill(MemoryLog("s"))
    learn(log, CONFIG, Run(state=state, key_file=key, until_end=True, turn=50))
    assert said(log) == oracle
    assert caplog.text.count("no checkpoint of") == 1
    assert os.strerror(error) in caplog.text


def test_a_full_log_commits_nothing_wrong_and_goes_on_with_room(tmp_path, oracle):
    """SQLite's own limit: a turn is stored whole or not at all, and said once."""
    path = tmp_path / "s.db"
    log, ends = fill(SqliteLog(path)), 0
    run = Run(state=tmp_path / "state", turn=50, until_end=True)
    while ends < 3:
        with limited(pages(path) + 4), pytest.raises(TopicFailed, match="full"):
            learn(log, CONFIG, run)
        ends += 1
        committed = log.committed(f"driftline.{log.stream}.main").get(0, 0)
        assert [row[0] for row in said(log)] == list(range(committed))
        assert committed < SAMPLES
    log.close()
    log = SqliteLog(path)
    learn(log, CONFIG, run)
    assert said(log) == oracle
    log.close()


def pages(path):
    """Return how many pages a database has."""
    with contextlib.closing(sqlite3.connect(path)) as db:
        return db.execute("PRAGMA page_count").fetchone()[0]


@contextlib.contextmanager
def limited(most):
    """Let no connection that is opened write more than so many pages."""
    connect = sqlite3.connect

    def opened(*args, **how):
        db = connect(*args, **how)
        db.execute(f"PRAGMA max_page_count={most}")
        return db

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sqlite3, "connect", opened)
        yield
