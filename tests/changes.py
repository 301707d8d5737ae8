"""What becomes of topics behind the back of whoever reads them, on each kind of log."""

import time

from stream.errors import TopicMissing
from stream.memory import MemoryLog
from stream.sqlite import SqliteLog


def trim(log, name, partition, before):
    """Remove the records of a partition before an offset, whoever still needs them."""
    if isinstance(log, MemoryLog):
        log.topic(name).drop(partition, before)
    elif isinstance(log, SqliteLog):
        number = log.topic(name).number
        with log.transaction() as db:
            db.execute(f"DELETE FROM log_{number}_{partition} WHERE offset < ?", (before,))
            db.execute(
                "UPDATE ends SET first = ? WHERE topic = ? AND partition = ?",
                (before, number, partition),
            )
    else:
        from kafka.structs import TopicPartition

        log.cluster.admin.delete_records({TopicPartition(name, partition): before})


def remake(log, name, partitions):
    """Delete a topic, and make another of its name."""
    if isinstance(log, SqliteLog):
        topic = log.topic(name)
        with log.transaction() as db:
            db.execute("DELETE FROM topics WHERE topic = ?", (topic.number,))
            db.execute("DELETE FROM ends WHERE topic = ?", (topic.number,))
            for p in range(topic.partitions):
                db.execute(f"DROP TABLE log_{topic.number}_{p}")
    else:
        log.cluster.admin.delete_topics([name])
        _wait_until_gone(log, name)
    log.create(name, partitions=partitions)


def _wait_until_gone(log, name):
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            log.topic(name)
        except TopicMissing:
            return
        time.sleep(0.05)
    raise AssertionError(f"{name} is still there")
