"""Laws that hold for every model, and for a learner however it is cut and carried about."""

import copy
import dataclasses
import json
import os
import pickle
import random
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import Phase, assume, find, given, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample

from learner.clock import GrainTime
from learner.config import Config
from learner.grains import Untaught
from learner.learner import Learner
from learner.making import two_of, watch_of
from learner.models.build import build
from learner.models.presets import PRESETS
from learner.scores import Scores
from stream.errors import StreamError
from stream.records import UNSET, encode
from stream.topic import Batch
from tests.doubles import checksum

EXAMPLES = 100

# ---------------------------------------------------------------------- models

LABELS = {
    "two": [False, True],
    "any": ["a", "b", "c"],
    "classes": [0, 1, 2],
    "a": [0.5, 2.0, -1.25],
    "true": [False, True],
}

CATEGORICAL = ("hoeffding-tree", "adaptive-tree", "adaptive-forest", "bagging")


def labels_of(preset):
    """Return the labels that a preset can be taught."""
    return LABELS[PRESETS[preset].labels.split()[0]]


def make(preset):
    """Return a preset's model, built anew."""
    return build(preset, seed=7, classes=labels_of(preset))


def lessons(preset, n=180):
    """Return samples whose label can be learned, in pages of a few."""
    if preset == "half-space-trees":
        n = 300  # before their first window of 250 is full, they give everything the same score
    chance, labels = random.Random(5), labels_of(preset)
    pairs = []
    for _ in range(n):
        y = chance.randrange(len(labels))
        x = {"a": chance.gauss(y, 1), "b": chance.random(), "c": chance.randrange(4)}
        if preset in CATEGORICAL:
            x |= {"color": chance.choice(["red", "green", "blue"][y:])}
        pairs.append((x, labels[y]))
    return [pairs[start : start + 30] for start in range(0, n, 30)]


def teach(model, pages):
    """Teach a model some pages."""
    for page in pages:
        xs, ys = zip(*page, strict=True)
        model.learn(xs, ys)
    return model


def opinions(model):
    """Return what a model thinks of a few samples, exactly."""
    chance = random.Random(6)
    xs = [{"a": chance.gauss(1, 2), "b": chance.random(), "c": 1} for _ in range(12)]
    return repr(model.guess_many(xs))


each_preset = pytest.mark.parametrize("preset", PRESETS)


@each_preset
def test_predicting_learns_nothing(preset):
    """A model asked between all lessons knows what one never asked knows."""
    asked, silent = make(preset), make(preset)
    for page in lessons(preset):
        teach(asked, [page])
        teach(silent, [page])
        assert opinions(asked) == opinions(asked)

    assert opinions(asked) == opinions(silent)


@each_preset
def test_a_model_built_anew_has_forgotten_all(preset):
    """Nothing of what one model was taught is known to the next."""
    untaught = opinions(make(preset))

    taught = opinions(teach(make(preset), lessons(preset)))

    assert taught != untaught
    assert opinions(make(preset)) == untaught


@each_preset
def test_a_pickled_model_continues_alike(preset):
    """A model that was pickled between any two lessons learns and guesses as before."""
    carried = whole = make(preset)
    for page in lessons(preset):
        carried = teach(pickle.loads(pickle.dumps(carried)), [page])
        if carried is not whole:
            teach(whole, [page])
        assert opinions(carried) == opinions(whole)
    assert carried is not whole


@each_preset
def test_models_built_alike_guess_alike(preset):
    """All that is drawn by lot is drawn from the seed."""
    assert opinions(teach(make(preset), lessons(preset))) == opinions(
        teach(make(preset), lessons(preset))
    )


@each_preset
def test_a_guess_alone_is_a_guess_in_company(preset):
    """How many are asked for together does not show in the last bit of any."""
    model = teach(make(preset), lessons(preset))
    xs = [x for page in lessons(preset) for x, _ in page]

    together = model.guess_many(xs)

    assert [model.guess(x) for x in xs[:20]] == together[:20]
    cut = [guess for i in range(0, len(xs), 7) for guess in model.guess_many(xs[i : i + 7])]
    assert repr(cut) == repr(together)


