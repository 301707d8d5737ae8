"""The way to a Kafka cluster: its clients, once it answers, and what they have to say.

kafka-python has its own ideas of patience. A constructor gives up after a while and leaves
its thread behind, and the reason stands in the log and nowhere else. Here a broker that is
away is waited for in the open, and what waiting does not mend is a `SettingError`.
"""

from __future__ import annotations

import contextlib
import logging
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka import errors as refusals
from kafka.net.compat import KafkaNetClient

from stream.errors import SettingError, StreamError, TopicFailed, TopicTimeout
from stream.kafka_codecs import put_bounds
from stream.kafka_settings import CHOSEN, FIXED, checked

T = TypeVar("T")

DENIED = (
    refusals.IllegalSaslStateError,
    refusals.SaslAuthenticationFailedError,
    refusals.UnsupportedSaslMechanismError,
)
UNFIT = (AssertionError, RuntimeError, TypeError, ValueError, refusals.KafkaConfigurationError)
"""What constructors raise for values they do not take."""

LOOK = 0.1
"""Seconds between two looks at something that is waited for."""
ANSWER = 60.0
"""Seconds in which the cluster must answer once it has let us in."""
_TRY = 3.0
"""Seconds of one try to be let in."""
_SAY = 4.0
"""Seconds between two lines about a broker that is away."""


