"""Laws of several models side by side: where a stream is cut shows nowhere, as for one."""

import json
import pickle
import random
from contextlib import ExitStack, contextmanager
from unittest import mock

import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

from learner.policies import auto, candidates, champion, old, several
from learner.policies.arms import Arm
from learner.policies.reservoir import Reservoir
from tests.learner.test_laws import CUTS, Case, Cut, cases, one_by_one, said
from tests.learner.told import learner, tell

DOUBLE = "tests.doubles."
MOODY = {"name": "moody", "model": DOUBLE + "Moody"}
FUSSY = {"name": "fussy", "model": DOUBLE + "Fussy"}
CLONE = {"name": "clone"}
RULE = {"window": 10, "margin": 0.01, "alpha": 0.99, "cooldown": 4}
EXAMPLES = 40
NOSHRINK = [Phase.explicit, Phase.reuse, Phase.generate]


@contextmanager
def quick():
    """Let `auto` do within a few samples what it does within thousands."""
    detectors = {
        name: spec and {"class": "river.drift.PageHinkley", "min_instances": 4, "threshold": n}
        for n, (name, spec) in enumerate(candidates.DETECTORS.items())
    }
    with ExitStack() as stack:
        for module, name, value in (
            (auto, "_LOOK", 3),
            (auto, "_TRIAL", 4),
            (auto, "_PATIENCE", 8),
            (auto, "_PERIOD", 8),
            (auto, "_SHORTEST", 4),
            (candidates, "_YOUNG", 2),
            (candidates, "DETECTORS", detectors),
        ):
            stack.enter_context(mock.patch.object(module, name, value))
        yield


@st.composite
def councils(draw, policies=("auto", "old+new", "old+both", "champion")):
    """Draw a stream, and several models that learn it."""
    names = ("Diary", "YesNoDiary", "NumberDiary", "PageDiary")
    case = draw(cases(tuple(DOUBLE + name for name in names)))
    chosen = dict(case.settings)
    kind = draw(st.sampled_from(policies))
    after = draw(st.sampled_from([None, 1, 7]))
    match kind:
        case "champion":
            others = [CLONE, {"name": "anew", "policy": "reset"}]
            if chosen["model"] == DOUBLE + "Diary":
                others += [MOODY, FUSSY]
            promotion = draw(st.sampled_from([None, RULE]))
            chosen |= {"challengers": tuple(others), "promotion": promotion}
            if not chosen["model"].endswith("PageDiary"):
                chosen["grain"] = chosen["grain"] or 1
        case "old+both":
            chosen["policy"] = {"name": kind, "after": after, "kept": 3, "times": 2}
        case "old+new":
            chosen["policy"] = {"name": kind, "after": after}
        case _:
            chosen["policy"] = kind
    entries = list(case.entries)
    if kind == "champion":
        for place in draw(st.lists(st.integers(0, len(entries) - 1), max_size=3)):
            arm = draw(st.sampled_from(["main", "clone", "moody", "nobody"]))
            entries[place] = (
                entries[place][0],
                b'{"command": "promote", "arm": "%s"}' % arm.encode(),
            )
    return Case(entries, chosen, case.answer)


@settings(max_examples=EXAMPLES, phases=NOSHRINK)
@given(case=councils(), cuts=CUTS)
def test_neither_cut_nor_pickle_shows_among_several(case, cuts):
    """Cut and pickled anywhere, several models say what they say in a single piece."""
    with quick():
        assert said(case, cuts) == said(case)


