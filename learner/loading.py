"""From the bytes of a verified checkpoint to a learner, where it means the same here."""

from __future__ import annotations

import logging
import warnings

from learner.learner import Learner
from learner.pickled import loads
from learner.probes import disagreement
from learner.signed import Header, differences, versions
from stream.errors import CheckpointError

_log = logging.getLogger("driftline.learner")


def learner_of(name: str, header: Header, payload: bytes, *, any_version: bool) -> Learner:
    """Return the learner of a checkpoint; only for one whose signature is right.

    One that was made with other versions of what decides a guess is taken with `any_version`
    alone, and only where its probes are guessed alike. Raises `CheckpointError`.
    """
    if header.versions == versions():
        return _unpickled(name, header, payload)
    made = f"checkpoint {name!r} was made with {differences(header.versions)}"
    if not any_version or not header.probes:
        raise CheckpointError(f"{made}; {_ways_on(header)}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of those that warn: the probes tell
        _probe(made, _unpickled(name, header, payload), header.probes)
        learner = _unpickled(name, header, payload)
    _log.warning("%s; its %d probes are guessed alike: taken", made, len(header.probes))
    return learner


def _unpickled(name: str, header: Header, payload: bytes) -> Learner:
    try:
        learner = loads(payload)
    except Exception as error:
        raise CheckpointError(
            f"checkpoint {name!r} cannot be loaded by this version ({error}); start "
            "with --rebuild to replay the stream"
        ) from error
    if not isinstance(learner, Learner) or learner.cursor != header.cursor:
        raise CheckpointError(f"checkpoint {name!r} holds no learner at its cursor")
    learner.complete()
    return learner


def _probe(made: str, learner: Learner, probes: list[object]) -> None:
    try:
        found = disagreement(learner, probes)
    except Exception as error:
        found = f"it cannot guess ({type(error).__name__}: {error})"
        raise CheckpointError(_other(made, found)) from error
    if found is not None:
        raise CheckpointError(_other(made, found))


def _other(made: str, found: str) -> str:
    return (
        f"{made} and does not mean the same here: {found}; install those versions, or start "
        "with --rebuild to replay the stream"
    )


def _ways_on(header: Header) -> str:
    accept = ""
    if header.probes:
        accept = (
            f"start with --accept-versions to take it if its {len(header.probes)} probe "
            "guesses come out the same, "
        )
    return f"install those versions, {accept}or start with --rebuild to replay the stream"
