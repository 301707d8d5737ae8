"""What a copy of other topics writes, and what a second one adds."""

import contextlib
import dataclasses
import json
import random
import threading
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from producer import answers, copying, inlets
from producer.copying import copy
from producer.topics import Copy
from stream.errors import Fenced, SettingError
from stream.mapping import FieldMap
from stream.memory import MemoryLog
from stream.records import decode
from stream.sqlite import SqliteLog
from stream.topic import partition_of
from tests.producer.mortal import CrashError, MortalLog

ORDER = FieldMap(id="order.id", x=["customer", "total"])
PAYMENT = FieldMap(id="for", y="result.paid", x=())


class World:
    """Topics of somebody else's, at addresses as of a broker."""

    def __init__(self, patch):
        self.log = MemoryLog("world")
        patch.setattr(copying, "open_topic", lambda url, *_, **__: (self, self.topic(url)))

    def topic(self, url):
        return self.log.topic(url.rpartition("/")[2])

    def close(self):
        """Stay: the next copy reads on."""

    def fill(self, name, records, partitions=1):
        """Write (partition, time, content) to a topic."""
        self.log.create(name, partitions=partitions)
        writer = self.log.writer("w")
        for p, at, content in records:
            value = content if isinstance(content, bytes) else json.dumps(content).encode()
            writer.append(name, value, partition=p, timestamp=at)
        writer.commit()


@pytest.fixture
def world(monkeypatch):
    """Give topics of somebody else's."""
    return World(monkeypatch)


def order(n):
    """Return an order as a shop would write it."""
    return {"order": {"id": f"o-{n}"}, "customer": {"age": n}, "total": n / 2}


def payment(n):
    """Return what became of an order."""
    return {"for": f"o-{n}", "result": {"paid": n % 3 == 0}}


ORDERS = Copy(source="kafka://b/orders", mapping=ORDER, until_end=True)
BOTH = Copy(
    source="kafka://b/orders",
    mapping=ORDER,
    labels="kafka://b/payments",
    labels_mapping=PAYMENT,
    until_end=True,
)


def stored(log):
    """Return key and content of all records, by partition."""
    topic = log.topic(f"{log.stream}.samples")
    return [
        [(entry.key, json.loads(entry.value)) for entry in topic.scan(p, 0, topic.end()[p])]
        for p in range(topic.partitions)
    ]


def ids(records):
    """Return the ids of records, the label's in brackets."""
    return [f"[{it['id']}]" if "y" in it and "x" not in it else it["id"] for _, it in records]


def test_what_would_be_too_large_to_read_is_left_out_of_a_copy(world):
    """Its features' names repeat the way to them; what is copied every reader takes."""
    wide = [{"k" * 300: {str(n): 0 for n in range(width)}} for width in (5, 850, 5)]
    world.fill("orders", [(0, 1.0, content) for content in wide])
    log = MemoryLog()

    copied = copy(log, Copy(source="kafka://b/orders", mapping=FieldMap(), until_end=True))

    assert copied.skipped == {"too_large": 1}
    topic = log.topic("memory.samples")
    assert [decode(entry.value).id for entry in topic.scan(0, 0, topic.end()[0])] == [
        "0@0",
        "0@2",
    ]


def test_records_of_somebody_elses_become_samples(world):
    """Each goes to the partition of its id, with the time at which it was written."""
    world.fill("orders", [(n % 2, 100.0 + n, order(n)) for n in range(20)], partitions=2)
    log = MemoryLog()
    log.create("memory.samples", partitions=3)

    copied = copy(log, ORDERS)

    found = stored(log)
    for p, records in enumerate(found):
        assert all(partition_of(key, 3) == p for key, _ in records)
    contents = sorted((it for records in found for _, it in records), key=lambda it: it["ts"])
    assert contents == [
        {"id": f"o-{n}", "ts": 100.0 + n, "x": {"customer.age": n, "total": n / 2}}
        for n in range(20)
    ]
    assert (copied.samples, copied.questions, copied.stopped) == (20, 20, False)
    assert copied.cursor == {"samples": {0: 10, 1: 10}}


