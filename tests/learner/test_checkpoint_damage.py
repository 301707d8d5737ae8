"""Checkpoints that are not what was written: none is believed, and none is run."""

import hashlib
import json
import os
import pickle
import random
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from learner import signed
from learner.checkpoint import Checkpoints
from stream.errors import CheckpointError
from tests.counts import number
from tests.learner.saved import KEY, learned, newest, store_in

FLIPS = number("FLIPS", 200)
"""Damaged and forged checkpoints that are offered, in the folder and in the store."""


class Evil:
    """Leaves a trace when it is unpickled."""

    def __init__(self, trace):
        self.trace = trace

    def __reduce__(self):
        return os.mkdir, (str(self.trace),)


@pytest.fixture
def trace(tmp_path):
    """Give the folder that code in a checkpoint would make."""
    return tmp_path / "trace"


@pytest.fixture(params=["folder", "store"])
def store(request, tmp_path):
    """Give a store whose checkpoints are files that can be damaged."""
    folder = tmp_path / "state"
    return store_in(folder if request.param == "folder" else f"file://{folder}")


def header_and_payload(body):
    """Return the parts of a checkpoint."""
    start = body.index(b"\n", len(b"driftline checkpoint 1\n")) + 1
    return body[:start], body[start:-32]


def cut(rng, whole, other):
    """Break it off somewhere."""
    return whole[: rng.randrange(len(whole))]


def flip(rng, whole, other):
    """Turn one bit round."""
    body = bytearray(whole)
    body[rng.randrange(len(body))] ^= 1 << rng.randrange(8)
    return bytes(body)


def blank(rng, whole, other):
    """Leave a hole of zeros, as a file has whose blocks never reached the disk."""
    start = rng.randrange(len(whole) - 1)
    stop = rng.randrange(start + 1, len(whole))
    return whole[:start] + bytes(stop - start) + whole[stop:] if any(whole[start:stop]) else b""


def swap_headers(rng, whole, other):
    """Put the header of another checkpoint, sound itself, before this payload."""
    return header_and_payload(other)[0] + header_and_payload(whole)[1] + whole[-32:]


def swap_signatures(rng, whole, other):
    """Put the signature of another one behind it."""
    return whole[:-32] + other[-32:]


def mend(rng, whole, other):
    """Change what the header says, its own digest included, without the key."""
    header, payload = header_and_payload(whole)
    fields = json.loads(header.splitlines()[1])
    fields["cursor"] += rng.randrange(1, 99)
    payload += bytes(rng.randrange(1, 9))
    fields |= {"length": len(payload), "sha256": hashlib.sha256(payload).hexdigest()}
    text = b"driftline checkpoint 1\n" + json.dumps(fields).encode() + b"\n"
    return text + payload + whole[-32:]


def forge(rng, whole, other):
    """Sign it with another key, and say that it is ours."""
    return signed.sign(whole[:-32], rng.randbytes(64))


def lengthen(rng, whole, other):
    """Write something behind it."""
    return whole + rng.randbytes(rng.randrange(1, 64))


def deepen(rng, whole, other):
    """Open more brackets than a reader of JSON can, before anything is verified."""
    return b"driftline checkpoint 1\n" + b"[" * 200_000 + b"\n" + whole[-64:]


def of_next_year(rng, whole, other):
    """Say that it has a form that is not known here, rightly signed."""
    return signed.sign(whole[:-32].replace(b"checkpoint 1\n", b"checkpoint 2\n", 1), KEY)


DAMAGES = (flip, cut, flip, blank, swap_headers, swap_signatures, mend, forge, lengthen)
DAMAGES += (flip, deepen, of_next_year)


