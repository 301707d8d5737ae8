"""A connection to one broker, made a layer at a time, to see which of them does not open.

kafka-python's clients do all of it at once, and try again without end. What is spoken here
is theirs all the same: their TLS context, their protocol, their SASL mechanisms.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from kafka import errors as refusals
from kafka.net.connection import KafkaConnection
from kafka.net.transport import KafkaSSLTransport
from kafka.protocol.broker_version_data import BrokerVersionData
from kafka.protocol.metadata import ApiVersionsRequest, MetadataRequest
from kafka.protocol.parser import KafkaProtocol

from stream.errors import NotReached
from stream.kafka_settings import checked

_PATIENCE = 5.0
"""Seconds for a connection, and for an answer."""
_NAMES = {62, 64}
"""What OpenSSL calls a certificate that is another host's: by its name, by its address."""
_EXPIRED = 10


class Node(NamedTuple):
    """A broker as the cluster names it to its clients."""

    number: int
    host: str
    port: int


class Probe:
    """The way to one broker; `settings` are kafka-python's, texts among them.

    Each layer needs those before it. What does not open raises `NotReached`, whose message
    says what was found and what to do; the connection is closed then.
    """

    def __init__(self, host: str, port: int, settings: Mapping[str, object]) -> None:
        known = {**KafkaConnection.DEFAULT_CONFIG, **KafkaSSLTransport.DEFAULT_CONFIG}
        self.config: dict[str, Any] = {**known, **checked(settings)}
        self.host, self.port, self.name = host, port, f"{host}:{port}"
        self.protocol = str(self.config["security_protocol"])
        self.encrypted, self.named = "SSL" in self.protocol, "SASL" in self.protocol
        self._socket: Any = None
        self._frames = KafkaProtocol(client_id="driftline-doctor")
        self._versions: Any = None
        self.framed = True
        """Whether the exchange of SASL goes in frames of the protocol, as since Kafka 1.0."""

    def resolve(self) -> list[str]:
        """Return the addresses that the host's name stands for."""
        try:
            found = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise NotReached(
                f"the name {self.host!r} leads to no address: {error.strerror or error}; "
                "correct the name, or this machine's DNS"
            ) from error
        return sorted({str(address[4][0]) for address in found})

    def connect(self) -> float:
        """Open a connection; return the seconds it took."""
        self.close()
        began = time.monotonic()
        try:
            self._socket = socket.create_connection((self.host, self.port), _PATIENCE)
        except OSError as error:
            raise NotReached(
                f"{self.host} takes no connection on port {self.port}: "
                f"{error.strerror or error}; start the broker, or correct host and port, or "
                "let the network pass"
            ) from error
        self._frames = KafkaProtocol(client_id="driftline-doctor")
        return time.monotonic() - began

    def encrypt(self, *, check_name: bool = True) -> dict[str, Any]:
        """Begin TLS on the connection; return the broker's certificate, as `ssl` has it."""
        try:
            context = KafkaSSLTransport._build_ssl_context(self.config)
        except (OSError, ValueError) as error:
            raise NotReached(
                f"the files of ssl_cafile, ssl_certfile, ssl_keyfile cannot be used: {error}; "
                "name files in PEM form that belong together, and give ssl_password if the key "
                "has one"
            ) from error
        context.check_hostname = bool(check_name and self.config["ssl_check_hostname"])
        try:
            self._socket = context.wrap_socket(self._socket, server_hostname=self.host)
        except ssl.SSLCertVerificationError as error:
            raise self._distrust(error) from error
        except (OSError, ValueError) as error:
            raise self._no_tls(error) from error
        return dict(self._socket.getpeercert() or {})

    def _distrust(self, error: ssl.SSLCertVerificationError) -> NotReached:
        found, advice = error.verify_message, "name the file of the authority as ssl_cafile"
        if error.verify_code in _NAMES:
            advice = (
                "connect to a name that is in it, or have the broker's certificate made for "
                "this one"
            )
        elif error.verify_code == _EXPIRED:
            advice = "renew the broker's certificate, or set this machine's clock"
        self.close()
        return NotReached(f"the certificate of {self.name} is refused: {found}; {advice}")

    def _no_tls(self, error: Exception) -> NotReached:
        """Say why there is no TLS: mostly, that nobody there speaks it."""
        self.close()
        with contextlib.suppress(NotReached):
            self.connect()
            self.greet()
            self.close()
            plain = "SASL_PLAINTEXT" if self.named else "PLAINTEXT"
            return NotReached(
                f"{self.name} speaks Kafka, but no TLS; set security_protocol to {plain}, or "
                "name the port of the listener that has TLS"
            )
        return NotReached(
            f"{self.name} does not begin TLS: {error}; see whether the port is one of Kafka, "
            "and the broker's log"
        )

    def greet(self) -> tuple[int, ...]:
        """Ask which requests the broker knows; return the version that it speaks like."""
        answer = self.ask(ApiVersionsRequest(version=0))
        known = {it.api_key: (it.min_version, it.max_version) for it in answer.api_keys}
        self._versions = BrokerVersionData(api_versions=known)
        return tuple(self._versions.broker_version)

    def speaks_tls(self) -> bool:
        """Return whether the port begins TLS with anybody who wants it."""
        try:
            self.connect()
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            with context.wrap_socket(self._socket, server_hostname=self.host):
                return True
        except (OSError, ValueError, NotReached):
            return False
        finally:
            self.close()

    def nodes(self) -> list[Node]:
        """Return the brokers of the cluster, as it names them to its clients."""
        answer = self.ask(MetadataRequest(topics=[], allow_auto_topic_creation=False))
        return [Node(each.node_id, each.host, each.port) for each in answer.brokers]

    def ask(self, request: Any) -> Any:
        """Send a request and return the answer, whatever it says."""
        if request.API_VERSION is None:
            request.API_VERSION = self._versions.api_version(request)
        try:
            self._frames.send_request(request)
            self._socket.sendall(self._frames.send_bytes())
            while not (answers := self._frames.receive_bytes(self._receive())):
                pass
        except (OSError, refusals.KafkaError) as error:
            self.close()
            raise NotReached(
                f"{self.name} does not answer as Kafka does: {error}; see whether the port is "
                "one of Kafka, and the broker's log"
            ) from error
        return answers[0][1]

    def _receive(self) -> bytes:
        found: bytes = self._socket.recv(65_536)
        if not found:
            raise ConnectionResetError("it closed the connection")
        return found

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
