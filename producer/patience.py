"""A writer for whom a log that is away is no end.

A commit without an answer is stored as a whole or not at all, and which of the two the
writer's rows tell, once its name has been taken again: that ends whatever was begun under it.
So the records of one commit are kept until they are known to be there.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

from producer.counts import Counts
from stream.errors import TopicTimeout
from stream.topic import Cursor, Log, Writer

_log = logging.getLogger("driftline.producer")


class Patient:
    """A writer of that name that tries until what it was given is stored, or until `stopping`.

    See `stream.topic.Writer`. Each commit must hold a record with a row and a partition.
    """

    def __init__(
        self,
        log: Log,
        name: str,
        *,
        stopping: Callable[[], bool] = lambda: False,
        counts: Counts | None = None,
    ) -> None:
        self._log, self._name, self._stopping = log, name, stopping
        self._counts = counts or Counts(log.stream)
        log.heed(stopping)
        self._writer: Writer = log.writer(name)
        self._records: list[tuple[str, bytes, dict[str, Any]]] = []
        self._rows: dict[tuple[str, int], int] = {}

    def append(
        self,
        topic: str,
        value: bytes,
        *,
        partition: int | None = None,
        key: bytes | None = None,
        headers: Mapping[str, bytes] | None = None,
        row: int | None = None,
        timestamp: float | None = None,
    ) -> None:
        """Add a record to the next commit."""
        how: dict[str, Any] = {
            **{"partition": partition, "key": key, "headers": headers},
            **{"row": row, "timestamp": timestamp},
        }
        self._writer.append(topic, value, **how)
        self._records.append((topic, value, how))
        if partition is not None and row is not None:
            self._rows[topic, partition] = row

    def commit(self, cursors: Cursor | None = None, *, within: float = 30.0) -> None:
        """Store what was appended, in tries of up to `within` seconds each.

        Raises `TopicTimeout` only once `stopping`; whether it is stored is then unknown.
        """
        began = time.monotonic()
        try:
            self._writer.commit(cursors, within=within)
        except TopicTimeout as error:
            self._again(error, within)
        self._counts.committed(time.monotonic() - began)
        self._records.clear()
        self._rows.clear()

    def _again(self, error: TopicTimeout, within: float) -> None:
        """Find out whether a commit was stored, and try it again where it was not."""
        while not self._stopping():
            self._counts.retried()
            _log.warning("%s; finding out, and going on", str(error).partition(": start")[0])
            self._writer.close()
            try:
                self._writer = self._log.writer(self._name)
                missing = self._missing()
                for topic, value, how in missing:
                    self._writer.append(topic, value, **how)
                if missing:
                    self._writer.commit(within=within)
            except TopicTimeout as again:
                error = again
            else:
                return
        raise error

    def _missing(self) -> list[tuple[str, bytes, dict[str, Any]]]:
        """Return what is not there of the records, by the last row in each partition."""
        topics = {topic for topic, _ in self._rows}
        rows = {topic: self._writer.rows(topic) for topic in topics}
        there = {
            (topic, p): rows[topic].get(p, -1) >= row for (topic, p), row in self._rows.items()
        }
        # A record without a row of its own shares the fate of the others.
        return [
            record
            for record in self._records
            if not there.get((record[0], record[2]["partition"]), all(there.values()))
        ]

    def rows(self, topic: str) -> dict[int, int]:
        """Return the last committed row of this name in each partition."""
        return self._writer.rows(topic)

    def close(self) -> None:
        """Let go of the log; what was not committed is dropped."""
        self._writer.close()