class Cluster:
    """The clients of one Kafka cluster, with the user's `settings` for all of them."""

    def __init__(
        self,
        brokers: Sequence[str],
        settings: Mapping[str, object],
        *,
        within: float = float("inf"),
    ) -> None:
        self.address = ",".join(brokers)
        self.settings = checked(settings)
        self._brokers = list(brokers)
        self._patient = within == float("inf")
        self.heeded: list[Callable[[], bool]] = []
        """Who can say that nobody wants to wait any longer."""
        self.ours: tuple[str, ...] = ()
        """What the names of the writers begin with that are not somebody else's."""
        self.fates: dict[tuple[int, int], bool] = {}
        """By number and epoch of earlier writers, whether their last transaction counts."""
        self.told: set[Any] = set()
        """What a person has been told already."""
        self._opened: dict[Any, Any] = {}
        _last.listen()
        put_bounds()
        try:
            self.admin = self.open(KafkaAdminClient, within=within)
            # These two read nothing, so any thread may ask them.
            self._committed = self.open(KafkaConsumer, within=within)
            level = "read_uncommitted"
            self._written = self.open(KafkaConsumer, within=within, isolation_level=level)
        except StreamError:
            self.close()
            raise

    @property
    def patience(self) -> float:
        """Seconds for which it is waited when it is away: without end, if its clients were."""
        return float("inf") if self._patient else ANSWER

    def stopping(self) -> bool:
        """Whether anybody who is heeded wants to stop."""
        return any(stopping() for stopping in [*self.heeded])

    def open(
        self,
        kind: Any,
        chosen: Mapping[str, object] | None = None,
        *,
        within: float = float("inf"),
        **fixed: object,
    ) -> Any:
        """Return a client of kafka-python, once the cluster lets it in.

        The user's settings overrule `chosen`, and are overruled by `fixed`. Raises
        `SettingError` for credentials or values that will not do, `TopicTimeout` after
        `within` seconds.
        """
        wanted = {**CHOSEN[kind], **(chosen or {}), **self.settings, **FIXED, **fixed}
        wanted |= {"bootstrap_servers": self._brokers, "kafka_client": _connections}
        wanted |= {"bootstrap_timeout_ms": 1000 * min(_TRY, max(LOOK, within))}
        wanted = {name: value for name, value in wanted.items() if name in kind.DEFAULT_CONFIG}
        waiting, deadline = Waiting(self.address, self), time.monotonic() + within
        while True:
            _last.forget()
            try:
                client = kind(**wanted)
            except (refusals.KafkaTimeoutError, *DENIED, *UNFIT) as error:
                # The constructor leaves its thread and sockets behind.
                if (connections := _take_made()) is not None:
                    connections.close()
                if _last.hopeless or _hopeless(error):
                    reason = _last.text if _last.hopeless else error
                    raise SettingError(
                        f"Kafka at {self.address} and the settings for it do not go together "
                        f"({reason}); correct the kafka settings"
                    ) from error
                if time.monotonic() > deadline:
                    raise TopicTimeout(
                        f"Kafka at {self.address} let nobody in within {within:g} s; "
                        "look after the cluster and start again"
                    ) from error
                waiting.say()
            else:
                self._opened[client] = _take_made()
                return client

    def drop(self, client: Any) -> None:
        """Close a client, with no more than a moment for what it still has to send."""
        if self._opened.pop(client, None) is None:
            return
        if not isinstance(client, KafkaProducer):
            client.close()
            return
        with contextlib.suppress(refusals.KafkaError):
            client.close(timeout=0)
        # With records left that stops halfway; this lets go of them, and of the thread.
        client._sender.force_close()
        with contextlib.suppress(refusals.KafkaError):
            client.close(timeout=1)

    def close(self) -> None:
        """Close every client."""
        for client in list(self._opened):
            self.drop(client)

    def ask(self, question: Callable[[], T], what: str, *, within: float | None = None) -> T:
        """Return the answer of the cluster, asking again while the trouble may pass.

        `what` completes "Kafka did not". A cluster that is away is waited for, if its
        clients were; one that says again and again that it cannot yet has a minute. Raises
        `TopicTimeout` then, or after `within` seconds, and on a refusal what `refused` gives.
        """
        patience = ANSWER if within is None else within
        waiting, deadline = Waiting(self.address, self), time.monotonic() + patience
        while True:
            try:
                return question()
            except refusals.RetriableError as error:
                now, says = time.monotonic(), isinstance(error, refusals.BrokerResponseError)
                if within is None and self._patient and not says:
                    deadline = now + patience
                if now > deadline:
                    raise TopicTimeout(
                        f"Kafka at {self.address} did not {what} within {patience:g} s "
                        f"({error}); look after the cluster and start again"
                    ) from error
                waiting.say()
                time.sleep(LOOK)
            except refusals.KafkaError as error:
                raise self.refused(what, error) from error

    def refused(self, what: str, error: Exception) -> StreamError:
        """Return our error for one of kafka-python's that will not pass."""
        kind = SettingError if isinstance(error, DENIED) else TopicFailed
        return kind(
            f"Kafka at {self.address} refused to {what}: {error}; mend that and start again"
        )

    def version(self) -> str:
        """Return the version of Kafka that the cluster speaks like."""
        return ".".join(map(str, self._opened[self.admin].get_broker_version()))

    def brokers(self) -> int:
        """Return how many brokers there are."""
        return len(self.ask(self.admin.describe_cluster, "describe itself")["brokers"])

    def first(self, places: Iterable[Any]) -> dict[int, int]:
        """Return the offset of the oldest record kept in each partition of a topic."""
        return self._offsets(self._committed.beginning_offsets, places)

    def end(
        self, places: Iterable[Any], *, within: float, patience: float | None = None
    ) -> tuple[dict[int, int], bool]:
        """Return the end of what is committed, and whether that is all that is written.

        A commit returns before it can be read, and an open transaction hides what others
        have committed after its first record: both are waited for up to `within` seconds.
        `patience` is that of `ask`.
        """
        written = self._offsets(self._written.end_offsets, places, patience)
        deadline = time.monotonic() + within
        while True:
            end = self.readable(places, patience)
            whole = all(end[p] >= written[p] for p in written)
            if whole or time.monotonic() > deadline:
                return end, whole
            time.sleep(0.002)

    def readable(self, places: Iterable[Any], patience: float | None = None) -> dict[int, int]:
        """Return how far each partition of a topic can be read, by now."""
        return self._offsets(self._committed.end_offsets, places, patience)

    def _offsets(
        self, question: Callable[..., Any], places: Iterable[Any], patience: float | None = None
    ) -> dict[int, int]:
        asked = list(places)
        each = 5000 if patience is None else round(1000 * min(5.0, patience))

        def answer() -> Any:
            found: dict[Any, int] = {}
            # kafka-python trips over a partition that was added since it asked for them.
            with contextlib.suppress(KeyError):
                found = question(asked, timeout_ms=each)
            if any(place not in found for place in asked):
                for client in (self._committed, self._written):
                    self.known(client).request_update()
                raise refusals.UnknownTopicOrPartitionError(asked)
            return found

        found = self.ask(answer, "tell offsets", within=patience)
        return {place.partition: found[place] for place in asked}

    def known(self, client: Any) -> Any:
        """Return what a client believes to know of the cluster."""
        return self._opened[client].cluster

    def answers(self, consumer: Any, places: Iterable[Any]) -> bool:
        """Return whether a consumer is connected to the leaders of all these partitions."""
        connections = self._opened[consumer]
        leaders = {connections.cluster.leader_for_partition(place) for place in places}
        return all(connections.connected(leader) for leader in leaders)


