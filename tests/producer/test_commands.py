"""Commands to learners, written among the samples of every partition at once."""

import json

import pytest

from learner.config import Config
from learner.loop import learn
from learner.run import Run
from producer.commands import promote
from stream.errors import SettingError
from stream.mapping import FieldMap
from stream.memory import MemoryLog
from stream.records import Promote, Record, decode_outcomes, encode

TREE = {"name": "tree", "model": "hoeffding-tree"}


def filled(topic="s.samples"):
    """Return a log with 40 samples in each of two partitions."""
    log = MemoryLog("s")
    log.create(topic, partitions=2)
    more(log, topic)
    return log


def more(log, topic="s.samples"):
    """Write 40 samples more into each of two partitions."""
    writer = log.writer("source")
    start = log.topic(topic).end()[0]
    for i in range(start, start + 40):
        for p in (0, 1):
            record = Record(id=f"{p}-{i}", x={"a": float(i % 7), "b": p}, y=i % 2)
            writer.append(topic, encode(record), partition=p)
    writer.commit()


def learned(log, tmp_path, **settings):
    """Learn a log to its end; return the summary."""
    config = Config(**{"model": "naive-bayes", "policy": "none", **settings})
    return learn(log, config, Run(state=tmp_path, until_end=True))


def test_every_partition_obeys_at_the_place_of_the_command(tmp_path):
    """Outcomes from there on are the other model's, also after a restart; and back."""
    log = filled()
    learned(log, tmp_path, challengers=(TREE,))

    assert promote(log, "tree") == [0, 1]
    more(log)
    learned(log, tmp_path, challengers=(TREE,))
    promote(log, "main")
    more(log)
    summary = learned(log, tmp_path, challengers=(TREE,))

    for p in (0, 1):
        assert served(log, "main", p) == ["main"] * 40 + ["tree"] * 40 + ["main"] * 40
    assert set(summary.arms) == {"main", "tree"}
    assert summary.dead == 0


def test_what_is_written_is_the_command_alone(tmp_path):
    """As the topic of samples has it; nothing else is added."""
    log = filled()
    learned(log, tmp_path, challengers=(TREE,))

    promote(log, "tree")

    for p in (0, 1):
        (entry,) = log.topic("s.samples").scan(p, 40, 99)
        said = {"command": "promote", "arm": "tree", "learner": "main"}
        assert json.loads(entry.value) == said


def test_another_learner_reads_on(tmp_path):
    """Whether it has such a model or not; what names no learner is for all of them."""
    log = filled()
    learned(log, tmp_path, challengers=(TREE,))
    promote(log, "tree")
    more(log)

    for name, settings in (("a", {}), ("b", {"challengers": (TREE,)})):
        run = Run(name=name, state=tmp_path, until_end=True)
        summary = learn(log, Config(policy="none", **settings), run)
        assert summary.dead_by_reason == {}
        assert served(log, name, 0) == ["main"] * 80

    writer = log.writer("source")
    writer.append("s.samples", encode(Promote("tree")), partition=0)
    writer.commit()
    run = Run(name="a", state=tmp_path, until_end=True)
    assert learn(log, Config(policy="none"), run).dead_by_reason == {"unknown_arm": 1}


def served(log, name, partition):
    """Return which arm served each sample of a partition."""
    arms = []
    for entry in log.topic(f"s.{name}.outcomes").scan(partition, 0, 10**9):
        arms += decode_outcomes(entry.value).rows.arm
    return arms


@pytest.mark.parametrize(
    ("arm", "settings", "sentence"),
    [
        ("treee", {"challengers": (TREE,)}, "no arm 'treee'; did you mean 'tree'?"),
        ("zzz", {"challengers": (TREE,)}, "no arm 'zzz'; there are main, tree"),
        ("tree", {}, "has one model alone"),
        ("none", {"policy": "auto"}, "weighs none, adwin, .* by itself"),
        ("t" * 41, {}, "1 to 40 characters"),
    ],
)
def test_an_arm_that_is_not_there_is_refused(tmp_path, arm, settings, sentence):
    """Before anything is written."""
    log = filled()
    learned(log, tmp_path, **settings)

    with pytest.raises(SettingError, match=sentence):
        promote(log, arm)

    assert log.topic("s.samples").end() == {0: 40, 1: 40}


def test_who_has_said_nothing_cannot_be_told():
    """Nobody knows its models; and without samples there is no place for a command."""
    with pytest.raises(SettingError, match="learner 'main' has said nothing yet"):
        promote(filled(), "tree")
    with pytest.raises(SettingError, match="has no samples of its own"):
        promote(MemoryLog("s"), "tree")


def test_a_reader_of_somebody_else_s_topic_cannot_be_told(tmp_path):
    """Commands have no place among the records of others."""
    log = filled("orders")
    log.create("s.samples", partitions=1)
    learned(
        log, tmp_path, challengers=(TREE,), topic="orders", mapping=FieldMap(id="id", y="y")
    )

    with pytest.raises(SettingError, match="reads 'orders', a topic of somebody else's"):
        promote(log, "tree")
