"""Commands to learners, written among the samples of every partition at once."""

import json

import pytest

from learner.config import Config
from learner.loop import Run, learn
from producer.commands import promote
from stream.errors import SettingError
from stream.mapping import FieldMap
from stream.memory import MemoryLog
from stream.records import Record, decode_outcomes, encode

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
    config = Config(model="naive-bayes", policy="none", **settings)
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
        arms = []
        for entry in log.topic("s.main.outcomes").scan(p, 0, 10**9):
            arms += decode_outcomes(entry.value).rows.arm
        assert arms == ["main"] * 40 + ["tree"] * 40 + ["main"] * 40
    assert set(summary.arms) == {"main", "tree"}
    assert summary.dead == 0


def test_what_is_written_is_the_command_alone(tmp_path):
    """As the topic of samples has it; nothing else is added."""
    log = filled()
    learned(log, tmp_path, challengers=(TREE,))

    promote(log, "tree")

    for p in (0, 1):
        (entry,) = log.topic("s.samples").scan(p, 40, 99)
        assert json.loads(entry.value) == {"command": "promote", "arm": "tree"}


def test_a_learner_without_that_arm_files_a_dead_letter(tmp_path):
    """The command is for all of a stream's learners, and not all have it."""
    log = filled()
    learned(log, tmp_path, challengers=(TREE,))
    promote(log, "tree")

    other = learn(log, Config(policy="none"), Run(name="other", state=tmp_path, until_end=True))

    assert other.dead_by_reason == {"unknown_arm": 2}


@pytest.mark.parametrize(
    ("arm", "settings", "sentence"),
    [
        ("treee", {"challengers": (TREE,)}, "no arm 'treee'; did you mean 'tree'?"),
        ("zzz", {"challengers": (TREE,)}, "no arm 'zzz'; there are main, tree"),
        ("tree", {}, "has one model alone"),
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