def digest():
    """Return a checksum of what every preset thinks once taught."""
    return {name: checksum(opinions(teach(make(name), lessons(name)))) for name in PRESETS}


def test_the_order_of_hashes_never_shows():
    """Processes that hash strings otherwise, as this one does, teach all to guess alike."""
    root = Path(__file__).parents[2]
    code = "from tests.learner import test_laws as t; print(t.json.dumps(t.digest()))"
    others = [
        subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", code],
            cwd=root,
            env={**os.environ, "PYTHONHASHSEED": seed},
            stdout=subprocess.PIPE,
        )
        for seed in ("0", "1")
    ]
    said = [other.communicate()[0] for other in others]

    assert [json.loads(text) for text in said] == [digest()] * 2


# --------------------------------------------------------------------- learner


class Case(NamedTuple):
    """A stream and who learns it: entries of the samples topic, settings, what is answered."""

    entries: list[tuple[int, bytes]]
    settings: dict
    answer: str


class Cut(NamedTuple):
    """A place where a turn ends; the learner is pickled there, or not."""

    at: int
    pickled: bool


KINDS = [
    *(["sample"] * 9 + ["question"] * 5 + ["label"] * 6 + ["forget"] * 2),
    *("end-grain", "declare", "mark", "unknown", "garbage", "wrong", "text", "poison", "no-id"),
]
NAMES = {
    "tests.doubles.Diary": [0, 1, 2],
    "tests.doubles.YesNoDiary": ["no", "yes", "maybe"],
    "tests.doubles.NumberDiary": [0, 1.5, -4],
    "tests.doubles.PageDiary": [0, 1, 2],
}
DECLARE = b'{"command": "declare", "classes": [0, 1, 2]}'
STEP = st.tuples(
    st.sampled_from(KINDS),
    st.integers(1, 5),
    st.sampled_from([0, 0, 0, 1, 1, 1, 2]),
    st.integers(0, 3),
    st.integers(0, 2),
    st.integers(1, 2),
)


def record(kind, number, y, a, ts, labels):
    """Return the bytes of one record of a kind."""
    sample = {"id": number, "ts": ts, "x": {"a": a}, "y": labels[y]}
    match kind:
        case "question":
            del sample["y"]
        case "label":
            sample = {"id": str(number), "y": labels[y]}
        case "forget":
            sample = {"id": number, "forget": True}
        case "end-grain" | "unknown":
            sample = {"command": kind}
        case "declare":
            return DECLARE
        case "mark":
            sample = {"mark": "drift", "kind": "abrupt", "ts": ts}
        case "garbage":
            return b'{"x": {"a": ' + b"[" * (a + 1)
        case "wrong":
            sample["y"] = [True, 1.5, "x", 7][a] if isinstance(labels[y], int) else "x"
        case "text":
            sample["x"] = {"a": a, "text": "no"}
        case "poison":
            sample["x"] = {"a": a, "poison": 1}
        case "no-id":
            del sample["id"]
    return json.dumps(sample).encode()


@st.composite
def cases(draw, models=tuple(NAMES)):
    """Draw a stream of all there can be, and one who learns it."""
    model = draw(st.sampled_from(models))
    entries, offset, ts = [], draw(st.integers(0, 3)), 100
    if model.endswith("PageDiary"):
        entries.append((offset, DECLARE))
    for kind, number, y, a, later, gap in draw(st.lists(STEP, min_size=25, max_size=60)):
        offset, ts = offset + gap, ts + later
        entries.append((offset, record(kind, number, y, a, ts, NAMES[model])))
    chosen = {
        "model": model,
        "grain": draw(st.sampled_from([None, *range(1, 8)])),
        "grain_seconds": draw(st.sampled_from([None, None, 3, 6])),
        "policy": draw(st.sampled_from(["reset", "reset", "none"])),
        "direction": draw(st.sampled_from(["any", "any", "worse"])),
        "detector": "tests.doubles.FourthMistake",
        "max_pending": draw(st.sampled_from([2, 3, 100])),
        "pending_seconds": draw(st.sampled_from([None, None, 2, 5])),
    }
    if model.endswith("NumberDiary"):
        chosen["detector"] = {"class": "river.drift.PageHinkley", "min_instances": 4}
    return Case(entries, chosen, draw(st.sampled_from(["asked", "all", "none"])))


