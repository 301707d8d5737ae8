"""Places in a learner's life at which it can be made to die, each by its name.

A process dies there by SIGKILL, the moment it has come to the place for the n-th time, and
leaves a line on stderr that says so. Nothing of this is in the program: `plant` puts it into
a process that was started for it.
"""

import os
import signal
import stat
import threading
from functools import wraps
from pathlib import Path

from kafka import KafkaProducer
from kafka.producer.transaction_manager import TransactionManager

from learner import loop, places
from learner.checkpoint import Checkpoints
from learner.commits import Commits
from learner.learner import Learner
from learner.places import Places
from stream.kafka_writer import KafkaWriter
from stream.sqlite_db import Database
from stream.sqlite_writer import SqliteWriter

FAIR = 0.002
"""Seconds that a broker has to take up what it was asked before the one who asked dies."""
_wanted: dict[str, int] = {}


def plant(place: str, hit: int) -> None:
    """Let this process die when it comes to a place for the `hit`-th time."""
    _wanted[place] = hit
    for watch, watched in WATCHERS.items():
        if place in watched:
            watch()


def reach(place: str) -> None:
    """Note that a place is reached, and die if this was the time to."""
    if place in _wanted:
        _wanted[place] -= 1
        if _wanted[place] == 0:
            os.write(2, f"died at {place}\n".encode())
            os.kill(os.getpid(), signal.SIGKILL)


def _around(owner, name, before=None, after=None):
    """Reach a place before a function is called, or once it has returned."""
    function = getattr(owner, name)

    @wraps(function)
    def watched(*args, **kwargs):
        if before:
            reach(before)
        found = function(*args, **kwargs)
        if after:
            reach(after)
        return found

    setattr(owner, name, watched)


def _watch_start():
    _around(places, "begin", before="joined")
    _around(Places, "take", after="loaded")


def _watch_turns():
    _around(Learner, "_ask", after="asked")
    _around(Learner, "_awaited", after="label came")
    _around(Learner, "_bury", after="buried")
    _around(Learner, "_act", after="model replaced")
    _around(loop, "send", after="appended")
    _around(Commits, "start", before="before a commit", after="commit begun beside")


def _watch_replay():
    """Tell a turn that is learned in silence from one that will be said."""
    said, begin, learn = {}, places.begin, Learner.learn

    @wraps(begin)
    def begun(*args, **kwargs):
        learner, until = begin(*args, **kwargs)
        said[learner.partition] = until
        return learner, until

    @wraps(learn)
    def learned(self, *args, **kwargs):
        until = said[self.partition]
        silent = self.cursor < until
        turn = learn(self, *args, **kwargs)
        if silent:
            reach("replaying" if self.cursor < until else "replayed")
        else:
            reach("learned")
        return turn

    places.begin, Learner.learn = begun, learned