_SOON = 2.0
"""Seconds within which a cluster that is there has answered, also one that is busy."""


class Waiting:
    """Says every few seconds that Kafka is waited for, and for how long already."""

    def __init__(self, address: str, cluster: Cluster | None = None) -> None:
        self._address, self._cluster = address, cluster
        self._since = self._said = 0.0

    def say(self) -> None:
        """Note that there is still no answer.

        Raises `TopicTimeout` when a process is to stop that waits for a `cluster` otherwise
        without end.
        """
        now = time.monotonic()
        if not self._since:
            self._since = self._said = now
        waits = self._cluster is not None and now - self._since >= _SOON
        if waits and self._cluster is not None and self._cluster.stopping():
            raise TopicTimeout(
                f"Kafka at {self._address} is away, and this process was asked to stop; what "
                "it has committed is kept, and a new start goes on from there"
            )
        if now - self._said >= _SAY:
            self._said = now
            logging.getLogger("driftline.kafka").warning(
                "waiting for Kafka at %s, %d s", self._address, now - self._since
            )

    def over(self) -> None:
        """Note that there was one."""
        self._since = 0.0


class _LastWord(logging.Handler):
    """Keeps what a connection of kafka-python has logged last, if not the worst it can say.

    As text: the error itself would keep a socket open.
    """

    text, hopeless = "", False

    def emit(self, record: logging.LogRecord) -> None:
        for found in record.args or ():
            # That time has run out is no reason but the want of one.
            late = isinstance(found, refusals.KafkaTimeoutError)
            if isinstance(found, Exception) and not late and not self.hopeless:
                self.text, self.hopeless = str(found), _hopeless(found)

    def forget(self) -> None:
        """Start anew."""
        self.text, self.hopeless = "", False

    def listen(self) -> None:
        """Take the place of the lines themselves, a flood of them in an outage."""
        logging.getLogger("kafka").setLevel(logging.ERROR)
        for name in ("net", "cluster", "consumer", "coordinator", "producer"):
            logger = logging.getLogger(f"kafka.{name}")
            logger.setLevel(logging.WARNING)
            logger.propagate = False
            if self not in logger.handlers:
                logger.addHandler(self)


_last = _LastWord()
_made = threading.local()


def _connections(**settings: object) -> Any:
    """Make what a client speaks through, and leave it in `_made`."""
    _made.connections = connections = KafkaNetClient(**settings)
    # The client's setting of this name does not get as far as here.
    connections.cluster.config["allow_auto_create_topics"] = False
    return connections


def _take_made() -> Any:
    """Return what this thread's last client speaks through, for once."""
    connections, _made.connections = getattr(_made, "connections", None), None
    return connections


def _hopeless(error: Exception) -> bool:
    if isinstance(error, (*DENIED, *UNFIT, FileNotFoundError, PermissionError, ssl.SSLError)):
        return True
    return "[SSL: " in str(error) and "EOF" not in str(error)
