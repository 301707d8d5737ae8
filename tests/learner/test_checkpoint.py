import json
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from learner import checkpoint, durable, loading, signed
from learner.checkpoint import Checkpoints
from learner.config import Config
from learner.keys import key_of
from learner.start import begin
from stream.errors import CheckpointError, SettingError
from stream.memory import MemoryLog
from stream.records import Record, encode
from stream.topic import Batch
from tests.learner.saved import KEY, learned


@pytest.fixture
def store(tmp_path):
    """Give the checkpoints of one partition."""
    return Checkpoints.at(tmp_path, "s", "main", 0, "topic-1", KEY)


def test_what_was_saved_goes_on_as_if_it_had_not_been(store):
    """A loaded learner says of the records to come what the saved one says."""
    learner = learned(50)
    store.save(learner)
    _, loaded = store.load(store.entries()[-1])
    batch = Batch(0, [(50, encode(Record(id=50, x={"a": 3.0}, y=1)))], 51)
    assert loaded.learn(batch).rows == learner.learn(batch).rows
    assert loaded.totals == learner.totals


def test_a_checkpoint_of_a_version_that_counted_less_goes_on(store):
    """What came later is as if nothing had come by yet; what it says is the same."""
    old, batch = learned(50), Batch(0, [(50, encode(Record(id=50, x={"a": 3.0}, y=1)))], 51)
    for name in ("recent", "age", "ceiling"):
        delattr(old, name)
    store.save(old)

    _, loaded = store.load(store.entries()[-1])

    assert loaded.learn(batch).rows == learned(50).learn(batch).rows
    assert loaded.recent.dead == {}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"key": b"y" * 64}, "give the right one with --key-file"),
        ({"identity": "topic-2"}, "has identity 'topic-1', this is 'topic-2'"),
        ({"learner": "other"}, "has learner 'main', this is 'other'"),
        ({"partition": 3}, "has partition 0, this is 3"),
    ],
)
def test_a_checkpoint_of_something_else_is_refused_with_a_sentence(store, change, sentence):
    """Another key, topic, learner or partition: the sentence says which and what to do."""
    store.save(learned(5))
    with pytest.raises(CheckpointError, match=sentence):
        replace(store, **change).load(store.entries()[-1])


def test_another_library_version_is_refused_by_name(store, monkeypatch):
    """The sentence names the library, both versions, and --rebuild."""
    store.save(learned(5))
    now = signed.versions()
    for room in (checkpoint, loading, signed):
        monkeypatch.setattr(room, "versions", lambda: {**now, "river": "99.0"})
    with pytest.raises(CheckpointError, match=r"river .* \(here 99\.0\).*--rebuild"):
        store.load(store.entries()[-1])