CUTS = st.lists(
    st.builds(Cut, st.integers(0, 80), st.sampled_from([True, True, False])),
    min_size=1,
    max_size=20,
)


def said(case, cuts=(), kind=Learner):
    """Return all that a learner says of a stream and comes to, cut and pickled there."""
    learner = kind(Config(**case.settings), 0, 0)
    rows, errors, events, predictions, dead = [], [], [], [], []
    end = case.entries[-1][0] + 1
    for stop, pickled in [*sorted(cut for cut in cuts if cut.at < end), Cut(end, False)]:
        entries = [entry for entry in case.entries if learner.cursor <= entry[0] < stop]
        turn = learner.learn(Batch(0, entries, max(stop, learner.cursor)), answer=case.answer)
        rows += turn.rows
        errors += zip(*turn.errors, strict=True)
        events += turn.events
        predictions += [encode(prediction) for prediction in turn.predictions]
        dead += [(at, value, error.reason, str(error)) for at, value, error in turn.dead]
        if pickled:
            learner = pickle.loads(pickle.dumps(learner))
    return {
        "rows": rows,
        "errors": errors,
        "events": events,
        "predictions": predictions,
        "dead": dead,
        "totals": encode(learner.totals),
        "cursor": learner.cursor,
    }


@settings(max_examples=EXAMPLES)
@given(case=cases(), cuts=CUTS)
def test_neither_cut_nor_pickle_shows(case, cuts):
    """A learner cut and pickled anywhere says what one in a single piece says."""
    assert said(case, cuts) == said(case)


def one_by_one(case):
    """Return a cut before every record, each with a pickle."""
    return [Cut(offset, True) for offset, _ in case.entries]


