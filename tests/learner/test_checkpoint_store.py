"""Checkpoints in a folder and in stores of objects: the same laws, whatever holds them."""

import json
import logging
import uuid
from dataclasses import replace
from pathlib import Path

import pytest

from learner import manifest
from learner.config import Config
from learner.keys import key_of, make_key
from learner.loop import learn
from learner.run import Run
from learner.signed import Damaged
from learner.start import begin
from learner.state import shelf_of, shelves
from stream.errors import SettingError
from stream.memory import MemoryLog
from tests.learner.saved import KEY, learned, newest, samples, store_in

CONFIG = Config(model="naive-bayes")


@pytest.fixture(params=["folder", "file", "memory"])
def state(request, tmp_path):
    """Give a place for checkpoints: a folder, or the address of a store."""
    if request.param == "folder":
        return tmp_path / "state"
    if request.param == "file":
        return f"file://{tmp_path}/state"
    return f"memory://{uuid.uuid4().hex}"


@pytest.fixture
def address(tmp_path):
    """Give the address of a store whose objects a test can reach as files."""
    return f"file://{tmp_path}/state"


def manifest_of(tmp_path):
    """Return the file that is the manifest."""
    return tmp_path / "state" / "s" / "main" / "p0" / "manifest"


@pytest.fixture
def log():
    """Give a log with a learner's past: 40 samples, committed up to 30."""
    log = MemoryLog("s")
    log.create("s.samples", partitions=1)
    log.create("s.main.outcomes", partitions=1)
    writer = log.writer("driftline.s.main")
    for _, value in samples(0, 40):
        writer.append("s.samples", value, partition=0)
    writer.commit({0: 30})
    return log


def test_the_newest_three_are_kept_by_their_cursor(state):
    """Whatever the order of writing; the oldest is what a restart might replay from."""
    store = store_in(state)
    for until in (10, 40, 20, 30):
        store.save(learned(until))

    assert [entry.cursor for entry in store.entries()] == [20, 30, 40]
    assert store.oldest() == 20
    assert store.account.size == store.entries()[1].size
    for entry in store.entries():
        header, learner = store.load(entry)
        assert header.cursor == learner.cursor == entry.cursor
        assert len(store.shelf.read(entry)) == entry.size


def test_what_is_of_no_use_counts_as_none_of_the_three(state):
    """However many damaged ones lie ahead, what was just written stays and holds records."""
    store = store_in(state)
    for until in (60, 70, 80):
        store.save(learned(until))
    for entry in store.entries():
        store.refuse(entry)
    assert store.oldest() is None

    for until in (10, 20):
        store.save(learned(until))

    assert store.oldest() == 10
    assert {10, 20} <= {entry.cursor for entry in store.entries()}
    assert store.account.refused == 3


def test_what_was_put_aside_is_read_no_more(state):
    """Neither by the learner nor by the command line, and it is still there."""
    store = store_in(state)
    store.save(learned(10))
    store.retire()

    assert store.entries() == []
    assert [entry for shelf in shelves(state, "main") for entry in shelf.entries()] == []
    store.save(learned(5))
    assert [entry.cursor for entry in store.entries()] == [5]
    if not isinstance(state, str):
        assert len([*state.glob("s/main/p0.before-*/*")]) == 1


def test_every_partition_and_stream_of_a_learner_is_found(state):
    """And those of no other learner."""
    for stream, learner, partition in (("s", "main", 0), ("s", "main", 1), ("t", "main", 0)):
        shelf_of(state, stream, learner, partition, KEY).put(7, b"x")
    shelf_of(state, "s", "other", 0, KEY).put(7, b"x")

    found = [shelf.place.split("/")[-3:] for shelf in shelves(state, "main", KEY)]
    assert found == [["s", "main", "p0"], ["s", "main", "p1"], ["t", "main", "p0"]]


