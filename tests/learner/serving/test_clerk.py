import json
import pickle
import random
from types import SimpleNamespace

import pytest

from learner.config import Config
from learner.consulting import consult
from learner.learner import Learner
from learner.models.presets import PRESETS
from learner.serving.clerk import Clerk
from learner.serving.desk import Asked, Desk
from stream.errors import RecordError
from stream.memory import MemoryLog
from stream.records import encode
from stream.topic import Batch
from tests.learner.test_laws import CATEGORICAL, labels_of

GRAINS = [("tests.doubles.PageDiary", 7), ("tests.doubles.YesNoDiary", 5), ("logistic", 16)]
DIRECT = [(name, 32 if "sklearn" in str(PRESETS[name].spec) else None) for name in PRESETS]


def stream(labels, *, texts=False, n=400):
    """Return entries of samples with labels, some of which come late, and of nonsense."""
    chance, late, entries = random.Random(9), [], []
    for offset in range(n):
        y = chance.randrange(len(labels))
        x = {"a": chance.gauss(y, 1), "b": chance.choice([None, 0.5]), "c": chance.randrange(4)}
        if texts:
            x["color"] = chance.choice(["red", "green", "blue"][y:])
        record = {"id": offset, "x": x, "y": labels[y]}
        match chance.randrange(8):
            case 0:
                late.append({"id": offset, "y": record.pop("y")})
            case 1 if late:
                record = late.pop(0)
            case 2:
                record = {"nonsense": offset}
        entries.append((offset, json.dumps(record).encode()))
    return entries


def learned(entries, settings, *, ask):
    """Return what a learner says of a stream and comes to, asked between records or not."""
    learner = Learner(Config(policy="reset", **settings), 0, 0)
    said, predictions, served = [], {}, {}

    def between(reached):
        """Ask what the next record will ask, and a few things it will not."""
        if reached >= len(entries):
            return
        x = json.loads(entries[reached][1]).get("x")
        if x is None:
            return
        for other in ({}, {"new": 1.5}, {"a": 0.1, "new": "text"}):
            try:
                consult(learner, [other])
            except RecordError:
                continue
        ((y_pred, p),) = map(learner.named, consult(learner, [x]))
        served[f"samples[0]@{reached}"] = encode([y_pred, p])

    for start in range(0, len(entries), 150):
        part = entries[start : start + 150]
        turn = learner.learn(
            Batch(0, part, part[-1][0] + 1), answer="all", between=between if ask else None
        )
        said += [turn.rows, turn.errors, turn.events, turn.predictions]
        said.append([(at, error.reason, str(error)) for at, _, error in turn.dead])
        predictions |= {each.at: encode([each.y_pred, each.p]) for each in turn.predictions}
    said.append(encode(learner.totals))
    return learner, encode(said), predictions, served


@pytest.fixture
def same_lots(monkeypatch):
    """Let River's Gaussians, which never draw, have lots by which they can be compared."""
    seeded = SimpleNamespace(Random=lambda seed=None: random.Random(seed or 0))
    monkeypatch.setattr("river.proba.base.random", seeded)


@pytest.mark.usefixtures("same_lots")
@pytest.mark.parametrize(("model", "grain"), [*DIRECT, *GRAINS])
def test_asked_between_records_a_learner_says_what_it_would_and_stays_what_it_was(model, grain):
    """Every answer is the prediction of the record in whose place it stands.

    And a twin that nobody asked has said the same, and is the same to the last byte.
    """
    labels = labels_of(model) if model in PRESETS else [0, 1]
    settings = {"model": model, "grain": grain}
    if model in PRESETS and PRESETS[model].labels.startswith("classes"):
        settings["classes"] = tuple(labels)
    if model.endswith("PageDiary"):
        settings["classes"] = (0, 1)
    entries = stream(labels, texts=model in CATEGORICAL)

    asked, said, predictions, served = learned(entries, settings, ask=True)
    twin, wanted, _, _ = learned(entries, settings, ask=False)

    assert len(served) > 5
    assert {at: predictions[at] for at in served} == served
    assert said == wanted
    assert pickle.dumps(pickle.loads(pickle.dumps(asked))) == pickle.dumps(
        pickle.loads(pickle.dumps(twin))
    )


