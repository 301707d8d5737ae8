"""Places in a learner's life at which it can be made to die, each by its name.

A process dies there by SIGKILL, the moment it has come to the place for the n-th time, and
leaves a line on stderr that says so. Nothing of this is in the program: `plant` puts it into
a process that was started for it.
"""

import os
import stat
from functools import wraps
from pathlib import Path

from learner import places, telling
from learner.checkpoint import Checkpoints
from learner.commits import Commits
from learner.learner import Learner
from learner.places import Places
from tests.system.failpoints_commits import watch_kafka, watch_sqlite
from tests.system.fuse import around, reach, wanted


def plant(place, hit):
    """Let this process die when it comes to a place for the `hit`-th time."""
    wanted[place] = hit
    for watch, watched in WATCHERS.items():
        if place in watched:
            watch()


def _watch_start():
    around(places, "begin", before="joined")
    around(Places, "take", after="loaded")


def _watch_turns():
    around(Learner, "_ask", after="asked")
    around(Learner, "_awaited", after="label came")
    around(Learner, "_bury", after="buried")
    around(Learner, "_act", after="model replaced")
    around(telling, "send", after="appended")
    around(Commits, "start", before="before a commit", after="commit begun beside")


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
    around(Checkpoints, "save", before="before a checkpoint", after="checkpoint saved")
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
            if wanted.get("file half written") == 1:
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
    watch_sqlite: COMMITTING["sqlite"],
    watch_kafka: COMMITTING["kafka"],
}