def test_a_learner_goes_on_from_a_store_as_from_a_folder(state, tmp_path):
    """Stopped and started again: the sums and the outcomes are those of one never stopped."""
    key = tmp_path / "key"
    make_key(key)
    said = []
    for place, lives in ((state, 4), (tmp_path / "other", 1)):
        log = MemoryLog("s")
        log.create("s.samples", partitions=1)
        writer = log.writer("source")
        for _, value in samples(0, 600):
            writer.append("s.samples", value, partition=0)
        writer.commit()
        for life in range(lives):
            left = iter(range(3 if life < lives - 1 else 100))
            run = Run(state=place, key_file=key, turn=50, until_end=True)
            learn(log, CONFIG, run, stopping=lambda left=left: next(left, None) is None)
        topic = log.topic("s.main.outcomes")
        rows = [json.loads(entry.value)["rows"] for entry in topic.scan(0, 0, 10**6)]
        said.append({name: [v for r in rows for v in r[name]] for name in rows[0]})
    assert said[0] == said[1]
    assert len(said[0]["offset"]) == 600


def test_the_manifest_names_what_there_is(address, tmp_path):
    """Signed, with the size and the digest of each object."""
    store = store_in(address)
    for until in (10, 20):
        store.save(learned(until))

    named = manifest.opened("s/main/p0", manifest_of(tmp_path).read_bytes(), KEY)
    assert [(e.cursor, e.size) for e in named] == [(e.cursor, e.size) for e in store.entries()]
    assert all(len(entry.digest) == 64 for entry in store.entries())


def test_the_manifest_is_written_after_the_object_it_names(address, monkeypatch, tmp_path):
    """And what it no longer names is removed after that."""
    store = store_in(address)
    for until in (10, 20, 30):
        store.save(learned(until))
    fs, deeds = store.shelf._fs, []
    for name in ("pipe_file", "rm_file"):
        do = getattr(fs, name)

        def noted(path, *args, name=name, do=do):
            deeds.append((name, path.rpartition("/")[2][:20]))
            return do(path, *args)

        monkeypatch.setattr(fs, name, noted)
    store.save(learned(40))
    assert deeds == [
        ("pipe_file", f"{40:020d}"),
        ("pipe_file", "manifest"),
        ("rm_file", f"{10:020d}"),
    ]


@pytest.mark.parametrize("damage", ["gone", "torn", "flipped", "other key", "other place"])
def test_without_its_manifest_the_objects_speak_for_themselves(
    address, tmp_path, damage, caplog
):
    """Missing, damaged, forged or another partition's: it is not believed, they are signed."""
    store = store_in(address)
    for until in (10, 20):
        store.save(learned(until))
    path = manifest_of(tmp_path)
    body = bytearray(path.read_bytes())
    if damage == "gone":
        path.unlink()
    elif damage == "torn":
        path.write_bytes(body[: len(body) // 2])
    elif damage == "flipped":
        body[40] ^= 1
        path.write_bytes(body)
    elif damage == "other key":
        path.write_bytes(manifest.sealed("s/main/p0", [], b"x" * 64))
    else:
        path.write_bytes(manifest.sealed("s/main/p1", [], KEY))

    again = store_in(address)
    assert newest(again).cursor == 20
    assert ("taking what lies there" in caplog.text) == (damage != "gone")
    again.save(learned(30))
    assert [entry.cursor for entry in store_in(address).entries()] == [10, 20, 30]


def test_an_object_that_is_not_the_manifests_is_refused(address, tmp_path):
    """An older checkpoint, sound and signed, put in the place of a newer one."""
    store = store_in(address)
    for until in (10, 20):
        store.save(learned(until))
    older, newer = store.entries()
    Path(newer.name).write_bytes(Path(older.name).read_bytes())

    with pytest.raises(Damaged, match="not what its manifest names"):
        store.load(newer)
    assert newest(store).cursor == 10


def test_two_that_save_at_once_lose_nothing_that_is_newer(address):
    """One that woke up late writes what it has; the newer of another stays and is found."""
    late, other = store_in(address), store_in(address)
    late.save(learned(10))
    other.save(learned(50))
    late.save(learned(20))
    assert newest(store_in(address)).cursor == 50


def test_a_store_that_fails_is_an_oserror(address, monkeypatch):
    """Whatever its own library raises, so that the learner goes on; the account counts it."""
    store = store_in(address)

    def fail(*_, **__):
        raise ValueError("the bucket is gone")

    monkeypatch.setattr(store.shelf._fs, "pipe_file", fail)
    with pytest.raises(OSError, match="ValueError: the bucket is gone"):
        store.save(learned(10))
    assert store.account.failed == 1


def test_a_checkpoint_ahead_of_what_was_said_is_removed(log, state):
    """From the store and from what its manifest names."""
    store = replace(store_in(state), identity=log.topic("s.samples").identity)
    for until in (20, 35):
        store.save(learned(until))
    learner, said = begin(log, log.topic("s.samples"), store, CONFIG)
    assert (learner.cursor, said) == (20, 30)
    assert [entry.cursor for entry in store.entries()] == [20]
    assert store.account.refused == 0


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        ("nowhere://bucket", "Protocol not known: nowhere; give a folder, or an address"),
        ("dropbox://me/x", "needs a package that is not here: .*dropboxdrivefs"),
        ("sftp://me:hush@host/x", r"--state 'sftp://host/x' needs a package .*paramiko"),
    ],
)
def test_a_protocol_that_cannot_be_had_is_named(state, sentence):
    """One sentence, with what to install, and without a password."""
    with pytest.raises(SettingError, match=sentence):
        store_in(state)


