"""A past that is learned again: which range of the samples, and under which name.

A past has a name of its own, so that nothing of a live learner is touched: neither its topics
nor its cursors nor its checkpoints. What it is stands in a file beside its checkpoints, written
before anything else is: a learner that has a cursor and no such file is a live one.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from learner.config import Config
from learner.state import State, is_url, shown_state
from stream.errors import SettingError, TopicMissing
from stream.span import Span, span
from stream.topic import Log, Topic, group_of, topic_of

_FILE = "past.json"
_FOREVER = 2**62
"""An offset that no partition reaches."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A range as it was asked for: `begin` and `end` as `stream.span.offsets` reads them."""

    begin: str | None
    end: str | None

    def name(self, config: Config, samples: Topic) -> str:
        """Return a name that is this range's and this configuration's alone."""
        what = json.dumps([self.begin, self.end, config.hash, samples.identity])
        return f"past-{hashlib.sha256(what.encode()).hexdigest()[:12]}"


def enter(
    asked: Asked, log: Log, samples: Topic, config: Config, state: State, name: str
) -> Span:
    """Return the range that the learner `name` is to learn, the same after every restart.

    Raises `SettingError` where that is the name of a live learner, or of another past, or
    where the range cannot be; `CursorExpired` where its beginning is no longer kept.
    """
    if is_url(state):
        raise SettingError(
            f"--state {shown_state(state)!r} is no folder, and a range of the past is learned "
            "into one of this machine; leave --state away or give a folder"
        )
    file = Path(state) / log.stream / name / _FILE
    known = _read(file)
    if known is None:
        if log.committed(group_of(log.stream, name)) or _said(log, name):
            raise SettingError(
                f"learner {name!r} is there already, and what it has said is not to be "
                "touched; give a --name that is new"
            )
        found = span(samples, asked.begin, asked.end)
        _write(file, asked, samples, found)
        return found
    if (known["begin"], known["end"]) != (asked.begin, asked.end):
        raise SettingError(
            f"learner {name!r} has learned another past, --from {known['begin']} --to "
            f"{known['end']}; give a --name that is new"
        )
    if known["identity"] != samples.identity:
        raise SettingError(
            f"learner {name!r} has learned the past of another topic of the name "
            f"{samples.name!r}; give a --name that is new"
        )
    return Span(*({int(p): at for p, at in known[end].items()} for end in ("start", "stop")))


def refuse_past(log: Log, state: State, name: str) -> None:
    """Raise `SettingError` where `name` is that of a past, which no live learner may have."""
    if not is_url(state) and _read(Path(state) / log.stream / name / _FILE) is not None:
        raise SettingError(
            f"learner {name!r} has learned a range of the past and is no live one; choose "
            "another --name"
        )


def let_go(log: Log, name: str, cursor: Mapping[str, int], wanted: Span) -> None:
    """Let retention go on behind a past that is learned: nobody will read it again for it.

    `cursor` says where each partition stands, by its number as text.
    """
    over = [p for p, stop in wanted.stop.items() if cursor.get(str(p), -1) >= stop]
    log.hold(group_of(log.stream, name), dict.fromkeys(over, _FOREVER))


def _said(log: Log, name: str) -> bool:
    try:
        outcomes = log.topic(topic_of(log.stream, name, "outcomes"))
    except TopicMissing:
        return False
    return any(outcomes.end().values())


def _read(file: Path) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = json.loads(file.read_text())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        raise SettingError(
            f"{str(file)!r} cannot be read: {error}; choose another --name"
        ) from error
    return found


def _write(file: Path, asked: Asked, samples: Topic, found: Span) -> None:
    text = json.dumps(
        {
            "begin": asked.begin,
            "end": asked.end,
            "identity": samples.identity,
            "start": found.start,
            "stop": found.stop,
        }
    )
    beside = file.with_name(f".{file.name}.{os.getpid()}.tmp")
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        beside.write_text(text)
        beside.replace(file)
    except OSError as error:
        raise SettingError(
            f"--state folder {str(file.parent)!r} cannot be used: {error}; choose another"
        ) from error
