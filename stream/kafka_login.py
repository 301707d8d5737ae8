"""How a client says who it is: the SASL layer of the way to a broker."""

from __future__ import annotations

from typing import Any

from kafka import errors as refusals
from kafka.net.sasl import SASL_MECHANISMS, get_sasl_mechanism
from kafka.protocol.sasl import (
    SaslAuthenticateRequest,
    SaslBytesRequest,
    SaslHandshakeRequest,
)

from stream.errors import NotReached
from stream.kafka_cluster import UNFIT
from stream.kafka_probe import Probe

_USER = "sasl_plain_username and sasl_plain_password"


def offered(probe: Probe) -> str:
    """Return the mechanisms that a broker offers, "" where its listener has no users."""
    answer = probe.ask(SaslHandshakeRequest(mechanism="", max_version=1))
    probe.close()
    return _names(answer)


def _names(answer: Any) -> str:
    if answer.error_code == refusals.IllegalSaslStateError.errno:
        return ""
    return ", ".join(sorted(answer.mechanisms))


def agree(probe: Probe) -> str:
    """Agree with the broker on the mechanism that is set, and return its name.

    Raises `NotReached` where none is set, or one that either side does not know.
    """
    wanted = str(probe.config["sasl_mechanism"] or "")
    answer = probe.ask(SaslHandshakeRequest(mechanism=wanted, max_version=1))
    probe.framed = answer.API_VERSION == 1
    names, known = _names(answer), wanted in SASL_MECHANISMS
    if not answer.error_code and wanted in answer.mechanisms and known:
        return wanted
    probe.close()
    if not names:
        less = "SSL" if probe.encrypted else "PLAINTEXT"
        raise NotReached(
            f"{probe.name} has no users; set security_protocol to {less}, or name the port of "
            "the listener that has SASL"
        )
    if not wanted:
        raise NotReached(
            f"no sasl_mechanism is set, and {probe.name} offers {names}; set one of them"
        )
    ours = "" if known else f", nor does driftline know {wanted!r}"
    raise NotReached(
        f"{probe.name} does not offer {wanted!r} but {names}{ours}; set sasl_mechanism to one "
        "of them, or enable it on the listener"
    )


def log_in(probe: Probe) -> str:
    """Say who we are by the mechanism agreed on; return the user's name, or what is known.

    Raises `NotReached` where the broker knows no such user, or another password.
    """
    name = str(probe.config["sasl_mechanism"])
    try:
        mechanism = get_sasl_mechanism(name)(host=probe.host, **probe.config)
        while not mechanism.is_done():
            token = mechanism.auth_bytes()
            kind = SaslAuthenticateRequest if probe.framed else SaslBytesRequest
            answer = probe.ask(kind(token))
            if answer.error_code:
                raise _stranger(probe, name, str(answer.error_message))
            if not probe.framed and mechanism.is_done():
                break
            mechanism.receive(answer.auth_bytes)
    except (*UNFIT, AttributeError, ImportError) as error:
        probe.close()
        raise NotReached(
            f"{name} cannot be spoken with {probe.name}: {error}; give {_USER}, or what else "
            "the mechanism needs"
        ) from error
    if not mechanism.is_authenticated():
        raise _stranger(probe, name, "the exchange ended without it")
    return user_of(probe)


def user_of(probe: Probe) -> str:
    """Return the name of the user that is set, or "" where the mechanism needs none."""
    return str(probe.config["sasl_plain_username"] or "")


def _stranger(probe: Probe, mechanism: str, why: str) -> NotReached:
    probe.close()
    user = user_of(probe)
    who = f"user {user!r}" if user else "this client"
    return NotReached(
        f"{probe.name} does not let {who} in by {mechanism}: {why}; correct {_USER}, or make "
        f"the user for {mechanism} on the cluster"
    )
