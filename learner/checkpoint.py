"""A learner to disk and back: whole, or not at all, and only if it is ours.

A pickle runs code when it is loaded, so nothing is unpickled before the HMAC has been
checked. Where checkpoints lie is a `Shelf`, on which a crash leaves the old one or the new.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from learner.account import Account
from learner.learner import Learner
from learner.loading import learner_of
from learner.pickled import NotPicklable, dumps, loads
from learner.probes import COUNT, Entries, probes_of
from learner.shelf import Entry, Shelf
from learner.signed import (
    Damaged,
    Header,
    digest_of,
    key_id,
    read_header,
    sealed,
    verify,
    versions,
)
from learner.state import State, shelf_of
from stream.errors import CheckpointError, SettingError

_PROBING = 0.05
"""Seconds that probes may take, where the pickling was quicker."""


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """The checkpoints of one partition of one learner, newest last.

    `identity` is the topic's, so that a topic made anew is not taken for the old one. With
    `any_version` one that was made with other versions of what decides a guess is taken, if
    its probes are guessed alike here.
    """

    shelf: Shelf
    stream: str
    learner: str
    partition: int
    identity: str
    key: bytes
    any_version: bool = False
    account: Account = field(default_factory=Account)

    @classmethod
    def at(
        cls,
        state: State,
        stream: str,
        learner: str,
        partition: int,
        identity: str,
        key: bytes,
        *,
        any_version: bool = False,
    ) -> Checkpoints:
        """Return the checkpoints below a state folder, or below an address."""
        shelf = shelf_of(state, stream, learner, partition, key)
        return cls(shelf, stream, learner, partition, identity, key, any_version)

    def note(self, entries: Entries) -> None:
        """Remember the last records that were learned, to probe what is saved by them."""
        self.account.latest = [*self.account.latest, *entries[-COUNT:]][-COUNT:]

    def save(self, learner: Learner) -> Learner:
        """Store the learner at its cursor; return the one to go on with. Raises `OSError`."""
        began = time.monotonic()
        payload = _payload(learner)
        seconds = max(time.monotonic() - began, _PROBING)
        probes = probes_of(learner, self.account.latest, seconds=seconds)
        body = sealed(self._header(learner, payload, probes), payload, self.key)
        try:
            self.shelf.put(learner.cursor, body, self.account.bad)
        except OSError:
            self.account.failed += 1
            raise
        self._saved(learner.cursor, len(body), time.time())
        # To be pickled makes an object slower for good; what was just loaded is not.
        alike: Learner = loads(payload)
        return alike

    def _header(self, learner: Learner, payload: bytes, probes: list[object]) -> Header:
        return Header(
            stream=self.stream,
            learner=self.learner,
            partition=self.partition,
            start=learner.start,
            cursor=learner.cursor,
            config=learner.config.hash,
            identity=self.identity,
            versions=versions(),
            length=len(payload),
            sha256=digest_of(payload),
            key=key_id(self.key),
            settings=learner.config.settings,
            probes=probes,
        )

    def _saved(self, cursor: int | None, size: int | None, written: float | None) -> None:
        account = self.account
        account.cursor, account.size, account.written = cursor, size, written

    def entries(self) -> list[Entry]:
        """Return the checkpoints there are, lowest cursor first. Raises `SettingError`."""
        try:
            return self.shelf.entries()
        except OSError as error:
            raise SettingError(_unusable(self.shelf, error)) from error

    def refuse(self, entry: Entry) -> None:
        """Note that a checkpoint is of no use."""
        self.account.refused += 1
        self.account.bad.add(entry.name)

    def retire(self) -> None:
        """Put all checkpoints aside, to where nothing reads. Raises `SettingError`."""
        try:
            self.shelf.retire()
        except OSError as error:
            raise SettingError(_unusable(self.shelf, error)) from error
        self._saved(None, None, None)

    def oldest(self) -> int | None:
        """Return the cursor of the oldest of use, from which a restart might replay.

        Raises `OSError`.
        """
        found = (e.cursor for e in self.shelf.entries() if e.name not in self.account.bad)
        return next(found, None)

    def verified(self, entry: Entry) -> tuple[Header, bytes]:
        """Return the header of a checkpoint and its payload, once both have been verified.

        Raises `CheckpointError`; `Damaged` where the one before may be better.
        """
        return verify(entry.name, self._read(entry), self.key)

    def unverified(self, entry: Entry) -> Header:
        """Return what a checkpoint says of itself. Raises `Damaged`."""
        return read_header(entry.name, self._read(entry))

    def _read(self, entry: Entry) -> bytes:
        try:
            return self.shelf.read(entry)
        except OSError as error:
            raise Damaged(f"checkpoint {entry.name!r} cannot be read: {error}") from error

    def load(self, entry: Entry) -> tuple[Header, Learner]:
        """Return a checkpoint of this partition, once all of it has been verified.

        Raises `CheckpointError` when it is damaged, signed with another key, of another
        topic, or was made with other versions of what decides a guess.
        """
        header, payload = self.verified(entry)
        return header, self.unpacked(entry, header, payload)

    def unpacked(self, entry: Entry, header: Header, payload: bytes) -> Learner:
        """Return the learner of a verified checkpoint. Raises as `load` does."""
        for name in ("stream", "learner", "partition", "identity"):
            if getattr(header, name) != getattr(self, name):
                raise CheckpointError(
                    f"checkpoint {entry.name!r} has {name} {getattr(header, name)!r}, this is "
                    f"{getattr(self, name)!r}; use another --state folder"
                )
        learner = learner_of(entry.name, header, payload, any_version=self.any_version)
        self._saved(header.cursor, entry.size, entry.written)
        return learner


def size_of(learner: Learner) -> int:
    """Return the bytes of a learner's state, as a checkpoint would hold it."""
    return len(_payload(learner))


def _payload(learner: Learner) -> bytes:
    try:
        return dumps(learner)
    except NotPicklable as error:
        raise SettingError(
            f"model {learner.config.model!r} cannot be pickled, so it cannot be saved: "
            f"{error}; choose a model of plain objects"
        ) from error


def _unusable(shelf: Shelf, error: OSError) -> str:
    return f"--state {shelf.place!r} cannot be used: {error}; choose another"