def test_a_shared_store_needs_a_key_file(tmp_path):
    """No key is made that the others would not have; the sentence says how to make one."""
    sentence = r"'driftline checkpoints key FILE'.*--key-file"
    for state in ("memory://x", f"file://{tmp_path}"):
        with pytest.raises(SettingError, match=sentence):
            key_of(state)
    with pytest.raises(SettingError, match=sentence):
        Run(state=tmp_path, member="one")
    with pytest.raises(SettingError, match="is not there; make it with 'driftline checkpoints"):
        key_of("memory://x", tmp_path / "missing")
    assert not any(tmp_path.iterdir())
    make_key(tmp_path / "key")
    assert len(key_of("memory://x", tmp_path / "key")) == 64
    with pytest.raises(SettingError, match="is there already"):
        make_key(tmp_path / "key")


@pytest.mark.parametrize(("mode", "warned"), [(0o600, False), (0o640, True), (0o604, True)])
def test_a_key_that_others_can_read_is_warned_of(tmp_path, mode, warned, caplog):
    """Whoever has it can forge checkpoints, and those run code."""
    make_key(tmp_path / "key")
    (tmp_path / "key").chmod(mode)
    with caplog.at_level(logging.WARNING):
        key_of(tmp_path, tmp_path / "key")
    assert ("is open to others than its owner" in caplog.text) == warned


@pytest.mark.parametrize(("mode", "warned"), [(0o440, False), (0o460, True), (0o444, True)])
def test_a_key_that_was_given_to_our_group_is_ours(tmp_path, mode, warned, caplog, monkeypatch):
    """As a Secret of Kubernetes, whose file is root's; its group may read it, no more."""
    make_key(tmp_path / "key")
    (tmp_path / "key").chmod(mode)
    monkeypatch.setattr("os.getuid", lambda: (tmp_path / "key").stat().st_uid + 1)
    with caplog.at_level(logging.WARNING):
        key_of(tmp_path, tmp_path / "key")
    assert ("is open to others than its owner" in caplog.text) == warned


def test_what_was_refused_stands_in_the_headers_of_outcomes(tmp_path):
    """With the size and the time of the newest checkpoint that is of use."""
    log = MemoryLog("s")
    log.create("s.samples", partitions=1)
    writer = log.writer("source")
    for _, value in samples(0, 300):
        writer.append("s.samples", value, partition=0)
    writer.commit()
    for turns in (1, 2):
        left = iter(range(turns))
        run = Run(state=tmp_path, turn=50)
        learn(log, CONFIG, run, stopping=lambda left=left: next(left, None) is None)
    newest_ = max((tmp_path / "s" / "main" / "p0").iterdir())
    newest_.write_bytes(newest_.read_bytes()[:-1])
    learn(log, CONFIG, Run(state=tmp_path, turn=50, until_end=True))

    told = [
        json.loads(entry.headers["resources"])
        for entry in log.topic("s.main.outcomes").scan(0, 0, 10**6)
    ]
    assert told[0]["checkpoints_refused"] == 0
    first = next(each for each in told if each["checkpoints_refused"])
    assert first["checkpoints_refused"] == 1
    assert first["model_bytes"] > 0
    assert first["checkpoint_time"] <= first["time"]
    assert {each["checkpoints_failed"] for each in told} == {0}
