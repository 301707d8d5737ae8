"""Checkpoints of other library versions: refused, or taken after their probes agree."""

import json
import pickle
from dataclasses import asdict, replace

import pytest

from learner import checkpoint, loading, signed
from learner.config import Config
from learner.learner import Learner
from learner.models.presets import PRESETS
from learner.pickled import dumps
from learner.probes import COUNT, disagreement, probes_of
from stream.errors import CheckpointError
from stream.records import Record, encode
from stream.topic import Batch
from tests.learner.saved import learned, samples, store_in
from tests.learner.test_laws import CATEGORICAL, labels_of


@pytest.fixture
def elsewhere(monkeypatch):
    """Give a function after which this is a place with another version of River."""

    def move():
        here = {**signed.versions(), "river": "99.0"}
        for room in (checkpoint, loading, signed):
            monkeypatch.setattr(room, "versions", lambda: here)

    return move


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """Let all probes be asked, however slow the machine is."""
    monkeypatch.setattr(checkpoint, "_PROBING", 60.0)


def saved(state, *, model="naive-bayes", until=60):
    """Save a learner with probes, and return it."""
    store, learner = store_in(state), learned(until, model=model)
    store.note(samples(0, until))
    store.save(learner)
    return learner


def taken(state):
    """Load the newest checkpoint, whatever version has made it."""
    store = store_in(state, any_version=True)
    return store.load(store.entries()[-1])[1]


def of_preset(name, until=80):
    """Return a learner of a preset that has seen some samples, and those samples."""
    labels = labels_of(name)
    x = {"a": 1.0, "b": 0.5} if name not in CATEGORICAL else {"a": "u", "b": "v"}
    values = []
    for i in range(until):
        here = {k: v + i % 7 if isinstance(v, float) else f"{v}{i % 3}" for k, v in x.items()}
        values.append((i, encode(Record(id=i, x=here, y=labels[i % len(labels)]))))
    grain = 16 if "sklearn" in str(PRESETS[name].spec) else None
    classes = None if isinstance(labels[0], float) else tuple(dict.fromkeys(labels))
    config = Config(model=name, grain=grain, policy="none", classes=classes)
    learner = Learner(config, 0, 0)
    learner.learn(Batch(0, values[:until], until))
    return learner, values


def test_another_version_is_refused_and_the_ways_on_are_named(tmp_path, elsewhere):
    """The library with both versions, --accept-versions where it could help, --rebuild."""
    saved(tmp_path)
    elsewhere()
    store = store_in(tmp_path)
    with pytest.raises(
        CheckpointError, match=r"river .* \(here 99\.0\).*--accept-versions .* 8 probe"
    ):
        store.load(store.entries()[-1])


def test_with_probes_that_agree_it_is_taken(tmp_path, elsewhere, caplog):
    """It goes on as the one that was saved would, and a line says what was taken."""
    learner = saved(tmp_path)
    elsewhere()
    batch = Batch(0, samples(60, 90), 90)
    assert taken(tmp_path).learn(batch).rows == learner.learn(batch).rows
    assert "its 8 probes are guessed alike: taken" in caplog.text


def test_with_a_probe_that_disagrees_it_is_not(tmp_path, elsewhere, monkeypatch):
    """A model that reads its state otherwise is refused, with the probe and --rebuild."""
    saved(tmp_path)
    elsewhere()
    kind = type(learned(1).policy.model)
    guess = kind.consult

    def otherwise(self, xs):
        return [(y, {k: v * (1 + 1e-6) for k, v in p.items()}) for y, p in guess(self, xs)]

    monkeypatch.setattr(kind, "consult", otherwise)
    with pytest.raises(CheckpointError, match=r"probe 1 of 8 was guessed .*--rebuild"):
        taken(tmp_path)


def test_a_model_that_fails_on_its_probes_is_refused(tmp_path, elsewhere, monkeypatch):
    """Whatever it raises: its state means nothing here."""
    saved(tmp_path)
    elsewhere()

    def fail(*_):
        raise ZeroDivisionError("no such attribute any more")

    monkeypatch.setattr(type(learned(1).policy.model), "consult", fail)
    with pytest.raises(CheckpointError, match=r"does not mean the same here: .*--rebuild"):
        taken(tmp_path)


@pytest.mark.parametrize("kept", [None, []])
def test_without_probes_another_version_is_always_refused(tmp_path, elsewhere, kept):
    """As are those that were written before there were any; here they load as ever."""
    saved(tmp_path)
    store = store_in(tmp_path)
    (entry,) = store.entries()
    header, payload = store.verified(entry)
    fields = asdict(header) | {"probes": kept}
    if kept is None:
        del fields["probes"]
    body = b"driftline checkpoint 1\n" + json.dumps(fields).encode() + b"\n" + payload
    store.shelf.put(header.cursor, signed.sign(body, store.key))
    assert taken(tmp_path).cursor == 60
    elsewhere()
    with pytest.raises(
        CheckpointError, match="install those versions, or start with --rebuild"
    ):
        taken(tmp_path)


def test_what_is_not_signed_is_not_even_probed(tmp_path, elsewhere):
    """To accept versions accepts no forgery."""
    saved(tmp_path)
    elsewhere()
    store = replace(store_in(tmp_path, any_version=True), key=b"x" * 64)
    with pytest.raises(CheckpointError, match="was signed with key"):
        store.load(store.entries()[-1])


@pytest.mark.parametrize("name", PRESETS)
def test_probes_leave_no_trace_and_come_out_alike_after_a_restart(name):
    """For every preset: the state is bit by bit what it was, and its copy agrees."""
    learner, values = of_preset(name)
    twin, _ = of_preset(name)
    found = probes_of(learner, values[-COUNT:], seconds=60)
    assert len(found) == COUNT
    copy = pickle.loads(pickle.dumps(twin))
    assert disagreement(copy, json.loads(json.dumps(found))) is None
    more = Batch(0, [(80 + i, value) for i, (_, value) in enumerate(values)], 160)
    assert str(learner.learn(more).rows) == str(twin.learn(more).rows)


def test_probes_are_few_and_small(tmp_path):
    """The last eight that have features; large samples are fewer, bad records none."""
    learner = learned(30)
    values = [*samples(0, 30), (30, b"nonsense"), (31, b'{"id": 3, "y": 1}')]
    store = store_in(tmp_path)
    for start in range(0, 32, 3):
        store.note(values[start : start + 3])
    store.save(learner)
    probes = store.load(store.entries()[0])[0].probes
    assert [x for x, _ in probes] == [json.loads(v)["x"] for _, v in reversed(values[24:30])]

    wide = {f"feature-{i}": i / 7 for i in range(700)}
    large = [(i, encode(Record(id=i, x=wide, y=0))) for i in range(8)]
    found = probes_of(learner, large, seconds=60)
    assert 0 < len(json.dumps(found)) < 40_000
    assert len(found) < 4
    assert len(probes_of(learner, values, seconds=-1)) == 1
    assert dumps(learner)
