"""The learners of a stream: how far they are, and whether each could start again."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from driftline.doctor.finding import Case, Finding, Skipped, failed, ok, warn
from stream.errors import CheckpointError, StreamError, TopicMissing
from stream.told import newest_outcomes
from stream.topic import Topic, group_of, topic_of

if TYPE_CHECKING:
    from learner.shelf import Entry, Shelf
    from learner.signed import Header

_NEAR = 0.5
"""Of the retention, the age of the oldest record needed from which on there is a warning."""


def cursors(case: Case) -> Iterator[Finding]:
    """Say how far each learner is behind the end of the samples."""
    log, samples = case.reached(), case.samples()
    first, end = samples.first(), samples.end()
    for name in _names(case):
        group = group_of(log.stream, name)
        committed = log.committed(group)
        if not committed:
            yield warn(
                f"{name} ({group}) has no cursor", f"run 'driftline learn --name {name}'"
            )
            continue
        lag = sum(max(0, end[p] - committed.get(p, first[p])) for p in end)
        places = ", ".join(f"{p}: {committed[p]} of {end.get(p, 0)}" for p in sorted(committed))
        text = f"{name} ({group}) stands at {places}, {lag:,} behind"
        if any(committed[p] > end.get(p, 0) for p in committed):
            yield failed(
                f"{text}, beyond the end of the topic",
                "the topic was made anew: go on under another --name",
            )
        elif any(committed.get(p, first[p]) < first[p] for p in first):
            yield failed(
                f"{text}, before the oldest record kept",
                "lengthen the retention, and start the learner with --fresh",
            )
        elif lag:
            yield warn(text, f"see whether 'driftline learn --name {name}' is running")
        else:
            yield ok(text)


def outcomes(case: Case) -> Iterator[Finding]:
    """Say what each learner's sums come to, and whether most records were refused."""
    log = case.reached()
    for name in _names(case):
        try:
            topic = log.topic(topic_of(log.stream, name, "outcomes"))
        except TopicMissing:
            continue
        found = [newest_outcomes(topic, p) for p in range(topic.partitions)]
        totals = [each[1].totals for each in found if each is not None]
        samples = sum(each.samples for each in totals if each)
        reasons: Counter[str] = Counter()
        for each in totals:
            reasons.update(each.dead if each else {})
        dead = reasons.total()
        text = f"{name} has learned {samples:,} samples and refused {dead:,} records"
        if dead > samples:
            report = warn if samples else failed
            why = ", ".join(f"{reason} {count:,}" for reason, count in reasons.most_common(3))
            yield report(
                f"{text}: {why}",
                "see 'driftline dead'; a model that takes such records needs another --name",
            )
        else:
            yield ok(text)


def checkpoints(case: Case) -> Iterator[Finding]:
    """Check the newest checkpoints of each learner, without loading any."""
    from learner.state import shelf_of

    log, samples = case.reached(), case.samples()
    key = _key(case)
    for name in _names(case):
        committed = log.committed(group_of(log.stream, name))
        for p in range(samples.partitions):
            shelf = shelf_of(case.state, log.stream, name, p, key)
            yield from _of_partition(case, name, p, shelf, key, samples, committed.get(p))


def _of_partition(
    case: Case,
    name: str,
    p: int,
    shelf: Shelf,
    key: bytes | None,
    samples: Topic,
    committed: int | None,
) -> Iterator[Finding]:
    where = f"{name}, partition {p}"
    try:
        entries = shelf.entries()
    except OSError as error:
        yield failed(f"{where}: {shelf.place!r} cannot be read: {error}", "correct --state")
        return
    if not entries:
        yield from _without(where, shelf.place, p, samples)
        return
    header = None
    for entry in entries:
        header, wrong = _looked_at(shelf, entry, key)
        if wrong is not None:
            yield warn(f"{where}: {wrong}", "the one before it is used, or the stream replayed")
    if header is None:
        return
    newest = entries[-1]
    age = f", {_age(time.time() - newest.written)} old" if newest.written else ""
    signed = "signature fine" if key else "signature not checked, there is no key"
    count = f"{len(entries)} checkpoint{'s' * (len(entries) != 1)}"
    yield ok(f"{where}: {count}, the newest at {header.cursor}{age}, {signed}")
    if header.identity != samples.identity:
        yield failed(
            f"{where}: the checkpoint is of another topic of the same name",
            "name the right --state folder, or start with --fresh",
        )
    if committed is not None and header.cursor > committed:
        yield warn(
            f"{where}: the checkpoint at {header.cursor} is ahead of the cursor {committed}",
            "nothing: the next start passes it over",
        )
    yield from _configuration(case, where, header.config, header.settings)
    yield from _kept(where, header.cursor, p, samples)


