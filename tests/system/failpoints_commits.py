"""Where a learner can be made to die while a log commits what came of a turn."""

import threading
from functools import wraps

from kafka import KafkaProducer
from kafka.producer.transaction_manager import TransactionManager

from stream.kafka_writer import KafkaWriter
from stream.sqlite_db import Database
from stream.sqlite_writer import SqliteWriter
from tests.system.fuse import reach, wanted

FAIR = 0.002
"""Seconds that a broker has to take up what it was asked before the one who asked dies."""
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


def watch_sqlite():
    """Tell the commits of turns from those that only move cursors."""
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


def watch_kafka():
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
        if sent[0] and "commit asked for" in wanted:
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
