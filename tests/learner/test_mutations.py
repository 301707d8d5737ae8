"""Records with something wrong in them, by the thousand, through a learner on a log on disk."""

import json
import random

import pytest

from learner.config import Config
from learner.loop import learn
from learner.run import Run
from stream.errors import RecordError
from stream.records import decode, decode_outcomes
from stream.refusals import REASONS
from stream.sqlite import SqliteLog
from tests.corpus import KINDS
from tests.counts import number
from tests.learner.test_corpus import CONFIGS
from tests.mutants import mutant

MUTATIONS = number("MUTATIONS", 2000)
"""Mutants in all, shared out among the kinds of models."""
_EVERY = 8
"""Among so many mutants stands one good record."""


def filled(path, kind, count):
    """Return a log with that many mutants, and good records among them."""
    chance, log = random.Random(f"mutations {kind}"), SqliteLog(path)
    log.create("local.samples", partitions=1)
    writer = log.writer("stranger")
    for n in range(count):
        if n % _EVERY == 0:
            y = chance.random() if kind == "regression" else n // _EVERY % 2
            good = {
                "id": f"good {n}",
                "ts": 1e9 + n,
                "x": {"a": chance.random(), "b": 1},
                "y": y,
            }
            writer.append("local.samples", json.dumps(good).encode(), partition=0)
        writer.append("local.samples", mutant(chance), partition=0)
        if n % 5000 == 4999:
            writer.commit()
    writer.commit()
    return log


def scanned(log, kind):
    """Return all entries of one of the learner's topics."""
    topic = log.topic(f"local.main.{kind}")
    return topic.scan(0, 0, topic.end()[0])


def told(log):
    """Return the offsets of records of which something was said, dead letters aside."""
    found = set()
    for each in scanned(log, "outcomes"):
        message = decode_outcomes(each.value)
        found.update(message.rows.offset)
        found.update(
            at for at, kind, _ in message.events if kind in ("mark", "declare", "forget")
        )
    for each in scanned(log, "predictions"):
        found.add(int(json.loads(each.value)["at"].partition("@")[2]))
    return found


@pytest.mark.timeout(1500)
@pytest.mark.parametrize("kind", KINDS)
def test_every_mutant_is_taken_or_refused_with_a_reason(tmp_path, kind, report):
    """The learner comes to the end, every good record is scored, and none is left out."""
    count = max(1, MUTATIONS // len(KINDS))
    log = filled(tmp_path / "log.db", kind, count)
    how = Run(state=tmp_path, until_end=True, answer="all", breaker="off")

    summary = learn(log, Config(**CONFIGS[kind]), how)

    samples = log.topic("local.samples")
    end = samples.end()[0]
    assert summary.cursor == {"0": end}
    dead = {int(each.headers["offset"]): each.headers for each in scanned(log, "dead")}
    assert {headers["reason"].decode() for headers in dead.values()} <= REASONS.keys()
    assert all(headers["message"] for headers in dead.values())
    assert len(dead) == summary.dead
    said = told(log)
    for entry in samples.scan(0, 0, end):
        if b'"good ' in entry.value[:20] and entry.value.startswith(b'{"id": "good'):
            assert entry.offset in said
        elif entry.offset not in said and entry.offset not in dead:
            assert _ends_grain(entry.value), entry.value
    report(mutants=count, dead=len(dead))
    log.close()


def _ends_grain(value):
    """Whether a record is the one kind of which nothing is said."""
    try:
        return decode(value).command == "end-grain"
    except RecordError:
        return False