def test_a_record_without_an_id_is_called_after_its_place(world):
    """Its partition and offset are as good as any name."""
    world.fill("orders", [(1, 5.0, {"a": 1, "paid": True})], partitions=2)
    log = MemoryLog()

    copy(log, Copy(source="kafka://b/orders", mapping=FieldMap(y="paid"), until_end=True))

    assert stored(log) == [[(b"1@0", {"id": "1@0", "ts": 5.0, "x": {"a": 1}, "y": True})]]


def test_labels_come_behind_their_samples(world):
    """By the times of records, and where those lie, by what was there before."""
    world.fill("orders", [(0, 10.0 * n, order(n)) for n in range(6)])
    # The clock of whoever writes payments is half a minute slow.
    world.fill("payments", [(0, 10.0 * n - 25, payment(n)) for n in (0, 1, 2, 5, 4, 9)])
    log, said = MemoryLog(), []

    copied = copy(log, BOTH, say=said.append)

    (records,) = stored(log)
    assert ids(records) == [
        *("o-0", "[o-0]", "o-1", "[o-1]", "o-2", "[o-2]", "o-3", "o-4", "[o-4]"),
        *("o-5", "[o-5]", "[o-9]"),
    ]
    assert records[1] == (b"o-0", {"id": "o-0", "y": True})
    assert (copied.labels, copied.unmatched) == (6, 1)
    (sentence,) = (it for it in said if "no sample" in it)
    assert "the label of 'o-9'" in sentence


def test_what_came_while_labels_were_read_counts_too(world):
    """A label read after its sample was written is behind it, in the middle of a read too."""
    world.fill("orders", [(0, 50.0, order(0))])
    world.fill("payments", [])
    log, payments, left = MemoryLog(), world.topic("payments"), [1, 2, 3]
    end = payments.end

    def busy():
        if left and log.topic("memory.samples"):
            n = left.pop(0)
            world.fill("orders", [(0, 60.0 + n, order(n))])
            world.fill("payments", [(0, 10.0 + n, payment(n))])
        return end()

    wanted, asked = dataclasses.replace(BOTH, until_end=False), 0

    def stopping():
        nonlocal asked
        asked += 1
        payments.end = busy
        return asked > 50

    copied = copy(log, wanted, stopping=stopping)

    assert ids(stored(log)[0]) == [
        "o-0",
        *(it for n in (1, 2, 3) for it in (f"o-{n}", f"[o-{n}]")),
    ]
    assert copied.unmatched == 0


def test_labels_held_back_at_a_crash_are_held_back_again(world, monkeypatch):
    """They are read once more, and go behind their samples, each once."""
    monkeypatch.setattr(copying, "BATCH", 1)
    world.fill("orders", [(0, 10.0 + n, order(n)) for n in range(6)])
    world.fill("payments", [(0, float(n), payment(n)) for n in (4, 2, 0)])
    for calls in range(14):
        log = MortalLog()
        log.create("memory.samples", partitions=1)
        log.dies_after = calls
        with contextlib.suppress(CrashError):
            copy(log, BOTH)
        log.dies_after = None
        copy(log, BOTH)
        expected = ["o-0", "[o-0]", "o-1", "o-2", "[o-2]", "o-3", "o-4", "[o-4]", "o-5"]
        assert ids(stored(log)[0]) == expected


def test_labels_are_not_held_without_bound(world, monkeypatch):
    """The oldest of too many goes as it is; a sample too long ago is as good as none."""
    monkeypatch.setattr(answers, "HELD", 2)
    world.fill("orders", [(0, 10.0 + n, order(n)) for n in range(5)])
    world.fill("payments", [(0, float(n), payment(n)) for n in range(5)])
    log = MemoryLog()

    copied = copy(log, BOTH)

    (records,) = stored(log)
    assert ids(records) == [
        *("[o-0]", "[o-1]", "[o-2]", "o-0", "o-1", "o-2", "o-3", "[o-3]", "o-4", "[o-4]")
    ]
    assert copied.unmatched == 3

    monkeypatch.setattr(answers, "KNOWN", 2)
    world.fill("payments", [(0, 90.0, payment(0)), (0, 91.0, payment(4))])
    assert copy(log, BOTH).unmatched == 1
    assert ids(stored(log)[0])[-2:] == ["[o-0]", "[o-4]"]


