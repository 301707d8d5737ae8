"""A model that is followed is to all others the model itself."""

import pytest

from learner.models.build import build
from learner.policies.followed import Followed

XS = [{"a": float(i % 5), "b": float(i % 3)} for i in range(40)]
YS = [i % 2 for i in range(40)]


def taught(model, follow=None):
    """Return a model taught in pieces, one by one and in company."""
    model = build(model, seed=1, classes=(0, 1))
    model = model if follow is None else Followed(model, follow)
    model.learn(XS[:20], YS[:20])
    for x, y in zip(XS[20:], YS[20:], strict=True):
        model.learn_one(x, y)
    return model


@pytest.mark.parametrize("model", ["logistic", "hoeffding-tree", "sgd", "linear"])
def test_it_guesses_and_learns_alike(model):
    """Whatever way it is asked, and it says of itself what the model says."""
    plain, followed = taught(model), taught(model, lambda *_: None)

    assert followed.guess_many(XS) == plain.guess_many(XS)
    assert [followed.guess(x) for x in XS[:3]] == [plain.guess(x) for x in XS[:3]]
    assert followed.consult(XS) == plain.consult(XS)
    for name in ("task", "grain", "one_by_one", "binary", "unsupervised", "needs_classes"):
        assert getattr(followed, name) == getattr(plain, name)
    for name in ("skips_missing", "numbers_only", "classes", "late_features"):
        assert getattr(followed, name) == getattr(plain, name)


def test_every_lesson_is_told_of_once_and_in_order():
    """In company and one by one."""
    heard = []
    taught("logistic", lambda xs, ys: heard.extend(zip(xs, ys, strict=True)))

    assert heard == [*zip(XS, YS, strict=True)]


def test_a_lesson_at_which_the_model_failed_is_not_told_of():
    """It has not been learned."""
    heard = []
    followed = Followed(build("tests.doubles.Diary", seed=1), lambda *told: heard.append(told))

    with pytest.raises(ValueError, match="cannot be learned"):
        followed.learn_one({"poison": 1}, 0)

    assert heard == []