def _looked_at(
    shelf: Shelf, entry: Entry, key: bytes | None
) -> tuple[Header | None, CheckpointError | None]:
    """Return what a checkpoint says of itself, where it can be told, and what is wrong."""
    from learner.signed import read_header, verify

    header = None
    try:
        body = shelf.read(entry)
        header = read_header(entry.name, body)
        if key is not None:
            verify(entry.name, body, key)
    except OSError as error:
        return None, CheckpointError(f"checkpoint {entry.name!r} cannot be read: {error}")
    except CheckpointError as error:
        return header, error
    return header, None


def _configuration(
    case: Case, where: str, theirs: str, settings: dict[str, object] | None
) -> Iterator[Finding]:
    ours = case.config()
    if theirs == ours.hash:
        yield ok(f"{where}: made with the present settings")
        return
    known = ours.differences(settings) if settings is not None else []
    what = ", ".join(known) or f"configuration {theirs} (now {ours.hash})"
    yield warn(
        f"{where}: made with other settings than those of 'driftline learn' now: {what}",
        "flags of a learner are not known here: start it with those it had, or with --rebuild, "
        "--fresh or another --name",
    )


def _without(where: str, place: str, p: int, samples: Topic) -> Iterator[Finding]:
    first = samples.first()[p]
    if first:
        yield warn(
            f"{where}: no checkpoint in {place!r}, and the samples begin at {first}",
            "name the right --state folder; else only --fresh starts it again",
        )
    else:
        yield warn(
            f"{where}: no checkpoint in {place!r}",
            "name the right --state folder, or let it replay the stream",
        )


def _kept(where: str, cursor: int, p: int, samples: Topic) -> Iterator[Finding]:
    """Look whether what a restart would read is kept, and for how long still."""
    first, end = samples.first()[p], samples.end()[p]
    if cursor < first:
        yield failed(
            f"{where}: a restart needs {cursor}, and the samples begin at {first}",
            "start it with --fresh, and lengthen the retention",
        )
        return
    try:
        seconds = samples.retention().seconds
    except StreamError as error:
        found, _, advice = str(error).partition("; ")
        yield warn(f"{where}: retention is unknown: {found}", advice)
        return
    needed = next(iter(samples.scan(p, cursor, min(cursor + 1, end))), None)
    if seconds is None or needed is None:
        yield ok(f"{where}: all that a restart needs is kept")
        return
    age = time.time() - needed.timestamp
    if age > _NEAR * seconds:
        yield warn(
            f"{where}: the oldest record a restart needs is {_age(age)} old, and kept for "
            f"{_age(seconds)}",
            "start the learner soon, or lengthen the retention",
        )
    else:
        yield ok(f"{where}: what a restart needs is kept for {_age(seconds - age)} more")


def _names(case: Case) -> list[str]:
    names = case.learners()
    if not names:
        raise Skipped("no learner has been here")
    return names


def _key(case: Case) -> bytes | None:
    """Return the key that signs checkpoints, if there is one; to look makes none."""
    from learner.keys import has_key, key_of

    if not has_key(case.state, case.key_file):
        return None
    return key_of(case.state, case.key_file)


def _age(seconds: float) -> str:
    """Return a time span for a person.

    >>> _age(5), _age(7200), _age(864_000)
    ('5 s', '2.0 h', '10.0 days')
    """
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 2 * 86_400:
        return f"{seconds / 3600:.1f} h"
    return f"{seconds / 86_400:.1f} days"