def test_what_cannot_be_read_is_left_out_and_counted(world):
    """Each reason is told once, with the place where it was met first."""
    bad = [(0, 1.0, b"{"), (0, 2.0, order(1)), (0, 3.0, {"order": {}}), (0, 4.0, b"{")]
    world.fill("orders", bad)
    world.fill("payments", [(0, 5.0, {"for": "o-1"})])
    log, said = MemoryLog(), []

    copied = copy(log, BOTH, say=said.append)

    assert ids(stored(log)[0]) == ["o-1"]
    assert copied.skipped == {"truncated": 2, "missing_id": 1, "missing_label": 1}
    assert [it.partition(" ")[0] for it in said] == [
        "orders[0]@0",
        "orders[0]@2",
        "payments[0]@0",
    ]


def test_our_own_form_is_copied_as_it_is(world):
    """Byte for byte, wishes too; commands and marks stand in every partition again."""
    own = [
        b'{"command":"declare","classes":[0,1]}',
        b'{"id": 1,  "ts": 1.0, "x": {"a": 1}, "y": 0, "more": 5}',
        b'{"mark":"drift","kind":"abrupt","at":1,"width":1}',
        b'{"id":1,"forget":true}',
        b'{"id":1,"y":1}',
    ]
    world.fill("s.samples", [(p, float(n), own[n]) for n in (0, 1, 2, 3, 4) for p in (0, 1)], 2)
    for partitions, times in ((1, 1), (2, 2), (3, 3)):
        log = MemoryLog()
        log.create("memory.samples", partitions=partitions)
        copy(log, Copy(source="kafka://b/s.samples", until_end=True))
        topic = log.topic("memory.samples")
        values = [e.value for p in range(partitions) for e in topic.scan(p, 0, topic.end()[p])]
        assert [values.count(value) for value in own] == [times, 2, times, 2, 2]


def test_a_second_run_adds_what_is_new(world):
    """And says where it goes on; with labels that were not asked for before, all of them."""
    world.fill("orders", [(0, float(n), order(n)) for n in range(5)])
    world.fill("payments", [(0, float(n), payment(n)) for n in range(4)])
    log, said = MemoryLog(), []
    copy(log, ORDERS)
    world.fill("orders", [(0, 9.0, order(5))])

    again = copy(log, ORDERS, say=said.append)
    with_labels = copy(log, BOTH)
    last = copy(log, ORDERS)

    assert (again.samples, with_labels.samples, with_labels.labels) == (1, 0, 4)
    assert (last.samples, last.labels) == (0, 0)
    assert said == ["orders was copied up to 0@5; going on behind it"]
    assert ids(stored(log)[0]) == [
        *(f"o-{n}" for n in range(6)),
        *(f"[o-{n}]" for n in range(4)),
    ]


def test_what_comes_while_it_copies_to_the_end_is_left_to_the_next(world, monkeypatch):
    """It lies behind the end, and so behind where the next copy begins."""
    world.fill("orders", [(0, 1.0 * n, order(n)) for n in range(10)])
    late = iter([[(0, 1.0 * n, order(n)) for n in range(10, 15)]])

    def fill(*args):
        for records in late:
            world.fill("orders", records)
        return inlets.fill(*args)

    monkeypatch.setattr(copying, "fill", fill)
    log = MemoryLog()
    first, second = copy(log, ORDERS), copy(log, ORDERS)

    assert (first.samples, second.samples) == (10, 5)
    assert first.cursor == {"samples": {0: 10}}
    assert ids(stored(log)[0]) == [f"o-{n}" for n in range(15)]


def test_a_topic_that_was_made_anew_is_another(world):
    """It is copied from its start."""
    world.fill("orders", [(0, 1.0, order(1))])
    log = MemoryLog()
    copy(log, ORDERS)
    del world.log._topics["orders"]
    world.fill("orders", [(0, 1.0, order(2))])

    copy(log, ORDERS)

    assert ids(stored(log)[0]) == ["o-1", "o-2"]


def test_what_retention_took_is_passed_over(world):
    """It is said, and the copy goes on with what is left."""
    world.fill("orders", [(0, float(n), order(n)) for n in range(5)])
    log, said = MemoryLog(), []
    copy(log, ORDERS)
    world.fill("orders", [(0, float(n), order(n)) for n in range(5, 9)])
    world.topic("orders").drop(0, 7)

    copied = copy(log, ORDERS, say=said.append)

    assert copied.samples == 2
    assert any(it.startswith("orders[0]@5 to 6 are no longer kept") for it in said)