@settings(max_examples=EXAMPLES // 2, phases=NOSHRINK)
@given(case=councils())
def test_turns_of_a_single_record_do_not_show_among_several(case):
    """Carried about after each record, they say the same."""
    with quick():
        assert said(case, one_by_one(case)) == said(case)


def served(case, **others):
    """Return the rows, less the name of the arm, and what was refused."""
    found = said(case._replace(settings={**case.settings, **others}))
    rows = [(*row[:8], row[9]) for row in found["rows"]]
    return rows, found["predictions"], found["dead"]


@settings(max_examples=EXAMPLES, phases=NOSHRINK)
@given(case=cases())
def test_an_auto_of_one_arm_is_that_arm(case):
    """Nothing is added to what a model alone would say."""
    alone = served(case, policy="none", detector="none")

    assert served(case, policy={"name": "auto", "arms": ["none"]}, detector="none") == alone


@settings(max_examples=EXAMPLES, phases=NOSHRINK)
@given(case=cases())
def test_an_auto_whose_arms_never_part_is_one_model(case):
    """Of clones the blend is the guess itself, to the last digit."""
    alone = served(case, policy="none", detector="none")
    arms = ["none", "adwin", "adwin-quick"]

    assert served(case, policy={"name": "auto", "arms": arms}, detector="none") == alone


@settings(max_examples=EXAMPLES, phases=NOSHRINK)
@given(case=cases((DOUBLE + "Diary", DOUBLE + "NumberDiary", DOUBLE + "PageDiary")))
def test_a_champion_is_served_as_if_it_stood_alone(case):
    """Whatever its challengers do, fail or draw lots for."""
    others = [CLONE, {"name": "still", "policy": "none"}]
    if case.settings["model"] == DOUBLE + "Diary":
        others += [MOODY, FUSSY]
    grain = case.settings["grain"] or (256 if "Page" in case.settings["model"] else 1)

    assert served(case, challengers=tuple(others), grain=grain) == served(case, grain=grain)


# -------------------------------------------- flaws that the laws above must find


def forgets(name, value):
    """Return a way to pickle several models without something."""

    def getstate(self):
        return {**vars(self), **({name: value()} if name in vars(self) else {})}

    return getstate


FLAWS = {
    "the errors of an arm": (Arm, "__getstate__", forgets("sum", float)),
    "that a drift was heard": (old.Split, "__getstate__", forgets("wanted", bool)),
    "how much was learned": (old.Split, "__getstate__", forgets("_learned", int)),
    "what was kept": (Reservoir, "__getstate__", forgets("_kept", list)),
    "the lots": (
        Reservoir,
        "__getstate__",
        forgets("_lots", lambda: random.Random(9)),
    ),
    "whose turn it is": (auto.Council, "__getstate__", forgets("_next", int)),
    "when a model was born": (candidates.Candidate, "__getstate__", forgets("born", int)),
    "who has won": (champion.Duel, "__getstate__", forgets("won", int)),
    "who leads": (champion.Tournament, "__getstate__", forgets("leader", int)),
    "who was taught": (Arm, "__getstate__", forgets("taught", bool)),
}


SHOWN = {
    "arms": ("auto", "old+new", "champion"),
    "champion": ("champion",),
    "auto": ("auto",),
    "candidates": ("auto",),
    "old": ("old+new",),
    "around": ("old+both",),
}
"""Among which policies the flaw of a module can show."""


def betrayed(case, cuts, flaw):
    """Return whether a flaw shows here."""
    owner, name, value = FLAWS[flaw]
    with quick(), mock.patch.object(owner, name, value, create=True):
        return said(case, cuts) != said(case)


@pytest.mark.parametrize("flaw", FLAWS)
def test_the_law_of_cuts_finds_what_is_forgotten(flaw):
    """A pickle that leaves something out is found out, and nothing else is wrong there."""
    kinds = SHOWN.get(FLAWS[flaw][0].__module__.rpartition(".")[2])
    found = find(
        st.tuples(councils(kinds) if kinds else councils(), CUTS),
        lambda drawn: betrayed(*drawn, flaw),
        settings=settings(max_examples=3000, phases=[Phase.generate], database=None),
        random=random.Random(5),
    )
    with quick():
        assert said(*found) == said(found[0])


def moody(cuts):
    """Return what is said of a challenger that draws lots, asked and told at once, or cut."""
    entries = []
    for i in range(30):
        asked = {"id": i, "x": {"a": i}}
        entries.append((2 * i, json.dumps(asked).encode()))
        entries.append((2 * i + 1, json.dumps({"id": i, "y": i % 3}).encode()))
    chosen = {"model": DOUBLE + "Diary", "policy": "none", "challengers": (MOODY,), "grain": 1}
    return said(Case(entries, chosen, "asked"), cuts)


def test_what_was_asked_is_part_of_a_pickle():
    """To ask a model of lots again is to be told something else, and that would show."""
    cuts = [Cut(at, True) for at in range(1, 60, 2)]
    assert moody(cuts) == moody(())

    with mock.patch.object(
        several.Several, "__getstate__", forgets("_asked", lambda: None), create=True
    ):
        assert moody(cuts) != moody(())


def test_what_is_to_be_forgotten_is_nowhere():
    """A question's features are in no model's memory once it is forgotten."""
    nested = {"name": "auto", "policy": "auto"}
    told = learner(policy="none", challengers=(nested,), grain=1)

    tell(told, {"id": "q", "x": {"a": "secret-7"}})
    assert b"secret-7" in pickle.dumps(told)
    tell(told, {"id": "q", "forget": True})

    assert b"secret-7" not in pickle.dumps(told)
