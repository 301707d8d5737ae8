"""Each grain is learned mixed with some of the past."""

import pytest

from stream.errors import SettingError
from tests.learner.told import learner, sample, tell

LESSONS = [sample(i, i % 3, a=i) for i in range(120)]


class Heard:
    """Notes what a model is taught."""

    def __init__(self, model):
        self.model, self.lessons, self.within = model, [], False
        self.one, self.many = model.learn_one, model.learn
        model.learn_one, model.learn = self.learn_one, self.learn

    def learn_one(self, x, y):
        if not self.within:
            self.lessons.append([x["a"]])
        self.one(x, y)

    def learn(self, xs, ys):
        self.lessons.append([x["a"] for x in xs])
        self.within = True
        self.many(xs, ys)
        self.within = False


def taught(told, *lessons):
    """Return what the model of a learner was taught, lesson by lesson."""
    heard = Heard(told.policy.model.inner)
    tell(told, *lessons)
    return heard.lessons


@pytest.mark.parametrize("ratio", [1.0, 0.5, 2.0])
def test_each_sample_is_followed_by_some_of_the_past(ratio):
    """As many as the ratio has it, each from before, none twice at a time."""
    told = learner(policy={"name": "replay", "ratio": ratio, "size": 10}, grain=1)

    lessons = [a for (a,) in taught(told, *LESSONS)]

    news = [lessons.index(i) for i in range(120)]
    assert news == sorted(news)
    assert len(lessons) == pytest.approx(120 * (1 + ratio), abs=3)
    for at, following in zip(news, [*news[1:], len(lessons)], strict=True):
        new, *old = lessons[at:following]
        assert all(a < new for a in old)
        assert len(set(old)) == len(old)


def test_a_grain_is_mixed_with_as_many_old_ones():
    """In one lesson, in an order that the seed draws."""
    settings = {"policy": {"name": "replay", "size": 50}, "grain": 10}
    grains = taught(learner(**settings), *LESSONS)

    assert sorted(grains[0]) == list(range(10))
    for number, grain in enumerate(grains[1:], 1):
        new = [a for a in grain if a >= 10 * number]
        assert sorted(new) == list(range(10 * number, 10 * number + 10))
        assert len(grain) == 20
        assert new != grain[:10]
    assert grains == taught(learner(**settings), *LESSONS)
    assert grains != taught(learner(**settings, seed=2), *LESSONS)


def test_what_could_not_be_learned_is_not_kept():
    """A dead letter does not come back."""
    told = learner(policy={"name": "replay", "size": 10})
    turn = tell(told, sample(0, 0, a=0), sample(1, 0, poison=1), sample(2, 0, a=2))

    assert [error.reason for _, _, error in turn.dead] == ["not_learned"]
    assert [x for x, _ in told.policy.model._past.lessons] == [{"a": 0}, {"a": 2}]


def test_a_detector_of_anomalies_may_replay():
    """It needs no errors for that."""
    told = learner("half-space-trees", policy="replay")

    tell(told, *(sample(i, a=i % 7) for i in range(50)))

    assert told.policy.model._past.seen == 50


@pytest.mark.parametrize(
    ("policy", "sentence"),
    [
        ({"size": 0}, "size of policy 'replay' must be a whole number from 1 to 1000000"),
        ({"ratio": 0}, "ratio of policy 'replay' must be a number above 0 and below 100"),
        ({"ratio": float("nan")}, "got nan"),
    ],
)
def test_what_cannot_be_meant_is_refused(policy, sentence):
    """Before a record is read."""
    with pytest.raises(SettingError, match=sentence):
        learner(policy={"name": "replay"} | policy)