def test_partitions_that_are_added_to_a_source_are_read_too(world, monkeypatch):
    """By a copy that goes on for ever, which says so; labels do not mind."""
    monkeypatch.setattr(copying, "_EVERY", 0.0)
    world.fill("orders", [(0, 1.0, order(0))])
    world.fill("payments", [(0, 1.0, payment(0))])
    turns, said = iter(range(20)), []

    def stopping():
        turn = next(turns, None)
        if turn == 3:
            world.log.widen("orders", 2)
            world.fill("orders", [(1, 2.0, order(1))])
        if turn == 9:
            world.fill("payments", [(0, 3.0, payment(1))])
        return turn is None

    wanted = dataclasses.replace(BOTH, until_end=False)
    copied = copy(MemoryLog(), wanted, stopping=stopping, say=said.append)

    assert (copied.samples, copied.labels, copied.unmatched) == (2, 2, 0)
    assert copied.cursor["samples"] == {0: 1, 1: 1}
    assert any(it.startswith("orders has grown from 1 to 2 partitions") for it in said)


def test_classes_are_declared_to_a_new_stream(world):
    """In front of everything, and once."""
    world.fill("orders", [(0, 1.0, order(1))])
    log = MemoryLog()
    wanted = Copy(
        source="kafka://b/orders", mapping=ORDER, until_end=True, classes=[True, False]
    )

    copy(log, wanted)
    copy(log, wanted)

    (records,) = stored(log)
    assert records[0] == (None, {"command": "declare", "classes": [True, False]})
    assert len(records) == 2


def test_a_newer_copy_fences_an_older(world):
    """When the same copy is started elsewhere, the first one ends and has added nothing."""
    world.fill("orders", [(0, float(n), order(n)) for n in range(9)])
    log, asked = MemoryLog(), 0

    def stopping():
        nonlocal asked
        asked += 1
        if asked == 2:
            copy(log, ORDERS)
        return False

    with pytest.raises(Fenced):
        copy(log, ORDERS, stopping=stopping)
    assert len(stored(log)[0]) == 9


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"labels": "kafka://b/p", "mapping": FieldMap(y="a")}, "and mapping has none"),
        (
            {"labels": "kafka://b/p", "labels_mapping": FieldMap(y="a")},
            "labels_mapping has none",
        ),
        ({"labels_mapping": PAYMENT}, "labels_mapping is for labels"),
        ({"classes": ["a", "b", "a"]}, "classes must differ"),
        ({"partitions": 0}, "partitions must be a whole number of 1 or more"),
    ],
)
def test_what_cannot_be_meant_is_refused(settings, sentence):
    """In a sentence, before anything is opened."""
    with pytest.raises(SettingError, match=sentence):
        Copy(source="kafka://b/orders", **settings)


def test_a_topic_is_not_copied_into_itself(tmp_path):
    """It would never end; and labels are not the source they belong to."""
    log = SqliteLog(tmp_path / "s.db")
    log.create("local.samples", partitions=1)
    url = f"sqlite:{tmp_path / 's.db'}"
    with pytest.raises(SettingError, match="would be copied into itself"):
        copy(log, Copy(source=url))
    other = MemoryLog()
    with pytest.raises(SettingError, match="is the source itself"):
        copy(other, Copy(source=url, labels=url))
    with pytest.raises(SettingError, match="no embedded log at"):
        copy(other, Copy(source=f"sqlite:{tmp_path / 'none.db'}"))
    log.close()