class Answered:
    """Stands for a future: keeps what it is given."""

    def __init__(self):
        self.found = None

    def done(self):
        return self.found is not None


@pytest.fixture
def clerk():
    """Give a clerk of a desk at which whoever is given an answer has it at once."""
    learner = Learner(Config(model="naive-bayes", policy="none"), 0, 0)
    desk = Desk("main")
    desk.give = lambda answers: [setattr(a.answered, "found", found) for a, found in answers]
    clerk = Clerk(desk, MemoryLog(), "memory.main.predictions", lambda: {0: learner}, lambda: 1)
    clerk.desk, clerk.learner = desk, learner
    return clerk


def ask(clerk, *xs):
    """Leave a question on the desk of a clerk."""
    asked = Asked(Answered(), 0, list(xs))
    clerk.desk.guesses.append(asked)
    return asked.answered


def test_all_that_wait_are_asked_of_the_model_at_once(clerk):
    """So a model that guesses many as cheaply as one does."""
    calls = []
    clerk.learner.policy.model.consult = lambda xs: calls.append(xs) or [(1, None)] * len(xs)

    answers = [ask(clerk, {"a": n}, {"b": n}) for n in range(3)]
    clerk.answer({})

    assert [len(xs) for xs in calls] == [6]
    assert [[each.y_pred for each in answer.found] for answer in answers] == [[1, 1]] * 3


def test_one_that_cannot_be_guessed_harms_no_other(clerk):
    """It is told why; those beside it get their answers."""
    for n, y in enumerate([0, 1] * 3):
        record = json.dumps({"x": {"a": n}, "y": y}).encode()
        clerk.learner.learn(Batch(0, [(n, record)], n + 1))

    fine, bad, many = (
        ask(clerk, {"a": 1}),
        ask(clerk, {"a": "text"}),
        ask(clerk, {"a": 1}, {"a": "text"}),
    )
    clerk.answer({})

    assert fine.found[0].at == "samples[0]@6"
    assert (bad.found.reason, many.found.reason) == ("text_feature", "text_feature")
    assert str(many.found).startswith("x[1]: feature 'a' is the text")


def test_a_model_that_fails_as_none_should_ends_nobody(clerk, caplog):
    """Who asks cannot end a learner; what went wrong is in its log, not in the answer."""

    def fail(xs):
        raise RuntimeError("a secret of the model")

    clerk.learner.policy.model.consult = fail
    answer = ask(clerk, {"a": 1})
    clerk.answer({})

    assert (answer.found.status, "secret" in str(answer.found)) == (500, False)
    assert "a secret of the model" in caplog.text


def test_who_has_given_up_is_not_answered(clerk):
    """The model is not asked in vain."""
    gone = Asked(Answered(), 0, [{"a": 1}])
    gone.answered.found = "gave up"
    clerk.desk.guesses.append(gone)
    clerk.learner.policy.model.consult = None
    clerk.answer({})

    assert gone.answered.found == "gave up"


def test_what_became_of_an_id_is_not_looked_up_for_who_has_given_up(clerk, monkeypatch):
    """The first who still waits is answered in the same turn, not after all who do not."""
    searched = []
    monkeypatch.setattr(clerk, "_search", lambda asked: searched.append(asked.id) or b"{}")
    for n in range(20):
        asked = Asked(Answered(), 0, id=str(n))
        asked.answered.found = "gave up" if n < 19 else None
        clerk.desk.lookups.append(asked)
    clerk.look_up()

    assert searched == ["19"]
    assert asked.answered.found == b"{}"
    assert not clerk.desk.lookups


def test_a_spare_is_ready_to_stand_in():
    """Who has joined and got no partition is well, though nothing can be asked of it."""
    desk, partitions = Desk("main"), {}
    clerk = Clerk(desk, MemoryLog("s"), "s.main.predictions", lambda: partitions, lambda: 1)
    assert not all(desk.checks.values())
    clerk.know({})
    assert all(desk.checks.values())
    partitions[0] = Learner(Config(model="logistic"), 0, 0)
    clerk.know({0: 5})
    assert desk.checks["partition 0 caught up"] is False
