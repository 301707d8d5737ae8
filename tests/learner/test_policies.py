"""What is done about a drift, and when."""

import pytest
from river import datasets, drift, evaluate, metrics, naive_bayes, tree

from learner.policies.table import name_of
from learner.summary import summarize
from stream.errors import SettingError
from tests.learner.told import learner, rows, sample, tell

DIARY = {"detector": "tests.doubles.FourthMistake", "direction": "any"}
SEGMENTS = list(datasets.ImageSegments())


def segments(n=2310):
    """Return the samples of a stream whose classes come in blocks, and drift at each."""
    ordered = sorted(SEGMENTS, key=lambda pair: pair[1])[:n]
    return [(dict(x), y) for x, y in ordered]


@pytest.mark.parametrize(
    ("model", "built"),
    [("naive-bayes", naive_bayes.GaussianNB), ("hoeffding-tree", tree.HoeffdingTreeClassifier)],
)
@pytest.mark.parametrize(
    ("detector", "kind"),
    [("adwin", drift.ADWIN), ("ddm", drift.binary.DDM), ("page-hinkley", drift.PageHinkley)],
)
def test_a_reset_is_river_s_retraining_without_a_background(model, built, detector, kind):
    """The model is replaced before it learns the sample at which the alarm came."""
    pairs = segments()
    ours = learner(model, policy="reset", detector=detector, direction="any")

    turn = tell(ours, *(sample(i, y, **x) for i, (x, y) in enumerate(pairs)))

    wrapped = drift.DriftRetrainingClassifier(built(), kind(), train_in_background=False)
    accuracy = metrics.Accuracy()
    steps = evaluate.iter_progressive_val_score(
        pairs, wrapped, accuracy, step=1, yield_predictions=True
    )
    assert [row["y_pred"] for row in rows(turn)] == [step["Prediction"] for step in steps]
    assert ours.totals.correct / ours.totals.scored == accuracy.get()
    assert ours.totals.resets == ours.totals.drifts > 0


@pytest.mark.parametrize("grain", [1, 5])
def test_a_reset_comes_at_the_end_of_a_grain_before_it_is_learned(grain):
    """The new model is taught the grain that condemned the old one, and nothing older."""
    diary = learner(policy="reset", grain=grain, **DIARY)
    wrong = [sample(i, 2, a=i) for i in range(60)]

    turn = tell(diary, *wrong)

    kinds = [(offset, kind) for offset, kind, _ in turn.events]
    resets = [offset for offset, kind in kinds if kind == "reset"]
    drifts = [offset for offset, kind in kinds if kind == "drift"]
    assert resets
    assert all(offset % grain == grain - 1 for offset in resets)
    assert [min(at for at in resets if at >= drift) for drift in drifts] == sorted(
        min(at for at in resets if at >= drift) for drift in drifts
    )
    anew = learner(policy="none", detector="none", grain=grain)
    tell(anew, *wrong[resets[-1] - grain + 1 :])
    assert diary.policy.model.estimator.taught == anew.policy.model.estimator.taught


def test_nothing_is_done_where_the_policy_is_none():
    """A detector may watch all the same, and its alarms are told."""
    diary = learner(policy="none", **DIARY)

    turn = tell(diary, *(sample(i, 2, a=i) for i in range(60)))

    assert {kind for _, kind, _ in turn.events} == {"drift"}
    assert (diary.totals.resets, diary.totals.drifts) == (0, len(turn.events))


def test_an_improvement_resets_nothing():
    """It is told and counted apart."""
    diary = learner(policy="reset", detector=DIARY["detector"], direction="worse")

    turn = tell(diary, *(sample(i, 2, a=i) for i in range(60)))

    kinds = [kind for _, kind, _ in turn.events]
    assert kinds[:3] == ["drift", "reset", "improvement"]
    assert kinds.count("reset") == kinds.count("drift") == diary.totals.drifts
    assert kinds.count("improvement") == diary.totals.improvements


def test_two_alarms_in_a_grain_are_one_reset():
    """What is condemned is condemned once."""
    diary = learner(policy="reset", grain=30, **DIARY)
    tell(diary, *(sample(i, 2, a=i) for i in range(30)))

    turn = tell(diary, *(sample(i, 2, a=i) for i in range(30, 60)))

    kinds = [kind for _, kind, _ in turn.events]
    assert kinds.count("drift") > 1
    assert kinds.count("reset") == 1


def test_an_unknown_policy_is_refused_with_those_there_are():
    """The sentence names them."""
    with pytest.raises(SettingError, match="'x' is not known; choose of none, reset"):
        name_of("x")


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        ("resett", "did you mean 'reset'"),
        ({"name": "reset", "after": 3}, "'reset' has no argument 'after'; it takes none"),
        ({"after": 3}, "must be a name, or a table with 'name'"),
        (["none"], "must be a name, or a table with 'name'"),
    ],
)
def test_a_policy_that_cannot_be_is_refused_with_what_there_is(spec, sentence):
    """In one sentence, when the learner is made."""
    with pytest.raises(SettingError, match=sentence):
        learner(policy=spec)


def test_a_policy_may_be_a_table_of_its_name_and_arguments():
    """One without arguments is the same as its name."""
    assert type(learner(policy={"name": "reset"}).policy) is type(learner().policy)


def test_the_summary_counts_what_a_policy_did():
    """By kind, besides resets; a policy that did nothing is not spoken of."""
    told, plain = learner(policy={"name": "refit-all", "every": 20}), learner(policy="none")
    for each in (told, plain):
        tell(each, *(sample(i, i % 3, a=i) for i in range(60)))

    assert summarize([told, told], 1.0, 60).as_dict()["actions"] == {"refit": 6}
    assert "actions" not in summarize([plain], 1.0, 60).as_dict()