def test_no_damage_is_ever_loaded(store):
    """Bits, ends, holes, headers, signatures, keys: none of hundreds is accepted."""
    for until in (40, 50):
        store.save(learned(until))
    older, entry = store.entries()
    path = Path(entry.name)
    whole, other = path.read_bytes(), Path(older.name).read_bytes()
    # What a manifest knows would be refused for that alone; it is to be the signature.
    Path(store.shelf.place.removeprefix("file://"), "manifest").unlink(missing_ok=True)
    rng, accepted = random.Random(7), []
    for n in range(FLIPS):
        damage = DAMAGES[n % len(DAMAGES)]
        path.write_bytes(damage(rng, whole, other))
        for found in store.entries():
            if found.cursor == 50:
                with suppress(CheckpointError):
                    accepted.append((damage.__name__, store.load(found)))
    assert accepted == []

    assert newest(store).cursor == 40
    path.write_bytes(whole)
    assert newest(store_in_same(store)).cursor == 50


def store_in_same(store):
    """Return the store of a learner that begins there anew."""
    return Checkpoints(store.shelf, "s", "main", 0, "topic-1", KEY)


def test_of_another_version_none_is_accepted_unasked(store, monkeypatch):
    """Python, machine or any library: the refusal names it, and every one is refused."""
    store.save(learned(50))
    (entry,) = store.entries()
    true = signed.versions()
    for name in true:
        here = {**true, name: "0.0"}
        for room in ("loading", "signed"):
            monkeypatch.setattr(f"learner.{room}.versions", lambda here=here: here)
        with pytest.raises(CheckpointError, match=rf"made with {name} .* \(here 0\.0\)"):
            store.load(entry)


GADGETS = (
    lambda trace: pickle.dumps(Evil(trace)),
    lambda trace: pickle.dumps([Evil(trace)] * 3, protocol=0),
    lambda trace: pickle.dumps({"learner": (1, Evil(trace))}, protocol=2),
    lambda trace: b"cos\nmkdir\n(V%b\ntR." % str(trace).encode(),
    lambda trace: b"cbuiltins\neval\n(V__import__('os').mkdir('%b')\ntR." % str(trace).encode(),
    lambda trace: b"cbuiltins\nexec\n(Vimport os; os.mkdir('%b')\ntR." % str(trace).encode(),
    lambda trace: b"(V%b\nios\nmkdir\n." % str(trace).encode(),
    lambda trace: (
        b"cbuiltins\ngetattr\n(cpathlib\nPath\n(V%b\ntRVmkdir\ntR(tR." % str(trace).encode()
    ),
    lambda trace: (
        b"cos\nsystem\n(Vmkdir %b\ntR." % str(trace).encode()  # by a shell
    ),
    lambda trace: (
        b"csubprocess\ncall\n((lp0\nVmkdir\naV%b\natR." % str(trace).encode()  # by a process
    ),
)


def evil(store, payload, *, key, named=None):
    """Write a checkpoint that is right in everything but its payload and its key."""
    for before in store.entries():
        store.shelf.remove(before)
    store.save(learned(5))
    (entry,) = store.entries()
    header, _ = store.verified(entry)
    fields = asdict(header) | {
        "length": len(payload),
        "sha256": hashlib.sha256(payload).hexdigest(),
        "key": signed.key_id(named or key),
    }
    body = b"driftline checkpoint 1\n" + json.dumps(fields).encode() + b"\n" + payload
    Path(entry.name).write_bytes(signed.sign(body, key))
    return entry


@pytest.mark.parametrize("gadget", range(len(GADGETS)))
def test_a_forged_pickle_is_refused_before_it_can_run(store, trace, gadget):
    """With another key, under its name or under ours, nothing of it is ever unpickled."""
    for named in (None, KEY):
        payload = GADGETS[gadget](trace)
        entry = evil(store, payload, key=b"x" * 64, named=named)
        for any_version in (False, True):
            with pytest.raises(CheckpointError):
                replace(store, any_version=any_version).load(entry)
        assert not trace.exists()


@pytest.mark.parametrize("gadget", range(len(GADGETS)))
def test_the_gadgets_would_do_harm(trace, gadget):
    """Each of them, unpickled, leaves its trace: so the test before can fail."""
    with suppress(Exception):
        pickle.loads(GADGETS[gadget](trace))
    assert trace.exists()