def test_it_follows_for_ever(tmp_path):
    """What comes later is copied soon, labels behind samples, until it is asked to stop."""
    paths = [tmp_path / f"{name}.db" for name in ("orders", "payments", "ours")]
    logs = [SqliteLog(path, sync="OFF") for path in paths]
    writers = []
    for log in logs[:2]:
        log.create("local.samples", partitions=1)
        writers.append(log.writer("w"))
    stop, wanted = (
        threading.Event(),
        Copy(
            source=f"sqlite:{paths[0]}",
            mapping=ORDER,
            labels=f"sqlite:{paths[1]}",
            labels_mapping=PAYMENT,
        ),
    )
    copying = threading.Thread(
        target=copy, args=(logs[2], wanted), kwargs={"stopping": stop.is_set}
    )
    copying.start()
    delays = []
    try:
        for n in range(20):
            start = time.monotonic()
            for writer, content in zip(writers, (order(n), payment(n)), strict=True):
                writer.append("local.samples", json.dumps(content).encode(), timestamp=0.0)
                writer.commit()
            while True:
                with contextlib.suppress(Exception):
                    if logs[2].topic("local.samples").end()[0] == 2 * n + 2:
                        break
                assert time.monotonic() - start < 20
                time.sleep(0.002)
            delays.append(time.monotonic() - start)
    finally:
        stop.set()
        copying.join()
    assert ids(stored(logs[2])[0]) == [it for n in range(20) for it in (f"o-{n}", f"[o-{n}]")]
    # A machine that is busy makes some of them late, a copy that waits for more makes all.
    assert min(delays) < 0.5
    for log in logs:
        log.close()


events = st.lists(
    st.tuples(st.booleans(), st.integers(0, 2), st.integers(0, 12), st.integers(0, 30)),
    max_size=40,
)


@settings(deadline=None)
@example(
    events=[(False, 0, 0, 0)] * 14 + [(False, 0, 0, 1), (True, 0, 0, 1), (True, 1, 1, 0)],
    lives=[(18, False)],
    partitions=1,
    batch=5,
    held=1,
    at_once=1,
)
@given(
    events=events,
    lives=st.lists(st.tuples(st.integers(0, 25), st.booleans()), max_size=6),
    partitions=st.integers(1, 3),
    batch=st.integers(1, 12),
    held=st.integers(0, 5),
    at_once=st.integers(1, 9),
)
def test_no_crash_shows_in_what_was_copied(events, lives, partitions, batch, held, at_once):
    """Killed at any call and at any commit, in any number of lives: the topic is the same.

    All but the places of labels whose sample never comes: how long one is waited for is
    decided by what was there when it was read, and a restart reads it later.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(copying, "BATCH", batch)
        patch.setattr(answers, "HELD", held)
        patch.setattr(inlets, "_AT_ONCE", at_once)
        patch.setattr(inlets, "_MANY", 2 * at_once)
        world = World(patch)
        for name, label in (("orders", False), ("payments", True)):
            world.fill(
                name,
                [
                    (p, float(at), (payment if label else order)(n))
                    for is_label, p, n, at in events
                    if is_label == label
                ],
                partitions=3,
            )
        mortal, whole = MortalLog(), MemoryLog()
        for log in (mortal, whole):
            log.create("memory.samples", partitions=partitions)
        copy(whole, BOTH)
        for mortal.dies_after, mortal.half in [*lives, (None, False)]:
            with contextlib.suppress(CrashError):
                copy(mortal, BOTH)

    orders = {n for is_label, _, n, _ in events if not is_label}
    lost = {f"o-{n}" for is_label, _, n, _ in events if is_label and n not in orders}
    mine, theirs = stored(mortal), stored(whole)
    for one, other in zip(mine, theirs, strict=True):
        assert sorted(map(repr, one)) == sorted(map(repr, other))
        assert [r for r in one if r[1]["id"] not in lost] == [
            r for r in other if r[1]["id"] not in lost
        ]
    found = [it for records in theirs for _, it in records]
    labels = [is_label for is_label, *_ in events]
    assert sum("x" in it for it in found) == labels.count(False)
    assert sum("x" not in it for it in found) == labels.count(True)


def test_order_is_by_time_and_kept_within_partitions():
    """Against sorting: times that rise within each partition give one sorted sequence."""
    rng = random.Random(3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inlets, "_AT_ONCE", 7)
        world = World(patch)
        times = sorted(rng.sample(range(10_000), 400))
        world.fill("orders", [(rng.randrange(5), float(at), order(at)) for at in times], 5)
        log = MemoryLog()
        copy(log, ORDERS)

    topic = log.topic("memory.samples")
    assert [decode(it.value).ts for it in topic.scan(0, 0, 400)] == times
