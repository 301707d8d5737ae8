"""Whatever is strewn among good records, those fare as without it."""

import json
import random
from collections import Counter

import pytest

from learner.config import Config
from learner.loop import learn
from learner.run import Run
from stream.memory import MemoryLog
from stream.records import decode_outcomes, encode
from stream.refusals import REASONS
from stream.topic import samples_of, topic_of
from tests.corpus import KINDS, bad_for, odd
from tests.counts import number
from tests.learner.told import learner, rows, tell
from tests.mutants import mutant

CONFIGS = {
    "tree": {"model": "hoeffding-tree", "policy": "reset", "detector": "adwin"},
    "logistic": {"model": "logistic", "policy": "reset", "detector": "ddm"},
    "sgd": {"model": "sgd", "policy": "none", "grain": 16, "classes": (0, 1)},
    "regression": {"model": "linear", "policy": "reset"},
    "anomaly": {"model": "half-space-trees", "policy": "none"},
}
GOOD = 1200
MUTANTS = number("MUTANTS", 4000)
"""Broken records for each kind of model."""


def good(kind):
    """Return records of all kinds, with a drift in their middle; `open` waits throughout."""
    chance = random.Random(7)
    told = [{"id": "open", "x": {"a": 0.5, "b": 0.5}}]
    late = []
    for i in range(GOOD):
        a, b = chance.random(), chance.random()
        y = i % 2 if i < 2 else int((a > b) == (i < GOOD // 2))
        y = a + 3 * b * (1 if i < GOOD // 2 else -1) if kind == "regression" else y
        x = {"a": a, "b": b if i % 11 else None}
        record = {"id": i, "ts": 1e9 + i, "x": x, "y": y}
        if i % 7 == 5:
            late.append({"id": i, "y": record.pop("y")})
        told.append(record)
        if len(late) > 5:
            told.append(late.pop(0))
        if i % 50 == 49:
            told += [{"id": f"f{i}", "x": x}, {"id": f"f{i}", "forget": True}]
            told.append({"mark": "drift", "at": i})
    told += [*late, {"command": "end-grain"}, {"id": "open", "y": 1}]
    return [json.dumps(record).encode() for record in told]


def strewn(kind, *, seed=11):
    """Return the records of `good`, and the same with all bad ones among them, and those."""
    chance = random.Random(seed)
    clean, bad = good(kind), list(bad_for(kind))
    chance.shuffle(bad)
    # From where `open` waits and both classes are known, to where its label comes.
    places = sorted(chance.choices(range(4, len(clean)), k=len(bad)))
    mixed = list(clean)
    for place, (value, _) in zip(reversed(places), reversed(bad), strict=True):
        mixed.insert(place, value)
    return clean, mixed, bad


def run(log, values, kind, folder):
    """Learn the values on a log; return the summary and the messages of the learner."""
    topic = samples_of(log.stream)
    log.create(topic, partitions=1)
    writer = log.writer("feed")
    for value in values:
        writer.append(topic, value, partition=0)
    writer.commit()
    writer.close()
    how = Run(state=folder, until_end=True, turn=257)
    summary = learn(log, Config(**CONFIGS[kind]), how)
    kinds = ("outcomes", "predictions", "dead")
    topics = [log.topic(topic_of(log.stream, "main", each)) for each in kinds]
    return summary, *([*each.scan(0, 0, each.end()[0])] for each in topics)


def without_places(outcomes):
    """Return rows, events and last totals of messages, without offsets and what is dead."""
    messages = [decode_outcomes(entry.value) for entry in outcomes]
    told = [json.loads(encode(message.rows)) for message in messages]
    columns = [name for name in told[0] if name not in ("offset", "of")]
    out = [[v for each in told for v in each[name]] for name in columns]
    events = [event[1:] for message in messages for event in message.events]
    totals = json.loads(encode(messages[-1].totals))
    return dict(zip(columns, out, strict=True)), events, totals | {"dead": {}}


def check_law(logs, kind, folder):
    """Hold the law on two logs that are alike: what is good is as if it were alone."""
    clean, mixed, bad = strewn(kind)
    summary, outcomes, predictions, dead = run(logs[0], clean, kind, folder / "clean")
    assert not dead
    assert summary.dead == 0
    assert summary.pending == 0

    summary, told, answers, dead = run(logs[1], mixed, kind, folder / "mixed")

    assert without_places(told) == without_places(outcomes)
    answered = [
        [{**json.loads(each.value), "at": None} for each in each_run]
        for each_run in (predictions, answers)
    ]
    assert answered[0] == answered[1]
    assert summary.dead_by_reason == Counter(reason for _, reason in bad)
    reasons = dict(bad)
    wanted = [(n, value) for n, value in enumerate(mixed) if value in reasons]
    assert len(dead) == len(wanted) == len(bad) >= 500
    for letter, (offset, value) in zip(dead, wanted, strict=True):
        assert letter.value == value[: 64 * 1024]
        assert letter.headers["reason"].decode() == reasons[value]
        assert (int(letter.headers["offset"]), int(letter.headers["partition"])) == (offset, 0)
        assert int(letter.headers["size"]) == len(value)
        assert 10 < len(letter.headers["message"]) <= 1024


@pytest.mark.parametrize("kind", KINDS)
def test_good_records_among_bad_ones_fare_as_if_alone(kind, tmp_path):
    """All that is said of them is the same, and each bad one is one dead letter."""
    check_law((MemoryLog(), MemoryLog()), kind, tmp_path)


def test_the_law_was_held_where_much_happens(tmp_path):
    """Models are replaced, and labels come late: else the law would say little."""
    for kind in ("tree", "logistic", "regression"):
        summary, *_ = run(MemoryLog(), good(kind), kind, tmp_path / kind)
        assert summary.resets >= 1, kind
        assert (summary.samples, summary.pending) == (GOOD + 1 + GOOD // 50, 0), kind
        assert summary.scored > GOOD * 0.98, kind


@pytest.mark.parametrize(
    "log", ["sqlite", pytest.param("kafka", marks=pytest.mark.kafka)], indirect=True
)
def test_a_log_on_disk_carries_the_bad_ones_too(log, tmp_path):
    """No byte of them disturbs a file or a broker, and all is as in memory without them."""
    check_law((MemoryLog(), log), "logistic", tmp_path)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_odd_but_good_is_learned(kind):
    """Each has its row, under its own id, and is no dead letter."""
    told = learner(**CONFIGS[kind])
    values = [value for _, value in odd()]

    turn = tell(told, *good(kind)[:40], *values, *good(kind)[40:])

    assert not turn.dead
    ids = {row["id"] for row in rows(turn)}
    for n, value in enumerate(values, 40):
        own = json.loads(value.replace(b"9" * 5000, b"9")).get("id")
        assert (f"0@{n}" if own is None else own) in ids, value
    calm = [
        row["flag"] for row in rows(turn)[-300:-1]
    ]  # the last was asked first, before any lesson
    assert calm.count(0) == len(calm)


@pytest.mark.parametrize("kind", KINDS)
def test_no_stream_of_mutants_ends_a_learner(kind, report):
    """Each does what it says or is a dead letter, and good ones go on after them."""
    chance = random.Random(f"mutants {kind}")
    told = learner(**CONFIGS[kind])
    tell(told, *good(kind)[:100])
    taken = Counter()
    for _ in range(MUTANTS // 500):
        turn = tell(told, *(mutant(chance) for _ in range(500)), answer="all")
        taken.update(error.reason for _, _, error in turn.dead)
        taken["rows"] += len(turn.rows)
    assert taken.keys() - {"rows"} <= REASONS.keys()
    assert taken["rows"] > MUTANTS // 400

    turn = tell(told, *good(kind)[100:600])

    report(mutants=MUTANTS, taken=taken.total(), rows=taken["rows"])
    assert len(turn.rows) > 300
    assert {error.reason for _, _, error in turn.dead} <= {"unknown_id", "duplicate_question"}
