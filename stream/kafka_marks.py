"""The clock of a broker, by the marks behind transactions, which no reader gets to see."""

from __future__ import annotations

from typing import Any, NamedTuple

from kafka.protocol.consumer import FetchRequest
from kafka.record import MemoryRecords

from stream.kafka_cluster import Cluster
from stream.kafka_growth import places

_NAMED = 12
"""The last version of a fetch that calls topics by their names."""
_MOST = 4 * 2**20
"""Bytes of the end of a partition that are looked into, if a batch is not larger."""


class Mark(NamedTuple):
    """The end of a partition: when its writer wrote, and when the broker marked the commit.

    In seconds of the epoch, the one by the writer's clock and the other by the broker's.
    """

    written: float
    committed: float


def last_mark(cluster: Cluster, topic: str, partition: int, end: int) -> Mark | None:
    """Return the mark at the `end` of a partition, None where there is none."""
    leader = places(cluster, topic)[partition].leader
    if end < 2 or leader < 0:
        return None
    place = FetchRequest.FetchTopic.FetchPartition(
        partition=partition, fetch_offset=end - 2, partition_max_bytes=_MOST
    )
    wanted = [FetchRequest.FetchTopic(topic=topic, partitions=[place])]

    def fetch() -> Any:
        request = FetchRequest(
            max_wait_ms=100, min_bytes=1, max_bytes=_MOST, topics=wanted, max_version=_NAMED
        )
        manager = cluster.admin._manager
        return manager.run(manager.send, request, leader)

    answer = cluster.ask(fetch, f"show the end of {topic!r}")
    written: float | None = None
    for batch in MemoryRecords(answer.responses[0].partitions[0].records or b""):
        if not batch.is_control_batch:
            written = batch.max_timestamp / 1000
        elif written is not None:
            return Mark(written, batch.max_timestamp / 1000)
    return None