def test_a_full_disk_leaves_no_half_file(store, monkeypatch):
    """A write that fails is an OSError, and nothing of it stays."""
    store.save(learned(10))

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(durable.os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        store.save(learned(20))
    assert [path.name for path in Path(store.shelf.place).iterdir()] == [f"{10:020d}"]


def test_a_key_is_made_once_for_its_owner_alone(tmp_path):
    """The key file has mode 0600 and is the same the next time."""
    key = key_of(tmp_path / "state")
    assert key == key_of(tmp_path / "state")
    assert len(key) == 64
    assert stat.S_IMODE((tmp_path / "state" / "key").stat().st_mode) == 0o600


@pytest.mark.parametrize("text", [None, "short"])
def test_a_key_file_that_will_not_do_is_a_wrong_setting(tmp_path, text):
    """A missing or a short key is named, with what a key needs."""
    path = tmp_path / "given"
    if text:
        path.write_text(text)
    with pytest.raises(SettingError, match="key file"):
        key_of(tmp_path / "state", path)


@pytest.fixture
def log():
    """Give a log with a learner's past: committed up to 30."""
    log = MemoryLog("s")
    log.create("s.samples", partitions=1)
    log.create("s.main.outcomes", partitions=1)
    writer = log.writer("driftline.s.main")
    for i in range(40):
        record = encode(Record(id=i, x={"a": float(i % 5)}, y=i % 2))
        writer.append("s.samples", record, partition=0)
    writer.commit({0: 30})
    return log


def test_a_damaged_checkpoint_leads_to_the_one_before(log, store):
    """The start goes back one checkpoint and stays silent up to what was said."""
    store.save(learned(10))
    store.save(learned(20))
    Path(store.entries()[-1].name).write_bytes(b"driftline checkpoint 1\nnothing")
    learner, said = begin(log, log.topic("s.samples"), _known(store, log), _config())
    assert (learner.cursor, said) == (10, 30)


def test_a_checkpoint_ahead_of_what_was_said_is_passed_over(log, store):
    """It knows samples whose outcomes were never written."""
    store.save(learned(20))
    store.save(learned(35))
    learner, said = begin(log, log.topic("s.samples"), _known(store, log), _config())
    assert (learner.cursor, said) == (20, 30)


def test_another_configuration_is_refused_and_the_ways_on_are_named(log, store):
    """The sentence names --rebuild, --fresh and --name."""
    store.save(learned(20))
    with pytest.raises(SettingError, match=r"--rebuild.*--fresh.*--name"):
        begin(log, log.topic("s.samples"), _known(store, log), Config(model="logistic"))


def test_a_refused_configuration_names_what_differs(log, store):
    """By name, with both values; of an older checkpoint there is only the hash to tell."""
    store.save(learned(20))
    topic, known = log.topic("s.samples"), _known(store, log)
    theirs = r"with model 'naive-bayes' \(now 'logistic'\), seed 1 \(now 3\); go on"
    with pytest.raises(SettingError, match=theirs):
        begin(log, topic, known, Config(model="logistic", seed=3))
    _without_settings(known)
    with pytest.raises(SettingError, match=r"made by configuration [0-9a-f]{16}, this one is"):
        begin(log, topic, known, Config(model="logistic", seed=3))
    learner, _ = begin(log, topic, known, _config())
    assert learner.cursor == 20


def _without_settings(store):
    """Write a checkpoint as versions did that kept only the hash of the configuration."""
    (entry,) = store.entries()
    header, payload = store.verified(entry)
    later = ("settings", "probes")
    fields = {name: getattr(header, name) for name in header.__slots__ if name not in later}
    body = b"driftline checkpoint 1\n" + json.dumps(fields).encode() + b"\n" + payload
    Path(entry.name).write_bytes(signed.sign(body, KEY))


def test_fresh_begins_where_the_old_state_stood_and_rebuild_at_its_start(log, store):
    """Both put the old checkpoints aside; only rebuild replays."""
    store.save(learned(20, start=5))
    topic, known = log.topic("s.samples"), _known(store, log)
    learner, said = begin(log, topic, known, Config(model="logistic"), rebuild=True)
    assert (learner.start, learner.cursor, said) == (5, 5, 30)
    assert store.entries() == []
    learner, said = begin(log, topic, known, Config(model="logistic"), fresh=True)
    assert (learner.start, learner.cursor, said) == (30, 30, 30)
    assert [entry.cursor for entry in store.entries()] == [30]


def test_records_gone_before_the_checkpoint_are_an_error_with_a_way_on(log, store):
    """Retention that went past the checkpoint is said, with --fresh."""
    store.save(learned(10))
    log.topic("s.samples").drop(0, 15)
    with pytest.raises(CheckpointError, match="--fresh"):
        begin(log, log.topic("s.samples"), _known(store, log), _config())


def _config():
    return Config(model="naive-bayes")


def _known(store, log):
    """Return the store with checkpoints that bear the topic's own identity."""
    for entry in store.entries():
        try:
            learner = store.load(entry)[1]
        except CheckpointError:
            continue
        store.shelf.remove(entry)
        replace(store, identity=log.topic("s.samples").identity).save(learner)
    return replace(store, identity=log.topic("s.samples").identity)
