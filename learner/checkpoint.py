"""A learner to disk and back: whole, or not at all, and only if it is ours.

A pickle runs code when it is loaded, so nothing is unpickled before the HMAC has been
checked. Written beside, synced, renamed, folder synced: a crash leaves the old file or the
new one.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from learner.durable import write
from learner.learner import Learner
from learner.pickled import NotPicklable, dumps, loads
from learner.signed import (
    Header,
    differences,
    digest_of,
    key_id,
    sealed,
    verify,
    versions,
)
from stream.errors import CheckpointError, SettingError

_KEPT = 3
"""Checkpoints kept of each partition: the newest could be the damaged one."""


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """The checkpoints of one partition of one learner, in one folder, newest last.

    `identity` is the topic's, so that a topic made anew is not taken for the old one.
    """

    folder: Path
    stream: str
    learner: str
    partition: int
    identity: str
    key: bytes

    @classmethod
    def at(
        cls, state: Path, stream: str, learner: str, partition: int, identity: str, key: bytes
    ) -> Checkpoints:
        """Return the checkpoints below a state folder."""
        folder = state / stream / learner / f"p{partition}"
        return cls(folder, stream, learner, partition, identity, key)

    def save(self, learner: Learner) -> Learner:
        """Store the learner at its cursor; return the one to go on with. Raises `OSError`."""
        try:
            payload = dumps(learner)
        except NotPicklable as error:
            raise SettingError(
                f"model {learner.config.model!r} cannot be pickled, so it cannot be saved: "
                f"{error}; choose a model of plain objects"
            ) from error
        header = Header(
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
        )
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        write(self.folder / f"{learner.cursor:020d}", sealed(header, payload, self.key))
        self._prune()
        # To be pickled makes an object slower for good; what was just loaded is not.
        alike: Learner = loads(payload)
        return alike

    def _prune(self) -> None:
        for old in self.paths()[:-_KEPT]:
            old.unlink(missing_ok=True)

    def paths(self) -> list[Path]:
        """Return the files there are, lowest cursor first."""
        if not self.folder.is_dir():
            return []
        return sorted(path for path in self.folder.iterdir() if path.name.isdecimal())

    def retire(self) -> None:
        """Put all checkpoints aside, into a folder that nothing reads."""
        if self.paths():
            aside = self.folder.with_name(f"{self.folder.name}.before-{time.time_ns()}")
            self.folder.rename(aside)

    def oldest(self) -> int | None:
        """Return the cursor of the oldest checkpoint, from which a restart might replay."""
        paths = self.paths()
        return int(paths[0].name) if paths else None

    def size(self) -> int | None:
        """Return the bytes of the newest checkpoint, None where there is none."""
        paths = self.paths()
        return paths[-1].stat().st_size if paths else None

    def load(self, path: Path) -> tuple[Header, Learner]:
        """Return a checkpoint of this partition, once all of it has been verified.

        Raises `CheckpointError` when it is damaged, signed with another key, of another
        topic, or was made with other versions of what decides a guess.
        """
        header, payload = verify(path, self.key)
        for name in ("stream", "learner", "partition", "identity"):
            if getattr(header, name) != getattr(self, name):
                raise CheckpointError(
                    f"checkpoint {str(path)!r} has {name} {getattr(header, name)!r}, this is "
                    f"{getattr(self, name)!r}; use another --state folder"
                )
        if header.versions != versions():
            raise CheckpointError(
                f"checkpoint {str(path)!r} was made with {differences(header.versions)}; "
                "install those versions, or start with --rebuild to replay the stream"
            )
        try:
            learner = loads(payload)
        except Exception as error:
            raise CheckpointError(
                f"checkpoint {str(path)!r} cannot be loaded by this version ({error}); start "
                "with --rebuild to replay the stream"
            ) from error
        if not isinstance(learner, Learner) or learner.cursor != header.cursor:
            raise CheckpointError(f"checkpoint {str(path)!r} holds no learner at its cursor")
        return header, learner