@settings(max_examples=EXAMPLES // 3)
@given(case=cases())
def test_turns_of_a_single_record_do_not_show(case):
    """A learner carried about after each record says the same."""
    assert said(case, one_by_one(case)) == said(case)


BLIND = [name for name in NAMES if not name.endswith("YesNoDiary")]


def knows_too_much(case, place, kind=Learner):
    """Return whether a guess changes with its own label, or with what comes after."""
    entries = case.entries[: place % len(case.entries) + 1]
    offset, value = entries[-1]
    try:
        read = json.loads(value)
    except ValueError:
        read = {}
    labels = NAMES[case.settings["model"]]
    assume(read.get("y") in labels and not read.get("x", {}).keys() & {"text", "poison"})
    read["y"] = labels[(labels.index(read["y"]) + 1) % 3]
    other = [*entries[:-1], (offset, json.dumps(read).encode()), *case.entries[len(entries) :]]
    guesses = [
        [(row[0], row[5], row[7]) for row in said(told, (), kind)["rows"] if row[0] <= offset]
        for told in (case, case._replace(entries=other))
    ]
    return guesses[0] != guesses[1]


@settings(max_examples=EXAMPLES)
@given(case=cases(BLIND), place=st.integers(0, 60))
def test_no_guess_knows_its_label(case, place):
    """Another label changes no guess up to and with its own; only later ones."""
    assert not knows_too_much(case, place)


# ----------------------------------------- learners that the laws above must reject


class SkipsARecord(Learner):
    """Its cursor is one too high."""

    def learn(self, batch, **how):
        turn = super().learn(batch, **how)
        self.cursor += 1
        return turn


class RepeatsARecord(Learner):
    """Its cursor is one too low."""

    def learn(self, batch, **how):
        turn = super().learn(batch, **how)
        self.cursor -= 1
        return turn


class LearnsWhenThePollEnds(Learner):
    """It takes the end of a turn for the end of a grain."""

    def learn(self, batch, **how):
        turn = super().learn(batch, **how)
        self._end_grain(self.cursor - 1, turn)
        return turn


class CountsTheGrainPerPoll(Learner):
    """It makes a turn one lesson, whatever the size of a grain."""

    def _take_grains(self, decoded, turn, answer, *rest):
        self.grain = 1000
        super()._take_grains(decoded, turn, answer, *rest)
        self._end_grain(turn.next - 1, turn)


class ForgetsTheGrain(Learner):
    """What was gathered is not in its pickle."""

    def __getstate__(self):
        return vars(self) | {"untaught": Untaught()}


class ForgetsTheDetector(Learner):
    """Its detector starts over when it is unpickled."""

    def __getstate__(self):
        return vars(self) | {"watch": watch_of(self.config, self.policy)}


class ForgetsWhoWaits(Learner):
    """The questions without an answer are not in its pickle."""

    def __getstate__(self):
        return vars(self) | {"waiting": {}}


class ForgetsTheScores(Learner):
    """Its sums start over when it is unpickled."""

    def __getstate__(self):
        return vars(self) | {"scores": Scores(self.task)}


class ForgetsTheCodes(Learner):
    """Which label came first is not in its pickle."""

    def __getstate__(self):
        return vars(self) | {"two": two_of(self.policy, self.classes)}


class ForgetsTheVerdict(Learner):
    """That its model is condemned is not in its pickle."""

    def __getstate__(self):
        policy = copy.copy(self.policy)
        policy.due = False
        return vars(self) | {"policy": policy}


class ForgetsTheClasses(Learner):
    """What was declared is not in its pickle."""

    def __getstate__(self):
        policy = copy.copy(self.policy)
        policy._make = dataclasses.replace(policy._make, classes=self.config.classes)
        return vars(self) | {"classes": self.config.classes, "policy": policy}


class ForgetsTheTime(Learner):
    """When its grain began is not in its pickle."""

    def __getstate__(self):
        time = GrainTime(self.config.grain_seconds, max_jump=self.config.max_jump)
        return vars(self) | {"grain_time": time}


class ForgetsTheModel(Learner):
    """Its model is not in its pickle."""

    def __getstate__(self):
        policy = copy.copy(self.policy)
        policy.model = policy._make()
        return vars(self) | {"policy": policy}


class TeachesBeforeItScores(Learner):
    """It shows its model every label before the guess."""

    def _decoded(self, entries, turn, *rest):
        for each in super()._decoded(entries, turn, *rest):
            x, y, model = each[2].x, each[2].y, self.policy.model
            if x is not UNSET and y in NAMES[self.config.model] and not model.classes:
                model.learn_one({"a": x["a"]}, y)
            yield each


def search(drawn, law_broken, examples):
    """Return the first of so many examples that breaks a law, always the same one.

    A flaw that shows in one example of fifty escapes a hundred of them now and then; two
    thousand it escapes once in 10**17. So only a law gone blind finds none.
    """
    return find(
        drawn,
        law_broken,
        settings=settings(max_examples=examples, phases=[Phase.generate], database=None),
        random=random.Random(3),
    )


def betrayed(case, cuts, kind):
    """Return whether a learner breaks the law of cuts here, or breaks down."""
    try:
        return said(case, cuts, kind) != said(case, (), kind)
    except StreamError:
        return True


@pytest.mark.parametrize(
    "broken",
    [
        *(SkipsARecord, RepeatsARecord, LearnsWhenThePollEnds, CountsTheGrainPerPoll),
        *(ForgetsTheGrain, ForgetsTheDetector, ForgetsWhoWaits, ForgetsTheScores),
        *(ForgetsTheCodes, ForgetsTheVerdict, ForgetsTheClasses, ForgetsTheTime),
        ForgetsTheModel,
    ],
)
def test_the_law_of_cuts_rejects_a_broken_learner(broken):
    """The law is sensitive: its examples betray a learner with this flaw, and only that."""
    found = search(
        st.tuples(cases(), CUTS), lambda drawn: betrayed(*drawn, broken), 20 * EXAMPLES
    )
    assert said(*found) == said(found[0])


def test_the_law_of_labels_rejects_a_learner_that_peeks():
    """A learner that teaches before it scores is found out."""
    search(
        st.tuples(cases(BLIND), st.integers(0, 60)),
        lambda drawn: knows_too_much(*drawn, TeachesBeforeItScores),
        20 * EXAMPLES,
    )


def test_the_law_of_cuts_finds_nothing_in_a_learner_that_is_whole():
    """The same search over the real learner comes back with empty hands."""
    with pytest.raises(NoSuchExample):
        search(st.tuples(cases(), CUTS), lambda drawn: said(*drawn) != said(drawn[0]), EXAMPLES)
