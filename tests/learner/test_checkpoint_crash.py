"""Whatever a crash leaves of the writing of a checkpoint, the old one or the new one loads."""

import os
import random
import time
from contextlib import suppress

import pytest

from learner import bucket, durable
from tests.counts import number
from tests.learner.crashes import Deeds, files_in, laid_out, states
from tests.learner.saved import learned, newest, store_in

STATES = number("CRASH_STATES", 100)
"""States after a crash that are tried for each writer and each past, at least."""
NEW = 40


@pytest.fixture(params=["folder", "store"])
def state(request, tmp_path):
    """Give a place whose files are a folder's, or the objects of a store."""
    folder = tmp_path / "state"
    return folder if request.param == "folder" else f"file://{folder}"


def found_after(state, tmp_path, monkeypatch, past, *, without=(), least=STATES):
    """Save once on top of a past; return what loads in each state after a crash.

    As triples: how far the writing was, of how many steps, and the cursor that was loaded.
    """
    folder = tmp_path / "state"
    for until in past:
        store_in(state).save(learned(until))
    before = files_in(folder)
    store, learner = store_in(state), learned(NEW)
    with monkeypatch.context() as patched:
        deeds = Deeds(patched, getattr(store.shelf, "_fs", None))
        store.save(learner)
    made = [deed for deed in deeds.made if deed[0] not in without]
    rng, shares, found = random.Random(3), [], []
    while len(found) < least:
        shares += [rng.random() for _ in range(6)]
        found = [*states(before, made, shares)]
    loaded = []
    for done, files in found:
        laid_out(folder, files)
        learner = newest(store_in(state))
        loaded.append((done, len(made), learner and learner.cursor))
    laid_out(folder, before)
    return loaded


def wrong(loaded, old):
    """Return those that are neither the old one nor, once it is said to be there, the new."""
    return [
        (done, steps, cursor)
        for done, steps, cursor in loaded
        if cursor not in (old, NEW) or (done == steps and cursor != NEW)
    ]


@pytest.mark.parametrize("past", [(), (30,), (10, 20, 30)], ids=len)
def test_after_every_crash_the_old_or_the_new_loads(state, tmp_path, monkeypatch, past):
    """Cut off at each step, torn, zeroed or unsynced; and the new one, once all is done."""
    loaded = found_after(state, tmp_path, monkeypatch, past)
    old = max(past, default=None)

    assert len(loaded) >= STATES
    assert wrong(loaded, old) == []
    assert {cursor for *_, cursor in loaded} == {old, NEW}


@pytest.mark.parametrize("without", [("sync",), ("names",)])
def test_a_writer_that_does_not_sync_would_be_caught(state, tmp_path, monkeypatch, without):
    """With no sync of data, or none of names, there is a state in which the new one is lost."""
    loaded = found_after(state, tmp_path, monkeypatch, (30,), without=without, least=50)
    assert wrong(loaded, 30) != []


def test_a_writer_that_writes_in_place_would_be_caught(tmp_path, monkeypatch):
    """One that puts the new state over the old one loses both."""
    state = tmp_path / "state"

    def in_place(path, body):
        target = min(path.parent.iterdir(), default=path)
        with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), "wb") as file:
            file.write(body)
            os.fsync(file.fileno())

    monkeypatch.setattr("learner.folder.write", in_place)
    loaded = found_after(state, tmp_path, monkeypatch, (30,), least=20)
    assert None in {cursor for *_, cursor in loaded}


def test_a_manifest_written_first_would_name_what_is_not_there(tmp_path, monkeypatch):
    """The order of deeds is that of the promise: object, manifest, then the old ones go."""
    state = f"file://{tmp_path}/state"
    for until in (10, 20, 30):
        store_in(state).save(learned(until))
    store = store_in(state)
    with monkeypatch.context() as patched:
        deeds = Deeds(patched, store.shelf._fs)
        store.save(learned(NEW))
    kinds = [(what, path.rpartition("/")[2][:20]) for what, path, *_ in deeds.made]
    object_, manifest = f"{NEW:020d}", "manifest"
    order = [
        *(("write", object_), ("sync", object_), ("write", manifest), ("sync", manifest)),
        ("unlink", f"{10:020d}"),
    ]
    assert [kind for kind in kinds if kind in order] == order


@pytest.mark.parametrize("error", [28, 5, 30, 122])
@pytest.mark.parametrize("at", range(6))
def test_whatever_call_fails_leaves_the_old_or_the_new(state, monkeypatch, error, at):
    """No space, an input/output error, a read-only disk, a quota: at each call in turn."""
    for until in (10, 20, 30):
        store_in(state).save(learned(until))
    calls = iter(range(100))

    def failing(done):
        def tried(*args, **how):
            if next(calls) == at:
                raise OSError(error, os.strerror(error))
            return done(*args, **how)

        return tried

    store, learner = store_in(state), learned(NEW)
    with monkeypatch.context() as patched:
        for name in ("open", "fsync", "replace", "unlink", "remove"):
            patched.setattr(os, name, failing(getattr(os, name)))
        if fs := getattr(store.shelf, "_fs", None):
            patched.setattr(fs, "pipe_file", failing(fs.pipe_file))
        with suppress(OSError):
            store.save(learner)
    again = store_in(state)
    assert newest(again).cursor in (30, NEW)
    again.save(learned(50))
    assert newest(store_in(state)).cursor == 50
    assert not [name for name in files_in(again.shelf.place) if name.endswith(".tmp")]


def test_the_seams_are_where_the_writers_are():
    """The calls that are watched are those that the writers make."""
    assert bucket.os is durable.os is os


def test_what_a_killed_writer_left_is_swept_up(tmp_path):
    """After an hour; before that another may still be writing it."""
    store = store_in(tmp_path)
    store.save(learned(10))
    folder = tmp_path / "s" / "main" / "p0"
    for name, age in ((".20.1.tmp", 4000), (".20.2.tmp", 10)):
        (folder / name).write_bytes(b"half")
        then = time.time() - age
        os.utime(folder / name, (then, then))
    store.save(learned(20))
    assert [path.name for path in folder.glob(".*")] == [".20.2.tmp"]
