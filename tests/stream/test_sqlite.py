"""What only the embedded log has: one file, its retention, and what may happen to it."""

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stream.errors import CursorExpired, SettingError, TopicFailed, TopicTimeout
from stream.sqlite import SqliteLog
from stream.sqlite_file import Health, check
from stream.sqlite_topic import SqliteTopic
from stream.sqlite_writer import SqliteWriter
from stream.topic import Retention

ROOT = Path(__file__).parents[2]
NAME = "local.samples"
VALUE = b"0123456789"

Open = Callable[..., SqliteLog]


@pytest.fixture
def open_log(tmp_path: Path) -> Iterator[Open]:
    """Give a way to open the log of this test, closed at its end."""
    with contextlib.ExitStack() as opened:

        def open_log(path: Path = tmp_path / "log.db", **options: object) -> SqliteLog:
            return opened.enter_context(contextlib.closing(SqliteLog(path, **options)))

        yield open_log


@pytest.fixture(autouse=True)
def _sweep_always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every commit do a round of retention."""
    monkeypatch.setattr("stream.sqlite_writer._SWEEP", -1.0)


def write(writer: SqliteWriter, count: int, partition: int = 0, age: float = 0.0) -> None:
    """Commit values of ten bytes that are `age` seconds old."""
    for _ in range(count):
        writer.append(NAME, VALUE, partition=partition, timestamp=time.time() - age)
    writer.commit()


def offsets_of(topic: SqliteTopic, partition: int = 0) -> list[int]:
    """Return the offsets of all records kept."""
    first, end = topic.first()[partition], topic.end()[partition]
    return [entry.offset for entry in topic.scan(partition, first, end)]


def python(script: str, path: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start a script of ours in a process of its own, its output to be read."""
    return subprocess.Popen(
        [sys.executable, "-c", script, str(path), *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_retention_by_size_keeps_the_newest(open_log: Open) -> None:
    """Each partition keeps as many bytes of values as asked, and not fewer."""
    log = open_log()
    topic = log.create(NAME, partitions=2, retention=Retention(size=50))
    writer = log.writer("a")
    write(writer, 12)
    write(writer, 3, partition=1)
    assert (topic.first(), topic.end()) == ({0: 7, 1: 0}, {0: 12, 1: 3})
    write(writer, 1)
    assert offsets_of(topic) == [8, 9, 10, 11, 12]


def test_retention_by_age_removes_what_is_older(open_log: Open) -> None:
    """Records go when they are too old, all of them if need be; offsets go on."""
    log = open_log()
    topic = log.create(NAME, partitions=1, retention=Retention(seconds=60))
    writer = log.writer("a")
    write(writer, 5, age=100)
    assert (topic.first(), topic.end(), offsets_of(topic)) == ({0: 5}, {0: 5}, [])
    write(writer, 5, age=10)
    assert offsets_of(topic) == [5, 6, 7, 8, 9]
    with pytest.raises(CursorExpired):
        topic.read({0: 4}, limit=1, wait=0)


def test_retention_removes_in_slices_until_it_is_done(
    open_log: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However much there is to remove, one round removes all of it."""
    monkeypatch.setattr("stream.sqlite_writer._SLICE", 7)
    log = open_log()
    topic = log.create(NAME, partitions=1, retention=Retention(size=30))
    write(log.writer("a"), 100)
    assert offsets_of(topic) == [97, 98, 99]


def test_retention_never_goes_past_a_hold(open_log: Open) -> None:
    """What any group may have to read again is kept, until it holds a later place."""
    log = open_log()
    topic = log.create(NAME, partitions=2, retention=Retention(size=20))
    one, two = log.writer("one"), log.writer("two")
    one.commit({0: 9, 1: 0})
    two.commit({0: 9})
    writer = log.writer("a")
    write(writer, 10)
    assert topic.first()[0] == 0, "a group that holds nothing yet may need all"
    for group, place, first in [("one", 6, 0), ("two", 4, 4), ("two", 7, 6), ("one", 10, 7)]:
        log.hold(group, {0: place})
        writer.commit()
        assert topic.first()[0] == first
    assert log.committed("one") == {0: 9, 1: 0}


def test_a_hold_concerns_samples_alone(open_log: Open) -> None:
    """Topics that nobody reads from a cursor are trimmed whatever is held."""
    log = open_log()
    dead = log.create("local.main.dead", partitions=1, retention=Retention(size=20))
    writer = log.writer("a")
    writer.commit({0: 0})
    for _ in range(5):
        writer.append(dead.name, VALUE)
    writer.commit()
    assert dead.first() == {0: 3}


def test_a_commit_stands_though_its_round_of_retention_fails(
    open_log: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Trouble in removing old records is no trouble of the new ones."""
    log = open_log()
    topic = log.create(NAME, partitions=1, retention=Retention(size=20))

    def fail(*_: object) -> bool:
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr("stream.sqlite_writer._drop", fail)
    write(log.writer("a"), 5)
    assert topic.end() == {0: 5}


WRITE = """
import sys
from stream.sqlite import SqliteLog
log = SqliteLog(sys.argv[1], sync="OFF")
log.create("local.samples", partitions=1)
writer = log.writer(sys.argv[2])
for n in range(300):
    writer.append("local.samples", f"{sys.argv[2]} {n}".encode(), row=n)
    writer.commit()
"""
READ = """
import sys
from stream.sqlite import SqliteLog
topic = SqliteLog(sys.argv[1]).create("local.samples", partitions=1)
cursor, values = {0: 0}, []
while len(values) < 600:
    for batch in topic.read(cursor, limit=50, wait=30):
        values += [value for _, value in batch.entries]
        cursor[0] = batch.next
for name in (b"a", b"b"):
    mine = [value for value in values if value.startswith(name)]
    assert mine == [b"%s %d" % (name, n) for n in range(300)]
print("read all")
"""


def test_three_processes_share_one_file(tmp_path: Path, open_log: Open) -> None:
    """Two processes write and one reads, all from the first moment of the file."""
    path = tmp_path / "log.db"
    scripts = [(WRITE, "a"), (WRITE, "b"), (READ, "")]
    processes = [python(script, path, name) for script, name in scripts]
    assert [process.communicate(timeout=60)[0] for process in processes] == [
        "",
        "",
        "read all\n",
    ]
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert open_log().writer("a").rows(NAME) == {0: 299}


COMMIT = """
import itertools, sys
from stream.sqlite import SqliteLog
log = SqliteLog(sys.argv[1])
log.create("local.samples", partitions=2)
writer = log.writer("a")
for n in itertools.count(sum(log.committed("a").values()) // 2 + 1):
    for _ in range(50):
        writer.append("local.samples", b"x" * 2000, partition=0, row=n)
        writer.append("local.samples", b"y" * 2000, partition=1, row=n)
    writer.commit({0: n, 1: n})
    print(n, flush=True)
"""


def test_a_process_killed_in_a_commit_leaves_whole_commits_only(
    tmp_path: Path, open_log: Open
) -> None:
    """After kill -9 records, rows and cursors all are those of the same commits."""
    path = tmp_path / "log.db"
    said = 0
    for lines in (1, 2, 5, 3):
        process = python(COMMIT, path)
        assert process.stdout is not None
        for _ in range(lines):
            said = int(process.stdout.readline())
        os.kill(process.pid, signal.SIGKILL)
        process.communicate(timeout=30)
        log = SqliteLog(path)
        (n, same), writer = log.committed("a").values(), log.writer("a")
        assert n == same >= said, "what was said to be stored is stored"
        assert log.topic(NAME).end() == {0: 50 * n, 1: 50 * n}
        assert writer.rows(NAME) == {0: n, 1: n}
        assert [offsets_of(log.topic(NAME), p) for p in (0, 1)] == [list(range(50 * n))] * 2
        log.close()


def test_the_write_ahead_log_stays_short_while_a_reader_reads(
    tmp_path: Path, open_log: Open
) -> None:
    """A reader that never pauses does not let the file beside the database grow."""
    log = open_log(sync="OFF")
    topic, writer = log.create(NAME, partitions=1), log.writer("a")
    done, cursor = threading.Event(), {0: 0}

    def read() -> None:
        while not done.is_set() or cursor != topic.end():
            for batch in topic.read(cursor, limit=10, wait=0.01):
                cursor[0] = batch.next

    reader = threading.Thread(target=read)
    reader.start()
    longest = 0
    for _ in range(300):
        writer.append(NAME, bytes(100_000))
        writer.commit()
        longest = max(longest, (tmp_path / "log.db-wal").stat().st_size)
    done.set()
    reader.join()
    assert cursor == {0: 300}
    assert longest < 8_000_000


def test_a_full_disk_keeps_nothing_of_a_commit_and_the_log_goes_on(open_log: Open) -> None:
    """When there is no room a commit fails whole, and works once there is."""
    log = open_log()
    topic, writer = log.create(NAME, partitions=2), log.writer("a")
    write(writer, 3)
    (pages,) = log.connection().execute("PRAGMA page_count").fetchone()
    log.connection().execute(f"PRAGMA max_page_count={pages + 5}")
    writer.append(NAME, b"small", partition=0, row=1)
    writer.append(NAME, bytes(10**6), partition=1, row=1)
    with pytest.raises(TopicFailed, match=r"full.*nothing of this commit was kept"):
        writer.commit({0: 3})
    assert topic.end() == {0: 3, 1: 0}
    assert (writer.rows(NAME), log.committed("a")) == ({}, {})
    log.connection().execute("PRAGMA max_page_count=1000000")
    writer.commit({0: 3})
    assert topic.end() == {0: 4, 1: 1}
    assert (writer.rows(NAME), log.committed("a")) == ({0: 1, 1: 1}, {0: 3})


def test_a_locked_file_is_waited_for_no_longer_than_asked(open_log: Open) -> None:
    """A commit behind another that does not end fails in time, and may be tried again."""
    log, other = open_log(), open_log()
    topic, writer = log.create(NAME, partitions=1), log.writer("a")
    writer.append(NAME, b"x")
    with other.transaction():
        begun = time.monotonic()
        with pytest.raises(TopicTimeout, match=r"locked for 0\.1 s"):
            writer.commit(within=0.1)
        assert time.monotonic() - begun < 5
    writer.commit(within=0.1)
    assert topic.end() == {0: 1}


@pytest.mark.parametrize("content", [b"no database at all, just a text\n" * 99, b"\x00" * 5000])
def test_a_file_that_is_no_database_is_refused(
    tmp_path: Path, open_log: Open, content: bytes
) -> None:
    """A wrong path is said to be one, and the file there is left as it was."""
    path = tmp_path / "notes.txt"
    path.write_bytes(content)
    with pytest.raises(SettingError, match=r"notes\.txt.*name another file"):
        open_log(path)
    assert path.read_bytes() == content


def test_a_database_of_another_program_is_refused(tmp_path: Path, open_log: Open) -> None:
    """Somebody else's tables are not mixed with ours."""
    path = tmp_path / "theirs.db"
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE topics (anything)")
    content = path.read_bytes()
    with pytest.raises(SettingError, match="a database of another program"):
        open_log(path)
    assert path.read_bytes() == content


@pytest.mark.parametrize("path", ["missing/log.db", "."])
def test_a_place_where_no_file_can_be_is_refused(
    tmp_path: Path, open_log: Open, path: str
) -> None:
    """A folder that is missing, or in the way, is a matter of settings."""
    with pytest.raises(SettingError, match="name another file"):
        open_log(tmp_path / path)


def test_a_file_that_is_damaged_later_is_our_error_too(tmp_path: Path, open_log: Open) -> None:
    """Reading from a ruined file raises an error of our family."""
    log = open_log()
    topic = log.create(NAME, partitions=1)
    write(log.writer("a"), 1000)
    log.close()
    with (tmp_path / "log.db").open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 100_000)
    with pytest.raises((TopicFailed, SettingError), match=r"log\.db"):
        offsets_of(open_log().topic(topic.name))


def files_of(folder):
    """Return every file there with its bytes."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.mark.parametrize("in_use", [True, False])
def test_who_only_looks_changes_nothing(tmp_path, in_use):
    """Neither the file nor what lies beside it, whether somebody has it open or not."""
    owner = SqliteLog(tmp_path / "s.db")
    topic = owner.create("s.samples", partitions=1)
    writer = owner.writer("w")
    writer.append(topic.name, b"one", partition=0)
    writer.commit({0: 7})
    if not in_use:
        owner.close()
    before = files_of(tmp_path)
    log = SqliteLog(tmp_path / "s.db", read_only=True)
    found = log.topic("s.samples")
    assert [entry.value for entry in found.scan(0, 0, 9)] == [b"one"]
    assert (log.committed("w"), log.groups()) == ({0: 7}, ["w"])
    with pytest.raises(TopicFailed, match="readonly"):
        log.create("s.other", partitions=1)
    log.close()
    assert {k: v for k, v in files_of(tmp_path).items() if "shm" not in k} == {
        k: v for k, v in before.items() if "shm" not in k
    }
    assert files_of(tmp_path).keys() == before.keys()
    owner.close()


def test_who_only_looks_makes_no_log(tmp_path):
    """Neither out of nothing nor out of an empty file."""
    with pytest.raises(SettingError, match="no embedded log at"):
        SqliteLog(tmp_path / "s.db", read_only=True)
    (tmp_path / "s.db").touch()
    with pytest.raises(SettingError, match="another program"):
        SqliteLog(tmp_path / "s.db", read_only=True)
    assert files_of(tmp_path) == {"s.db": b""}


def test_a_check_finds_damage_and_knows_its_limit(tmp_path):
    """A sound file has no flaw, a damaged one has; without time it is not looked at whole."""
    log = SqliteLog(tmp_path / "s.db")
    topic = log.create("s.samples", partitions=1)
    writer = log.writer("w")
    for i in range(5000):
        writer.append(topic.name, b"%09d" % i * 20, partition=0)
    writer.commit()
    log.close()
    assert check(tmp_path / "s.db") == Health((), whole=True)
    assert not check(tmp_path / "s.db", within=0.0).whole
    text = bytearray((tmp_path / "s.db").read_bytes())
    text[16_384:65_536] = b"\x55" * (65_536 - 16_384)
    (tmp_path / "s.db").write_bytes(text)
    assert check(tmp_path / "s.db").flaws
