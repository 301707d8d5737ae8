"""The way to a Kafka cluster, a layer at a time: which of them does not open, and why.

Of several brokers in an address one that opens is enough, so each step goes on with those
that have, and fails when none has.
"""

from __future__ import annotations

import datetime
import ssl
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from driftline.doctor.finding import Case, Finding, Skipped, failed, ok, warn
from driftline.settings import kafka_settings
from stream.connect import given_to_kafka, kafka_address
from stream.errors import NotReached

if TYPE_CHECKING:
    from stream.kafka_probe import Probe

_PORT = 9092
_SOON = 30 * 86_400.0
"""Seconds before its end from which on a certificate is worth a word."""


def probes(case: Case) -> list[Probe]:
    """Return the ways to the brokers of the address, not yet gone."""
    found = []
    for broker in kafka_address(case.stream)[0]:
        parts = urlsplit(f"//{broker}")
        found.append(_probe(parts.hostname or "", parts.port or _PORT))
    return found


def _probe(host: str, port: int) -> Probe:
    from stream.kafka_probe import Probe

    return Probe(host, port, given_to_kafka(kafka_settings()))


def dns(case: Case) -> Iterator[Finding]:
    """Look whether the names of the brokers lead to addresses."""
    case.ways = probes(case)
    if any(way.config.get("proxy_url") or way.config.get("socks5_proxy") for way in case.ways):
        case.ways = []
    return _each(case, lambda way: ok(f"{way.host} is {', '.join(way.resolve())}"))


def tcp(case: Case) -> Iterator[Finding]:
    """Look whether the brokers take connections."""

    def look(way: Probe) -> Finding:
        seconds = way.connect()
        return ok(f"{way.name} takes connections, in {1000 * seconds:.0f} ms")

    return _each(case, look)


def tls(case: Case) -> Iterator[Finding]:
    """Look whether TLS begins, whoever the certificate is for, and Kafka is behind it."""
    return _each(case, lambda way: _encrypted(way) if way.encrypted else _plain(way))


def _encrypted(way: Probe) -> Finding:
    certificate = way.encrypt(check_name=False)
    # A broker that wants a certificate of its client says so only now.
    way.greet()
    issuer = ", ".join(value for part in certificate.get("issuer", ()) for _, value in part)
    if "notAfter" not in certificate:
        return ok(f"{way.name} speaks TLS")
    end = ssl.cert_time_to_seconds(certificate["notAfter"])
    day = datetime.datetime.fromtimestamp(end, datetime.UTC).date().isoformat()
    found = f"{way.name} speaks TLS; its certificate is by {issuer!r} and ends on {day}"
    if end - time.time() < _SOON:
        return warn(found, "renew it soon")
    return ok(found)


def _plain(way: Probe) -> Finding:
    try:
        way.greet()
    except NotReached:
        if not way.speaks_tls():
            raise
        whole = "SASL_SSL" if way.named else "SSL"
        raise NotReached(
            f"{way.name} speaks TLS, and security_protocol is {way.protocol}; set {whole}"
        ) from None
    return ok(f"{way.name} speaks Kafka, without TLS, by security_protocol {way.protocol}")


def host_name(case: Case) -> Iterator[Finding]:
    """Look whether a certificate is for the host that it comes from."""

    def look(way: Probe) -> Finding:
        certificate = _again(way)
        if not way.config["ssl_check_hostname"]:
            return warn(
                f"{way.name} may have a certificate for another host, by ssl_check_hostname",
                "leave that setting out, unless nobody else can answer there",
            )
        return ok(f"the certificate of {way.name} is for {_hosts(certificate)}")

    if case.ways and not case.ways[0].encrypted:
        return iter(())
    return _each(case, look)


def _again(way: Probe) -> dict[str, Any]:
    """Connect once more; return the broker's certificate, if the way is encrypted."""
    way.connect()
    certificate = way.encrypt() if way.encrypted else {}
    way.greet()
    return certificate


def _hosts(certificate: dict[str, Any]) -> str:
    return ", ".join(name for _, name in certificate.get("subjectAltName", ())) or "it"


def mechanism(case: Case) -> Iterator[Finding]:
    """Look whether broker and client know a common way to say who a user is."""
    from stream.kafka_login import agree

    def look(way: Probe) -> Finding:
        if way.named:
            return ok(f"{way.name} offers {agree(way)}")
        return _nobody(way)

    return _each(case, look)


def _nobody(way: Probe) -> Finding:
    """Look whether a broker answers who brings no user."""
    from stream.kafka_login import offered

    try:
        way.nodes()
    except NotReached:
        _again(way)
        if not (names := offered(way)):
            raise
        whole = "SASL_SSL" if way.encrypted else "SASL_PLAINTEXT"
        raise NotReached(
            f"{way.name} answers nobody without a user, and offers {names}; set "
            f"security_protocol to {whole}, sasl_mechanism to one of them, and "
            "sasl_plain_username and sasl_plain_password"
        ) from None
    return ok(f"{way.name} answers without a user, by security_protocol {way.protocol}")


def user(case: Case) -> Iterator[Finding]:
    """Look whether the brokers let the user in."""
    from stream.kafka_login import log_in

    def look(way: Probe) -> Finding:
        name = log_in(way)
        who = f"user {name!r}" if name else "this client"
        return ok(f"{way.name} lets {who} in by {way.config['sasl_mechanism']}")

    if case.ways and not case.ways[0].named:
        return iter(())
    return _each(case, look)


def brokers(case: Case) -> Iterator[Finding]:
    """Look whether every broker can be reached where the cluster says that it is."""
    if not case.ways:
        raise Skipped("a proxy stands between")
    known = case.ways[0]
    for number, host, port in known.nodes():
        way = _probe(host, port)
        try:
            way.resolve()
            _again(way)
        except NotReached as error:
            found = str(error).partition("; ")[0]
            yield failed(
                f"{known.name} names broker {number} as {way.name}, and from here {found}",
                "have the broker advertise an address that this machine reaches "
                "(advertised.listeners of Kafka), or run driftline where that name leads "
                "to it",
            )
        else:
            yield ok(f"broker {number} is reached at {way.name}, where the cluster says")
        finally:
            way.close()
    for each in case.ways:
        each.close()


def _each(case: Case, look: Callable[[Probe], Finding]) -> Iterator[Finding]:
    """Look at every way that is still open, and go on with those that stay so."""
    if not case.ways:
        raise Skipped("a proxy stands between")
    found, still = [], []
    for way in case.ways:
        try:
            found.append(look(way))
        except NotReached as error:
            text, _, advice = str(error).partition("; ")
            found.append(failed(text, advice))
        else:
            still.append(way)
    case.ways = still or case.ways
    for each in found:
        # One that is away costs nothing as long as another answers.
        yield each._replace(status="warn") if still and each.status == "failed" else each
