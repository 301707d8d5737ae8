"""A learner on somebody else's topic: what its mapping finds is all it hears."""

import json
import random

import pytest

from learner.config import Config
from learner.learner import Learner
from learner.loop import learn
from learner.run import Run
from stream.errors import SettingError
from stream.mapping import FieldMap
from stream.memory import MemoryLog
from stream.records import Record, encode
from stream.topic import Batch

MAPPING = FieldMap(id="order.id", ts="order.placed", y="paid", drop=["order.note"])
HERE = {"customer.age", "customer.visits"}


def orders(n=800, *, gaps=False):
    """Yield nested orders, and the same as records of our own."""
    rng = random.Random(3)
    for i in range(n):
        age, visits = rng.randrange(18, 80), rng.randrange(20)
        if gaps and i % 5 == 0:
            visits = None
        order = {
            "order": {"id": f"o-{i}", "placed": f"2024-03-01T{i // 60:02}:{i % 60:02}:00Z"},
            "customer": {"age": age, "visits": visits},
            "paid": age / 40 + (visits or 0) / 10 > 1.9,
        }
        order["order"]["note"] = "null and void"
        x = {"customer.age": age, "customer.visits": visits}
        ts = 1709251200.0 + 60 * i
        yield json.dumps(order).encode(), encode(Record(f"o-{i}", ts, x, order["paid"]))


def rows(values, **config):
    """Return the rows that a learner makes of records."""
    learner = Learner(Config(**config), 0, 0)
    found = []
    for start in range(0, len(values), 97):
        part = list(enumerate(values))[start : start + 97]
        found += learner.learn(Batch(0, part, part[-1][0] + 1)).rows
    return found, learner


@pytest.mark.parametrize("gaps", [False, True])
@pytest.mark.parametrize("model", ["logistic", "hoeffding-tree", "sgd"])
def test_a_mapped_record_is_learned_as_one_of_ours(model, gaps):
    """Row by row, to the last digit."""
    theirs, ours = zip(*list(orders(600, gaps=gaps)), strict=True)
    settings = {"model": model, "classes": (False, True)}

    mapped, _ = rows(theirs, mapping=MAPPING, **settings)
    plain, _ = rows(ours, **settings)

    assert len(mapped) == 600
    assert mapped == plain


def test_what_cannot_be_mapped_is_a_dead_letter():
    """With a reason, and the next record is learned as if it had not been there."""
    theirs = [theirs for theirs, _ in orders(50)]
    bad = [b"[]", b'{"paid": true}', b'{"order": {"id": "a", "placed": "soon"}, "paid": true}']

    found, learner = rows([*theirs[:20], *bad, *theirs[20:]], mapping=MAPPING)
    whole, _ = rows(theirs, mapping=MAPPING)

    assert learner.totals.dead == {"bad_time": 1, "missing_id": 1, "not_object": 1}
    assert [row[2:] for row in found] == [row[2:] for row in whole]


def test_commands_and_late_labels_are_not_heard():
    """A record of somebody else's is a sample, whatever words stand in it."""
    record = b'{"command": "end-grain", "mark": "drift", "forget": true, "y": 1, "a": 2}'
    found, learner = rows([record], mapping=FieldMap(y="y"), model="hoeffding-tree")

    assert [(row[2], row[4]) for row in found] == [("0@0", 1)]
    assert learner.totals.marks == 0


def test_a_learner_reads_the_topic_it_is_told_and_goes_on_after_a_restart(tmp_path):
    """The checkpoint brings the mapping along; another one is another learner."""
    log = MemoryLog()
    log.create("Shop.Orders", partitions=1)
    writer = log.writer("shop")
    for theirs, _ in orders(400):
        writer.append("Shop.Orders", theirs, partition=0)
    writer.commit()
    config = Config(topic="Shop.Orders", mapping=MAPPING, model="naive-bayes")
    run = Run(state=tmp_path, turn=100, until_end=True)

    assert learn(log, config, run).samples == 400
    for theirs, _ in list(orders(450))[400:]:
        writer.append("Shop.Orders", theirs, partition=0)
    writer.commit()
    again = learn(log, config, run)

    assert (again.samples, again.scored) == (450, 449)
    other = FieldMap(id="order.id", ts="order.placed", y="paid")
    with pytest.raises(SettingError, match="mapping"):
        learn(log, Config(topic="Shop.Orders", mapping=other, model="naive-bayes"), run)


def test_a_mapping_is_part_of_what_a_learner_is():
    """Where there is none, the hash is what it was before there were any."""
    plain, mapped = Config(), Config(mapping=MAPPING)
    assert plain.hash != mapped.hash != Config(mapping=MAPPING, topic="t").hash
    assert plain.settings["mapping"] is None


@pytest.mark.parametrize("topic", ["", "a b", "a/b", "a" * 250])
def test_a_name_that_no_topic_has_is_refused(topic):
    """Before anything waits for it."""
    with pytest.raises(SettingError, match="can be no topic's name"):
        Config(topic=topic)


def test_a_mapping_without_features_is_refused():
    """A learner needs some."""
    with pytest.raises(SettingError, match="name some"):
        Config(mapping=FieldMap(x=[], y="paid", id="id"))