def _watch_checkpoint():
    """Follow a file that is written beside, and renamed, by what is asked of the system."""
    _around(Checkpoints, "save", before="before a checkpoint", after="checkpoint saved")
    open_, fsync, replace, unlink = os.open, os.fsync, os.replace, os.unlink

    @wraps(open_)
    def opened(path, *args, **kwargs):
        descriptor = open_(path, *args, **kwargs)
        if _beside(path):
            reach("file made")
        return descriptor

    @wraps(fsync)
    def synced(descriptor):
        folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        if not folder:
            if _wanted.get("file half written") == 1:
                os.ftruncate(descriptor, os.fstat(descriptor).st_size // 2)
            reach("file half written")
            reach("file written")
        fsync(descriptor)
        reach("folder synced" if folder else "file synced")

    @wraps(replace)
    def renamed(source, *args, **kwargs):
        replace(source, *args, **kwargs)
        if _beside(source):
            reach("file renamed")

    @wraps(unlink)
    def removed(path, *args, **kwargs):
        unlink(path, *args, **kwargs)
        if Path(path).name.isdecimal():
            reach("old checkpoint removed")

    os.open, os.fsync, os.replace, os.unlink = opened, synced, renamed, removed


def _beside(path):
    return str(path).endswith(".tmp")


_STATEMENTS = {
    "BEGIN": ("before BEGIN", "after BEGIN"),
    "SELECT epoch": (None, "epoch checked"),
    "UPDATE ends": (None, "offsets given"),
    "INSERT INTO cursors": (None, "cursors stored"),
    "COMMIT": ("before COMMIT", "after the commit"),
}


class _Watched:
    """A connection that tells of its statements, within the commit of a turn."""

    def __init__(self, db, local):
        self._db, self._local = db, local

    def __getattr__(self, name):
        return getattr(self._db, name)

    def execute(self, text, *values):
        place = next((it for it in _STATEMENTS if text.startswith(it)), None)
        before, after = _STATEMENTS.get(place, (None, None))
        self._reach(before)
        found = self._db.execute(text, *values)
        self._reach(after)
        return found

    def executemany(self, *args):
        found = self._db.executemany(*args)
        self._reach("records stored")
        return found

    def _reach(self, place):
        if place and getattr(self._local, "turn", False):
            reach(place)


def _watch_sqlite():
    local, connection, commit = threading.local(), Database.connection, SqliteWriter.commit

    @wraps(commit)
    def committed(self, cursors=None, **kwargs):
        local.turn = bool(self._waiting and cursors)
        try:
            commit(self, cursors, **kwargs)
        finally:
            local.turn = False

    Database.connection = lambda self: _Watched(connection(self), local)
    SqliteWriter.commit = committed


def _watch_kafka():
    """Tell the transactions of turns, which have records, from those that only move cursors."""
    sent, append = [0, 0], KafkaWriter.append

    @wraps(append)
    def appended(self, *args, **kwargs):
        sent[0] += 1
        append(self, *args, **kwargs)

    def around(owner, name, before=None, after=None, do=lambda: None):
        function = getattr(owner, name)

        @wraps(function)
        def watched(*args, **kwargs):
            if before and sent[0]:
                reach(before)
            found = function(*args, **kwargs)
            if after and sent[0]:
                reach(after)
            do()
            return found

        setattr(owner, name, watched)

    def under_way():
        # The wish to commit is on its way to the broker, or will be, or was and is heard.
        if sent[0] and "commit asked for" in _wanted:
            threading.Timer(FAIR, lambda: reach("commit asked for")).start()

    KafkaWriter.append = appended
    around(KafkaProducer, "begin_transaction", "before a transaction", "transaction begun")
    around(KafkaProducer, "send", after="one record sent")
    around(KafkaProducer, "flush", "all records sent", "records flushed")
    around(KafkaProducer, "send_offsets_to_transaction", after="cursors sent")
    around(TransactionManager, "begin_commit", do=under_way)
    around(
        KafkaProducer,
        "commit_transaction",
        after="after the commit",
        do=lambda: sent.__setitem__(0, 0),
    )


STARTING = ("joined", "loaded")
"""Places of every life, each reached once."""
REPLAYING = ("replaying", "replayed")
"""Places of a life that begins behind what was said."""
TURNING = (
    *("asked", "label came", "buried", "model replaced", "learned"),
    *("appended", "before a commit", "commit begun beside"),
)
"""Places of a turn, from its first record to a commit that has begun."""
SAVING = (
    *("before a checkpoint", "file made", "file half written", "file written"),
    *("file synced", "file renamed", "folder synced", "checkpoint saved"),
    "old checkpoint removed",
)
"""Places of a checkpoint."""
AFTER = "after the commit"
COMMITTING = {
    "sqlite": (
        *("before BEGIN", "after BEGIN", "epoch checked", "offsets given"),
        *("records stored", "cursors stored", "before COMMIT", AFTER),
    ),
    "kafka": (
        *("before a transaction", "transaction begun", "one record sent"),
        *("all records sent", "records flushed", "cursors sent", "commit asked for", AFTER),
    ),
}
"""Places of a commit, by the kind of log."""
WATCHERS = {
    _watch_start: STARTING,
    _watch_replay: (*REPLAYING, "learned"),
    _watch_turns: TURNING,
    _watch_checkpoint: SAVING,
    _watch_sqlite: COMMITTING["sqlite"],
    _watch_kafka: COMMITTING["kafka"],
}
