"""Where a learner begins: from a checkpoint, from the start by replay, or anew.

What was said before is never said again where the log keeps cursors and records in one
transaction: the records between the checkpoint and the committed cursor are learned in
silence. Elsewhere a learner speaks from its checkpoint on, and whoever reads drops what it
has by position.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable
from functools import partial

from learner.checkpoint import Checkpoints
from learner.config import Config
from learner.learner import Learner
from learner.lookout import replaced
from learner.shelf import Entry
from learner.signed import Damaged, Header
from stream.errors import CheckpointError, SettingError
from stream.told import LOOKED, declared, newest_outcomes
from stream.topic import Log, Seat, Topic, group_of, topic_of

_log = logging.getLogger("driftline.learner")
_APPEARING = 30.0
"""Seconds in which outcomes become readable, if their cursor is: a dead writer hides them."""
_LOOK = 0.1
"""Seconds between two looks whether they are."""


def begin(
    log: Log,
    samples: Topic,
    store: Checkpoints,
    config: Config,
    *,
    seat: Seat | None = None,
    at: int | None = None,
    rebuild: bool = False,
    fresh: bool = False,
) -> tuple[Learner, int]:
    """Return the learner of a partition, and the offset up to which it must stay silent.

    `seat` is that of the learner in its group, if it has joined. A new one starts `at` an
    offset, else with the oldest record. Raises `SettingError` when
    the state there is was made by another configuration, and `CheckpointError` when there is
    a past but no way to go on from it.
    """
    p = store.partition
    first = samples.first()[p]
    new = partial(_new, config, samples, p)
    silent = (log if seat is None else seat).exactly_once
    origin = _origin(log, store)
    if origin is not None and origin.identity not in ("", store.identity):
        raise CheckpointError(replaced(samples.name, store.learner))
    said = origin.said if origin else None
    if silent:
        group = group_of(log.stream, store.learner)
        committed = (log.committed(group) if seat is None else seat.committed([p])).get(p)
        said, origin = _agreed(log, store, committed, origin, forced=rebuild or fresh)
    if _put_strangers_aside(store, nothing_said=origin is None):
        said = None  # a cursor of the old topic's
    if fresh:
        onward = new(_onward(samples.name, p, said, first))
        _keep_first(store, onward)
        return onward, onward.cursor
    if rebuild:
        start = _start_of(store, origin, first)
        replayed = _replay(new, p, start, first, said, "asked to rebuild")
        store.retire()
        return replayed
    # A checkpoint beyond what was said knows records whose outcomes were never written.
    limit = (said or 0) if silent else None
    found = _newest(store, config, limit, past=at is not None)
    if found is not None:
        if found.cursor < first:
            raise CheckpointError(_gone(samples.name, p, found.cursor, said, first))
        quiet = found.cursor
        if silent and said is not None:
            quiet = max(said, quiet)
        _log.info("partition=%d goes on from checkpoint %d, said %d", p, found.cursor, quiet)
        return found, quiet
    at_first = first if at is None else at
    if said is None or (origin is None and said == at_first):
        return new(at_first), at_first
    if origin is not None and origin.config != config.hash:
        made = f"by configuration {origin.config}, this one is {config.hash}"
        raise SettingError(_refusal(store.learner, made, past=at is not None))
    start = origin.start if origin else 0
    return _replay(new, p, start, first, said, "no checkpoint can be used")


def _agreed(
    log: Log, store: Checkpoints, committed: int | None, origin: _Origin | None, *, forced: bool
) -> tuple[int | None, _Origin | None]:
    """Return how far all was said, by the group's cursor and by the newest outcomes.

    The two are committed together, so where they disagree somebody has lost or moved the
    cursor. Outcomes beyond it are the truth; if they end before it and it does not take a
    moment for them to appear, raises `CheckpointError`, unless a way on was `forced`. A
    checkpoint between the two is one of a new state that had said nothing yet.
    """
    deadline = time.monotonic() + _APPEARING
    while origin is not None and committed is not None and origin.said < committed:
        forced |= any(origin.said < entry.cursor <= committed for entry in store.entries())
        if forced or time.monotonic() > deadline:
            break
        time.sleep(_LOOK)
        origin = _origin(log, store)
    if origin is None or origin.said == committed:
        return committed, origin
    if committed is None or origin.said > committed:
        _log.warning(
            "partition=%d the cursor committed is %s, but outcomes reach to %d: taking these",
            *(store.partition, committed, origin.said),
        )
        return origin.said, origin
    if forced:
        return committed, origin
    raise CheckpointError(
        f"the cursor of learner {store.learner!r} in partition {store.partition} is "
        f"{committed}, but its outcomes end at {origin.said}; if somebody has moved the "
        "cursor, go on from there with --fresh (a new state) or --rebuild (the old one, by "
        "replay)"
    )


def _new(config: Config, samples: Topic, partition: int, at: int) -> Learner:
    """Return a new state that begins at an offset, and knows the classes declared before it."""
    learner = Learner(config, partition, at)
    learner.declared_before(declared(samples, partition, at))
    return learner


def _keep_first(store: Checkpoints, learner: Learner) -> None:
    """Keep a new state, and put the old checkpoints aside."""
    try:
        store.retire()
        # At once, so that a crash before the first turn does not lead back to the old start.
        store.save(learner)
    except OSError as error:
        raise SettingError(
            f"--state folder {store.shelf.place!r} cannot be used: {error}; choose another"
        ) from error


def _onward(topic: str, partition: int, said: int | None, first: int) -> int:
    """Return where a new state begins: where all was said, or at what is left since."""
    if said is None or said >= first:
        return first if said is None else said
    _log.warning(
        "%s[%d]: records %d to %d are no longer kept, and get no outcome",
        *(topic, partition, said, first - 1),
    )
    return first


def _put_strangers_aside(store: Checkpoints, *, nothing_said: bool) -> bool:
    """Put aside the checkpoints of another topic of the same name, one that was deleted say.

    Only where nothing was said yet on this one; else it is for a person to decide. Returns
    whether there were any.
    """
    if nothing_said and any(_stranger(entry, store) for entry in store.entries()):
        _log.warning("%s holds checkpoints of another topic; put aside", store.shelf.place)
        store.retire()
        return True
    return False


def _stranger(entry: Entry, store: Checkpoints) -> bool:
    """Return whether a checkpoint says that it is of another topic."""
    said = _said(entry, store)
    return said is not None and said.identity != store.identity


def _unlearned(entry: Entry, store: Checkpoints) -> bool:
    """Return whether a checkpoint says that it is of a new state, which has learned nothing."""
    said = _said(entry, store)
    return said is not None and said.start == entry.cursor


def _said(entry: Entry, store: Checkpoints) -> Header | None:
    """Return what a checkpoint says of itself, unproven; None where that cannot be read."""
    with contextlib.suppress(CheckpointError):
        return store.unverified(entry)
    return None


class _Origin:
    """What the newest outcomes message tells of the learner that wrote it."""

    def __init__(self, start: int, config: str, said: int, identity: str) -> None:
        self.start, self.config, self.said = start, config, said
        self.identity = identity
        """The identity of the topic it had read; "" where it did not say."""


def _origin(log: Log, store: Checkpoints) -> _Origin | None:
    p = store.partition
    topic = log.topic(topic_of(log.stream, store.learner, "outcomes"))
    newest = newest_outcomes(topic, p)
    if newest is not None:
        headers, outcomes = newest[0].headers, newest[1]
        start = int(headers.get("start", b"0"))
        config, identity = (headers.get(name, b"").decode() for name in ("config", "identity"))
        return _Origin(start, config, outcomes.last + 1, identity)
    if topic.newest(p) is not None:
        raise CheckpointError(
            f"none of the last {LOOKED} messages of {topic.name}[{p}] is one of outcomes, so "
            "nobody knows how far these reach; see who else writes there, and begin under "
            "another --name"
        )
    return None


def _newest(
    store: Checkpoints, config: Config, limit: int | None, *, past: bool
) -> Learner | None:
    """Return the learner of the newest checkpoint that can be used.

    One beyond `limit` is removed, or it would outlive those that are to be trusted, unless
    it is another topic's, or knows no record: what lies before it is lost. Damaged ones are
    passed over, and counted. When none is left but some were refused, says why.
    """
    refused: CheckpointError | None = None
    for entry in reversed(store.entries()):
        ahead = limit is not None and entry.cursor > limit
        if ahead and not _stranger(entry, store) and not _unlearned(entry, store):
            where = (entry.name, limit)
            _log.warning("checkpoint %s is ahead of the log's cursor %d; removed", *where)
            _remove(store, entry)
            continue
        try:
            header, payload = store.verified(entry)
            if header.config != config.hash:
                raise SettingError(_other(store.learner, header, config, past=past))
            return store.unpacked(entry, header, payload)
        except Damaged as error:
            store.refuse(entry)
            _log.warning("%s; going back to the one before", error)
        except CheckpointError as error:
            store.refuse(entry)
            refused = refused or error
    if refused is not None:
        raise refused
    return None


def _remove(store: Checkpoints, entry: Entry) -> None:
    try:
        store.shelf.remove(entry)
    except OSError as error:
        store.account.bad.add(entry.name)
        _log.warning("checkpoint %s cannot be removed: %s; passed over", entry.name, error)


def _other(name: str, theirs: Header, ours: Config, *, past: bool) -> str:
    differences = ours.differences(theirs.settings) if theirs.settings is not None else []
    made = f"by configuration {theirs.config}, this one is {ours.hash}"
    if differences:
        made = "with " + ", ".join(differences)
    return _refusal(name, made, past=past)


def _refusal(name: str, made: str, *, past: bool) -> str:
    if past:
        return (
            f"learner {name!r} has a state of this past made {made}; give a --name that is new"
        )
    return (
        f"learner {name!r} has a state made {made}; "
        "go on with --rebuild (replay the stream into a new state), --fresh (a new state from "
        "here on), or --name OTHER"
    )


def _start_of(store: Checkpoints, origin: _Origin | None, first: int) -> int:
    for entry in reversed(store.entries()):
        try:
            header, _ = store.verified(entry)
        except CheckpointError:
            continue
        if header.identity == store.identity:
            return header.start
    return origin.start if origin else first


def _replay(
    new: Callable[[int], Learner],
    partition: int,
    start: int,
    first: int,
    said: int | None,
    why: str,
) -> tuple[Learner, int]:
    if start < first:
        raise CheckpointError(_gone("the samples", partition, start, said, first))
    until = start if said is None else max(said, start)
    _log.warning("partition=%d %s: replaying %d to %d in silence", partition, why, start, until)
    return new(start), until


def _gone(topic: str, partition: int, cursor: int, said: int | None, first: int) -> str:
    lost = max(0, first - (cursor if said is None else said))
    outcomes = f"{lost:,} of them have no outcome yet" if lost else "all of them were said"
    return (
        f"{topic}[{partition}] begins at {first}, but the learner would have to read from "
        f"{cursor}: {first - cursor:,} records are gone, and {outcomes}; start it with --fresh "
        "to go on with a new state, or under another --name, and lengthen the retention"
    )
