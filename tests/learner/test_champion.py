"""Challengers beside a champion: who is scored, who is served, and who takes over when."""

import pytest
from river import tree
from scipy.stats import binomtest

from learner.learner import Learner
from learner.policies.champion import Duel, Rule, rule_of
from stream.errors import SettingError
from tests.learner.told import learner, reasons, rows, sample, tell

ALWAYS = "tests.learner.test_champion.Always"
NEAR = {"name": "right", "model": {"class": ALWAYS, "label": 1}}
WRONG = {"class": ALWAYS, "label": 0}


class Always(tree.HoeffdingTreeClassifier):
    """A model that says one label, whatever it is taught."""

    def __init__(self, label=0):
        super().__init__()
        self.label = label

    def predict_one(self, x):
        return self.label

    def predict_proba_one(self, x):
        return {self.label: 1.0}


def ones(n, start=0):
    """Return samples whose label is 1."""
    return [sample(start + i, 1, a=i) for i in range(n)]


def contest(**settings):
    """Return a learner whose champion is always wrong, beside one that is always right."""
    chosen = {"policy": "none", "challengers": (NEAR,), **settings}
    return learner(WRONG, **chosen)


def test_all_are_scored_and_the_champion_is_served():
    """The totals have a row for each; the outcomes have the champion's guesses."""
    told = contest()

    turn = tell(told, *ones(30))

    assert {(row["arm"], row["y_pred"]) for row in rows(turn)} == {("main", 0)}
    arms = told.totals.arms
    assert {name: (a.scored, a.correct, a.serving) for name, a in arms.items()} == {
        "main": (30, 0, True),
        "right": (30, 30, False),
    }
    assert arms["main"].fading_error == pytest.approx(told.totals.fading_error)


def test_a_command_promotes_and_another_takes_it_back():
    """From the record on, and each time it is told."""
    told = contest()
    promote = {"command": "promote", "arm": "right"}

    turn = tell(told, *ones(3), promote, *ones(3, 3), {**promote, "arm": "main"}, *ones(3, 6))

    assert [row["arm"] for row in rows(turn)] == ["main"] * 3 + ["right"] * 3 + ["main"] * 3
    assert [row["y_pred"] for row in rows(turn)] == [0] * 3 + [1] * 3 + [0] * 3
    assert turn.events == [
        (3, "promotion", {"from": "main", "to": "right", "why": "command"}),
        (7, "promotion", {"from": "right", "to": "main", "why": "command"}),
    ]
    assert told.totals.actions == {"promotion": 2}


def test_a_grain_is_closed_by_a_promotion():
    """What was gathered is learned at the command, and the next guess is the new champion's."""
    told = contest(grain=5)

    turn = tell(told, *ones(3), {"command": "promote", "arm": "right"}, *ones(2, 3))

    assert len(told.untaught) == 2
    assert [row["arm"] for row in rows(turn)] == ["main"] * 3 + ["right"] * 2
    assert told.totals.arms["right"].scored == 3


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"challengers": (NEAR,)}, "no arm 'nobody' to serve; there are main, right"),
        ({"challengers": None}, "one model alone"),
    ],
)
def test_nobody_cannot_be_promoted(settings, sentence):
    """The command is a dead letter that says who could have been."""
    told = contest(**settings)

    turn = tell(told, *ones(1), {"command": "promote", "arm": "nobody"}, *ones(1, 1))

    assert reasons(turn) == [(1, "unknown_arm")]
    assert sentence in str(turn.dead[0][2])
    assert {row["arm"] for row in rows(turn)} == {"main"}


@pytest.mark.parametrize(
    "value", [b'{"command": "promote"}', b'{"command":"promote","arm":""}']
)
def test_a_promotion_of_nothing_is_a_bad_command(value):
    """It is refused under that reason, and nobody is promoted."""
    told = contest()

    turn = tell(told, *ones(1), value)

    assert reasons(turn) == [(1, "bad_command")]
    assert not turn.events


def test_the_rule_promotes_at_the_end_of_a_window():
    """Once the better one has shown it; with what was found."""
    told = contest(promotion={"window": 20, "alpha": 0.001})

    turn = tell(told, *ones(50))

    (offset, kind, details), *more = turn.events
    assert (offset, kind, more) == (19, "promotion", [])
    assert (details["from"], details["to"], details["why"]) == ("main", "right", "rule")
    assert details["better"] == 1.0
    assert details["chance"] < 0.001
    assert [row["arm"] for row in rows(turn)] == ["main"] * 20 + ["right"] * 30


def test_the_rule_waits_after_a_promotion():
    """A champion that was taken back by hand stays for the cooldown."""
    told = contest(promotion={"window": 20, "cooldown": 50})
    back = {"command": "promote", "arm": "main"}

    turn = tell(told, *ones(20), back, *ones(100, 20))

    promoted = [(offset, details["to"]) for offset, _, details in turn.events]
    assert promoted == [(19, "right"), (20, "main"), (80, "right")]


