"""Laws that hold for every policy, with models of both dialects, however they are cut."""

import copy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learner.config import Config
from learner.learner import Learner
from learner.policies.reservoir import Reservoir
from learner.policies.table import POLICIES
from stream.errors import SettingError
from tests.learner.test_laws import CUTS, NAMES, betrayed, cases, knows_too_much, said, search

EXAMPLES = 8
SGD = {"class": "sklearn.linear_model.SGDClassifier", "learning_rate": "constant", "eta0": 0.1}
SGD_REGRESSOR = {"class": "sklearn.linear_model.SGDRegressor", "eta0": 0.001}
MODELS = {
    "diary": ("tests.doubles.Diary", "tests.doubles.Diary"),
    "pages": ("tests.doubles.PageDiary", "tests.doubles.PageDiary"),
    "numbers": ("tests.doubles.NumberDiary", "tests.doubles.NumberDiary"),
    "logistic": ("tests.doubles.YesNoDiary", "logistic"),
    "linear": ("tests.doubles.NumberDiary", "linear"),
    "sgd": ("tests.doubles.PageDiary", SGD),
    "sgd-regressor": ("tests.doubles.NumberDiary", SGD_REGRESSOR),
}
"""Models by a short name: whose labels the stream has, and what is built."""
NO_RATE = {"diary", "pages", "numbers"}
"""Models without a learning rate."""
EAGER = {
    "warm-swap": [{}, {"drop": False}],
    "refit-window": [{"window": 7}, {"window": 5, "every": 6}, {"window": 9, "period": 4}],
    "refit-all": [{"budget": 6}, {"budget": 8, "every": 5}, {"passes": 2, "period": 3}],
    "slower": [{"samples": 9}, {"samples": 9, "gradual": True}],
    "faster": [{"samples": 9}, {"samples": 9, "gradual": True}],
    "replay": [{"size": 5}, {"size": 5, "ratio": 0.4}],
}
"""Arguments with which a policy does much within a few samples."""
NERVOUS = {
    "class": "tests.doubles.FourthMistake",
    "calm": 4,
    "warning": {"class": "tests.doubles.FourthMistake", "every": 3},
}
MOVED = {
    "class": "river.drift.PageHinkley",
    "min_instances": 4,
    "threshold": 5.0,
    "calm": 4,
    "warning": {"threshold": 1.0},
}


def refused(policy, model):
    """Whether a policy makes no sense with a model."""
    return policy in ("slower", "faster") and model in NO_RATE


@st.composite
def policed(draw, policy, model):
    """Draw a stream, and one who learns it under a policy."""
    labels, built = MODELS[model]
    case = draw(cases([labels]))
    arguments = draw(st.sampled_from(EAGER.get(policy, [{}])))
    chosen = case.settings | {"model": built, "policy": {"name": policy} | arguments}
    if isinstance(NAMES[labels][1], float) or model in ("numbers", "linear", "sgd-regressor"):
        chosen["detector"] = MOVED
    else:
        chosen["detector"] = NERVOUS
    if draw(st.booleans()):
        chosen["watch_inputs"] = 2
    return case._replace(settings=chosen)


each_pair = pytest.mark.parametrize(
    ("policy", "model"),
    [(policy, model) for policy in POLICIES for model in MODELS if not refused(policy, model)],
)


@each_pair
@settings(max_examples=EXAMPLES)
@given(data=st.data())
def test_neither_cut_nor_pickle_shows(policy, model, data):
    """A learner cut and pickled anywhere says and does what one in a single piece does."""
    case, cuts = data.draw(policed(policy, model)), data.draw(CUTS)

    assert said(case, cuts) == said(case)


@pytest.mark.parametrize(
    "policy", [policy for policy in POLICIES if not refused(policy, "diary")]
)
@settings(max_examples=EXAMPLES)
@given(data=st.data())
def test_no_guess_knows_its_label(policy, data):
    """Another label changes no guess up to and with its own."""
    case = data.draw(policed(policy, "diary"))
    assert not knows_too_much(
        case._replace(settings=case.settings | {"model": "tests.doubles.Diary"}),
        data.draw(st.integers(0, 60)),
    )


@pytest.mark.parametrize("model", sorted(NO_RATE))
@pytest.mark.parametrize("policy", ["slower", "faster"])
def test_what_makes_no_sense_is_refused_at_the_start(policy, model):
    """In one sentence, before a record is read."""
    with pytest.raises(SettingError, match=r"and model 'tests\.doubles\..* has none"):
        Learner(Config(model=MODELS[model][1], policy=policy), 0, 0)


# ----------------------------------------- learners that the laws above must reject


def _no_background(policy):
    policy._background = None


def _no_window(policy):
    policy._window = type(policy._window)(policy._window.size)


def _no_past(policy):
    policy._past = Reservoir(policy._past._size, 1)


def _no_way_back(policy):
    policy._left = 0


def _nothing_drawn(policy):
    policy.model = copy.copy(policy.model)
    policy.model._past = Reservoir(policy.model._past._size, 1)


FORGET = {
    "warm-swap": _no_background,
    "refit-window": _no_window,
    "refit-all": _no_past,
    "slower": _no_way_back,
    "replay": _nothing_drawn,
}


@pytest.mark.parametrize("policy", FORGET)
def test_the_law_rejects_a_policy_that_forgets(policy):
    """What a policy keeps is not in its pickle, and the law's examples betray it."""

    class Forgets(Learner):
        def __getstate__(self):
            policy_of = copy.copy(self.policy)
            FORGET[policy](policy_of)
            return vars(self) | {"policy": policy_of}

    globals()["Forgets"] = Forgets
    Forgets.__qualname__ = "Forgets"
    model = "logistic" if policy == "slower" else "diary"
    search(
        st.tuples(policed(policy, model), CUTS),
        lambda drawn: betrayed(*drawn, Forgets),
        500,
    )
