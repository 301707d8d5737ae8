"""Apache Kafka, by way of kafka-python.

How topics are read is in `stream.kafka_topic`, how writers write in `stream.kafka_writer`, how
clients come about and how long a cluster is waited for in `stream.kafka_cluster`.
"""

from __future__ import annotations

import contextlib
import functools
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kafka import KafkaConsumer
from kafka import errors as refusals
from kafka.structs import OffsetAndMetadata, TopicPartition

from stream.errors import TopicMissing, TopicTimeout
from stream.kafka_cluster import Cluster
from stream.kafka_growth import describe, widen
from stream.kafka_seat import KafkaSeat
from stream.kafka_topic import KafkaTopic
from stream.kafka_writer import KafkaWriter
from stream.seats import Alone
from stream.topic import Crew, Cursor, Retention, Seat, Topic, group_of, samples_of


class KafkaLog:
    """The topics of one stream on a Kafka cluster; see `stream.topic.Log`.

    `settings` go to kafka-python by its own names; `replication_factor` is ours, for the
    topics made. Waits for a broker that is not up yet, for up to `within` seconds. Raises
    `SettingError` for settings that kafka-python does not take and for credentials the
    broker does not.
    """

    exactly_once = True

    def __init__(
        self,
        brokers: Sequence[str],
        stream: str,
        settings: Mapping[str, object] | None = None,
        *,
        within: float = float("inf"),
    ) -> None:
        self.stream = stream
        self.cluster = Cluster(brokers, settings or {}, within=within)
        self.cluster.ours = (f"{stream}.", group_of(stream, ""))
        self._members: dict[str, Any] = {}
        self._source = samples_of(stream)
        """The topic whose cursors are shown; somebody else's, where a learner reads one."""

    def create(
        self, name: str, *, partitions: int, retention: Retention | None = None
    ) -> KafkaTopic:
        """Return the topic of that name, making it when it is missing."""
        # Who may not create topics may still use what others have created.
        with contextlib.suppress(TopicMissing):
            return self.topic(name)
        keep, admin = retention or Retention(), self.cluster.admin
        seconds = -1 if keep.seconds is None else round(keep.seconds * 1000)
        packed = self.cluster.settings.get("compression_type")
        wanted = {
            "num_partitions": partitions,
            "replication_factor": self.cluster.settings.get("replication_factor", -1),
            "configs": {
                "cleanup.policy": "delete",
                "retention.ms": str(seconds),
                "retention.bytes": str(-1 if keep.size is None else keep.size),
                # Unpacked by the broker, a batch that is a bomb is too large and refused there.
                "compression.type": "producer" if packed else "uncompressed",
            },
        }

        def make() -> None:
            with contextlib.suppress(refusals.TopicAlreadyExistsError):
                admin.create_topics({name: wanted})
            admin.wait_for_topics([name])

        self.cluster.ask(make, f"make topic {name!r}")
        return self.topic(name)

    def topic(self, name: str) -> KafkaTopic:
        """Return an existing topic, or raise `TopicMissing`."""
        return KafkaTopic(self.cluster, name, *describe(self.cluster, name))

    def widen(self, name: str, partitions: int) -> None:
        """Give an existing topic as many partitions, unless it has more."""
        widen(self.cluster, name, partitions)

    def claim(self, group: str) -> None:
        """Do nothing: a group shares out its partitions by itself."""

    def writer(
        self, name: str, *, atomic: bool = True, claim: int | None = None
    ) -> KafkaWriter:
        """Return a writer of that name, fencing any other if `atomic`."""
        return KafkaWriter(self.cluster, self.topic, name, atomic=atomic)

    def join(
        self,
        group: str,
        topic: Topic,
        *,
        member: str | None = None,
        exactly_once: bool = True,
        crew: Crew | None = None,
    ) -> Seat:
        """Return a seat among the members of a group, once Kafka lets it join.

        Without `exactly_once` it has all partitions, or its crew's share, and nobody fences it.
        """
        self._source = topic.name
        if not exactly_once:
            return Alone(self, group, topic, exactly_once=False, crew=crew)
        return KafkaSeat(self.cluster, self.topic, group, topic.name, member)

    def committed(self, group: str) -> dict[int, int]:
        """Return the cursors that `group` last committed or showed; empty before the first."""
        ask = functools.partial(self.cluster.admin.list_group_offsets, group)
        found = self.cluster.ask(ask, f"tell how far {group!r} is").get(group, {})
        # A group reads one topic, somebody else's perhaps; of two it has read, this one.
        read = {place.topic for place in found}
        source = self._source if self._source in read else min(read, default="")
        return {
            place.partition: at.offset
            for place, at in found.items()
            if place.topic == source and at.offset >= 0
        }

    def groups(self) -> list[str]:
        """Return the names of all groups on the cluster that it lets us see."""
        found = self.cluster.ask(self.cluster.admin.list_groups, "list groups")
        return sorted(str(group["group_id"]) for group in found)

    def show(self, group: str, cursors: Cursor) -> None:
        """Commit the cursors under that group, so that Kafka's own tools see the lag.

        Nothing is decided by them, so a refusal is no more than a warning.
        """
        offsets = {
            TopicPartition(self._source, p): OffsetAndMetadata(c) for p, c in cursors.items()
        }
        try:
            self._member(group, within=5.0).commit(offsets, timeout_ms=5000)
        except (refusals.KafkaError, TopicTimeout) as error:
            logging.getLogger("driftline.kafka").warning(
                "Kafka at %s does not show the lag of %r: %s",
                self.cluster.address,
                group,
                error,
            )

    def hold(self, group: str, cursors: Cursor) -> None:
        """Do nothing: Kafka keeps no record because somebody may need it."""

    def heed(self, stopping: Callable[[], bool]) -> Callable[[], None]:
        """Wait for the cluster no longer than until `stopping`; return what undoes it."""
        self.cluster.heeded.append(stopping)
        return lambda: self.cluster.heeded.remove(stopping)

    def close(self) -> None:
        """Close every client."""
        self.cluster.close()
        self._members.clear()

    def _member(self, group: str, within: float) -> Any:
        # It commits without ever joining, so it takes no partition from anybody.
        if group not in self._members:
            opened = self.cluster.open(KafkaConsumer, within=within, group_id=group)
            self._members[group] = opened
        return self._members[group]