def test_the_rule_lets_chance_and_small_gains_be():
    """Neither one that is as good as the champion, nor one that is hardly better."""
    clone = {"name": "clone"}
    same = contest(challengers=(clone,), promotion={"window": 20, "alpha": 0.5})
    strict = contest(promotion={"window": 50, "margin": 0.5})

    tell(same, *ones(100))
    turn = tell(strict, *[sample(i, int(i % 10 == 0), a=i) for i in range(100)])

    assert same.totals.actions == strict.totals.actions == {}
    assert not turn.events


def test_the_chance_is_that_of_the_sign_test():
    """Near the exact one, which scipy has."""
    for won, lost in ((60, 30), (15, 5), (300, 260), (40, 39)):
        duel = Duel()
        duel.won, duel.lost = won, lost
        exact = binomtest(won, won + lost, alternative="greater").pvalue
        assert duel.chance() == pytest.approx(exact, rel=0.15)


def test_numbers_are_compared_by_who_is_nearer():
    """The error is absolute, and the margin a share of the champion's."""
    told = learner(
        {"class": "river.dummy.StatisticRegressor", "statistic": {"class": "river.stats.Mean"}},
        policy="none",
        challengers=({"name": "tree", "model": "tree-regressor"},),
        promotion={"window": 200},
    )

    turn = tell(told, *[sample(i, float(i % 7), a=i % 7) for i in range(400)])

    assert [details["to"] for _, kind, details in turn.events if kind == "promotion"] == [
        "tree"
    ]
    arms = told.totals.arms
    assert arms["tree"].absolute_error < arms["main"].absolute_error


def test_a_challenger_has_a_policy_and_a_detector_of_its_own():
    """What befalls it is told under another kind, and changes nothing for the champion."""
    told = learner(
        policy="none",
        challengers=(
            {"name": "anew", "policy": "reset", "detector": "tests.doubles.FourthMistake"},
        ),
        direction="any",
    )

    turn = tell(told, *(sample(i, 2, a=i) for i in range(60)))

    kinds = {(kind, details["arm"]) for _, kind, details in turn.events}
    assert kinds == {("arm-drift", "anew"), ("arm-reset", "anew")}
    assert (told.totals.drifts, told.totals.resets) == (0, 0)


def test_a_model_of_two_classes_may_challenge_one_of_many():
    """It sees them coded, and goes without those of a third."""
    told = learner(
        "naive-bayes", policy="none", challengers=({"name": "two", "model": "logistic"},)
    )
    labels = ["no", "yes"] * 40 + ["maybe"] + ["no", "yes"] * 10

    turn = tell(told, *[sample(i, y, a=float(y == "yes")) for i, y in enumerate(labels)])

    assert reasons(turn) == []
    arm = told.totals.arms["two"]
    assert arm.scored == len(labels)
    assert len(labels) - 6 < arm.correct < len(labels)
    tell(told, {"command": "promote", "arm": "two"})
    answer = tell(told, sample("q", a=1.0)).predictions[0]
    assert answer.y_pred == "yes"
    assert set(answer.p) == {'"no"', '"yes"'}


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"challengers": ({"model": "logistic"},)}, "must be a table with a 'name'"),
        ({"challengers": ({"name": "A b"},)}, "1 to 40 of a-z"),
        ({"challengers": ({"name": "main"},)}, "none called 'main'"),
        ({"challengers": ({"name": 5},)}, "must be a table with a 'name'"),
        ({"challengers": ({"name": "a"}, {"name": "a"})}, "a name of its own"),
        ({"challengers": tuple({"name": f"n{i}"} for i in range(8))}, "must be 1 to 7"),
        ({"challengers": ({"name": "a", "modle": 1},)}, "no setting 'modle'; it takes name"),
        ({"challengers": ({"name": "a", "model": "linear"},)}, "for regression and the champ"),
        (
            {"challengers": ({"name": "a", "model": "sgd"},), "classes": (0, 1)},
            "models of one library",
        ),
        ({"challengers": ({"name": "a", "policy": "x"},)}, "policy 'x' is not known"),
        ({"promotion": "rule"}, "needs challengers"),
        ({"challengers": (NEAR,), "promotion": "soon"}, "cannot be 'soon'"),
        ({"challengers": (NEAR,), "promotion": {"windw": 3}}, "cannot be 'windw'"),
        ({"challengers": (NEAR,), "promotion": {"window": 3}}, "from 10 to 1000000, got 3"),
        ({"challengers": (NEAR,), "promotion": {"alpha": 2}}, "below 1, got 2"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(settings, sentence):
    """When the learner is made, and with what would do."""
    with pytest.raises(SettingError, match=sentence):
        learner("naive-bayes", **settings)


def test_anomalies_have_no_champion():
    """Their scores are neither right nor wrong."""
    with pytest.raises(SettingError, match="finds anomalies, whose scores have no errors"):
        learner("half-space-trees", policy="none", challengers=({"name": "a"},))


def test_the_rule_has_defaults():
    """`rule` is all of them."""
    assert rule_of("rule") == Rule() == rule_of({})
    assert rule_of("none") is rule_of(None) is None


def test_a_declaration_makes_all_of_them_anew():
    """The ear of the champion is the new one's too."""
    told: Learner = contest()

    tell(told, {"command": "declare", "classes": [0, 1]}, *ones(5))

    assert told.watch._tournament is told.policy.model
    assert told.totals.arms["right"].correct == 5
