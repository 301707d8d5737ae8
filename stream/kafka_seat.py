"""A seat in a group on Kafka: partitions shared by its protocol, offsets moved in transactions.

A consumer that reads nothing keeps the place in the group; records are read by another, by
cursor. What a member commits carries the generation under which it was last told its share,
so that Kafka refuses it once the group has moved on. How a group fences its members: KIP-447;
how a member keeps its place through a restart: KIP-345.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import secrets
import time
from collections.abc import Callable, Iterable
from typing import Any

from kafka import KafkaConsumer
from kafka import errors as refusals
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
from kafka.structs import MemberState, OffsetAndMetadata, TopicPartition

from stream.errors import Fenced, SeatLost, SettingError, StreamError
from stream.kafka_cluster import LOOK, Cluster, Waiting
from stream.kafka_forgotten import end_cursors
from stream.kafka_writer import LOOK_FOR, KafkaWriter
from stream.topic import Cursor, Share, Topic

_log = logging.getLogger("driftline.kafka")

_OLDEST = (2, 7)
"""Before it a broker lets a producer that was fenced ask for a new epoch and write on."""
_MEMBER = {
    # A refit or a replay may take minutes; it is the session that finds out the dead.
    "max_poll_interval_ms": 30 * 60_000,
    "session_timeout_ms": 10_000,
    "heartbeat_interval_ms": 1000,
    # So soon the group shares out partitions that were added.
    "metadata_max_age_ms": 30_000,
}
_DEADLINE = 10.0
"""Seconds of a commit; after as many the broker calls the transaction off."""
_STABLE = 30.0
"""Seconds for which a commit may be pending: a transaction's timeout, and Kafka's own look."""
_STILL = 5.0
"""Seconds of silence that explain why a group has gone on; heartbeats come every second."""
_PART = 1.0
"""Seconds after which a wait for a pending commit is said."""


class KafkaSeat:
    """A member of a group of readers of a topic; see `stream.topic.Seat`.

    Raises `SettingError` for a cluster too old to fence, `Fenced` where another process has
    the same `member` name; without one it is nobody's but this seat's.
    """

    exactly_once = True

    def __init__(
        self,
        cluster: Cluster,
        topic: Callable[[str], Topic],
        group: str,
        name: str,
        member: str | None,
    ) -> None:
        _check_version(cluster)
        self._cluster, self._group, self._topic = cluster, group, name
        self._metadata: Any = None
        self._round = 0
        # The writer first: from here on no other of this name can commit.
        self.writer = MemberWriter(cluster, topic, group, name, member)
        try:
            self._consumer = cluster.open(
                KafkaConsumer,
                _MEMBER,
                group_id=group,
                group_instance_id=member,
                partition_assignment_strategy=(CooperativeStickyAssignor,),
            )
        except StreamError:
            self.writer.close()
            raise
        self._consumer.subscribe([name])
        # Who leads the group without knowing the topic would share out nothing at first.
        cluster.ask(lambda: self._consumer.partitions_for_topic(name), f"describe {name!r}")
        self._waiting = Waiting(cluster.address)

    def share(self, *, wait: float = 0.0) -> Share | None:
        """Return what the group gives this member, or None while it is sharing out."""
        deadline, patience = time.monotonic() + wait, 0.0
        while True:
            self._poll(patience)
            # Taken here, and no newer one is committed with: what the client would tell at
            # a commit may be that it is nobody, and Kafka lets nobody commit.
            metadata = self._consumer.group_metadata()
            if stands(metadata):
                self._waiting.over()
                return self._shared(metadata)
            self.writer.metadata = None
            if time.monotonic() >= deadline:
                return None
            self._waiting.say()
            # A join that comes to its end between two polls is thrown away and begun anew,
            # so the next poll lasts as long as it can.
            patience = max(LOOK, deadline - time.monotonic())

    def _poll(self, wait: float) -> None:
        try:
            self._consumer.poll(round(wait * 1000), max_records=1)
        except (refusals.NoOffsetForPartitionError, refusals.OffsetOutOfRangeError):
            pass  # nothing is read here, so it may stand anywhere
        except refusals.FencedInstanceIdError as error:
            raise self.writer.fenced() from error
        except refusals.RetriableError:
            time.sleep(min(wait, LOOK))
        except refusals.KafkaError as error:
            what = f"let a member into {self._group!r}"
            raise self._cluster.refused(what, error) from error
        places = self._consumer.assignment() - self._consumer.paused()
        for place in places:
            with contextlib.suppress(refusals.KafkaError):
                self._consumer.pause(place)
                self._consumer.seek(place, 0)

    def _shared(self, metadata: Any) -> Share:
        if metadata != self._metadata:
            self._metadata, self._round = metadata, self._round + 1
        self.writer.metadata, self.writer.heard = metadata, time.monotonic()
        self.writer.known = metadata.member_id
        partitions = frozenset(place.partition for place in self._consumer.assignment())
        return Share(self._round, partitions)

    def committed(self, partitions: Iterable[int]) -> dict[int, int]:
        """Return the cursors that the group last committed, once no commit is pending."""
        found = {}
        for p in partitions:
            cursor = self._stable(TopicPartition(self._topic, p))
            if cursor is not None:
                found[p] = cursor
        return found

    def _stable(self, place: Any) -> int | None:
        """Return a committed offset; a transaction of a dead member is waited for."""
        for timeout in (_PART, _STABLE - _PART):
            try:
                found: int | None = self._consumer.committed(
                    place, timeout_ms=round(timeout * 1000)
                )
            except refusals.RetriableError as error:
                if timeout == _PART:
                    _log.info("waiting for a commit to %r that is pending", self._group)
                    with contextlib.suppress(StreamError):
                        end_cursors(self._cluster)
                else:
                    raise SeatLost(
                        f"Kafka at {self._cluster.address} did not tell within {_STABLE:g} s "
                        f"how far {self._group!r} is ({error})"
                    ) from error
            except refusals.KafkaError as error:
                what = f"tell how far {self._group!r} is"
                raise self._cluster.refused(what, error) from error
            else:
                return found
        raise AssertionError("the last try returns or raises")

    def close(self) -> None:
        """Leave the group, unless by a name under which it comes back; drop the writer."""
        self.writer.close()
        with contextlib.suppress(refusals.KafkaError):
            self._consumer.close(autocommit=False, timeout_ms=3000)
        self._cluster.drop(self._consumer)


def stands(metadata: Any) -> bool:
    """Return whether a member is in its group, by what kafka-python says of it.

    Out of it, it says generation -1 of member '', and the broker takes that for a commit
    from outside of any group, which nothing fences.
    """
    return bool(
        metadata.state == MemberState.STABLE
        and metadata.generation_id >= 0
        and metadata.member_id
    )


class MemberWriter(KafkaWriter):
    """A writer whose transactions move its group's offsets; see `stream.topic.Writer`."""

    def __init__(
        self,
        cluster: Cluster,
        topic: Callable[[str], Topic],
        group: str,
        name: str,
        member: str | None,
    ) -> None:
        self._group, self._reads, self._member = group, name, member
        self.metadata: Any = None
        """Who moves the offsets: what the member was when it was last told its share."""
        self.heard = time.monotonic()
        """When that was."""
        self.known = ""
        """As whom the group knew the member then."""
        own = secrets.token_hex(8) if member is None else member
        super().__init__(cluster, topic, f"{group}.{own}", atomic=True)

    def commit(self, cursors: Cursor | None = None, *, within: float = _DEADLINE) -> None:
        """Store all that was appended, and the cursors, in one transaction.

        Raises `SeatLost` when the group has moved on, and when it is unknown what became of
        the commit; `Fenced` when another process has this member's name.
        """
        if not cursors:
            self._commit(None, within)
            return
        if self.metadata is None or not stands(self.metadata):
            lost = SeatLost(f"this process has no place in {self._group!r}")
            raise self._failed or self._replaced() or lost
        offsets = {
            TopicPartition(self._reads, p): OffsetAndMetadata(cursor)
            for p, cursor in cursors.items()
        }
        self._commit((offsets, self.metadata), within)

    def fenced(self) -> Fenced:
        """Return the error for a member whose name another has taken."""
        return Fenced(
            f"another process is now member {self._member!r} of {self._group!r}; end one of "
            "the two, or give it a --member of its own"
        )

    def _fenced(self, error: Exception) -> StreamError | None:
        if isinstance(error, refusals.CommitFailedError):
            silent, why = time.monotonic() - self.heard, ""
            if silent > _STILL:
                why = f", which stood still for {silent:.0f} s: paused, or its machine too busy"
            lost = SeatLost(f"the group {self._group!r} has gone on without this process{why}")
            return self._replaced() or lost
        if isinstance(error, refusals.FencedInstanceIdError):
            return self.fenced()
        if super()._fenced(error) is None:
            return None
        if self._member is None:
            # Nobody else has the name: it is the broker that has called it off, for its age.
            return SeatLost(f"Kafka called off a transaction of {self._group!r} ({error})")
        return self.fenced()

    def _replaced(self) -> Fenced | None:
        """Return an error if another process has the member's name in the group by now.

        One that wakes up late must not take it back from whoever has gone on for it.
        """
        if self._member is None or not self.known:
            return None
        ask = functools.partial(self._cluster.admin.describe_groups, [self._group])
        with contextlib.suppress(StreamError):
            found = self._cluster.ask(ask, f"describe group {self._group!r}", within=LOOK_FOR)
            for each in found[self._group]["members"]:
                mine = each["member_id"] == self.known
                if each["group_instance_id"] == self._member and not mine:
                    return self.fenced()
        return None

    def _unknown(self, what: str) -> StreamError:
        return SeatLost(
            f"Kafka at {self._cluster.address} {what}; what became of the last commit of "
            f"{self._group!r} is unknown"
        )


def _check_version(cluster: Cluster) -> None:
    version = cluster.version()
    if tuple(map(int, version.split("."))) < _OLDEST:
        oldest = ".".join(map(str, _OLDEST))
        raise SettingError(
            f"Kafka at {cluster.address} speaks like {version}, and exactly-once needs "
            f"{oldest}; use a newer broker, or --delivery at-least-once"
        )
