"""Models around another model, which they keep from learning, or teach more than it is told."""

from __future__ import annotations

from collections.abc import Sequence

from learner.models.model import Guess, Model
from learner.policies.reservoir import Reservoir
from stream.records import Features, Label


class Around:
    """A model that does what another does; see `learner.models.model`."""

    def __init__(self, model: Model) -> None:
        self.inner = model
        self.task, self.unsupervised = model.task, model.unsupervised
        self.binary, self.classes = model.binary, model.classes
        self.grain, self.one_by_one = model.grain, model.one_by_one
        self.needs_classes, self.numbers_only = model.needs_classes, model.numbers_only
        self.skips_missing = model.skips_missing

    @property
    def late_features(self) -> int:
        """Values that the model has ignored."""
        return self.inner.late_features

    @property
    def parts(self) -> Sequence[object]:
        """What the model has learned."""
        return self.inner.parts

    def guess(self, x: Features) -> Guess:
        """Return the guess for one sample."""
        return self.inner.guess(x)

    def guess_many(self, xs: Sequence[Features]) -> Sequence[Guess]:
        """Return a guess for each sample."""
        return self.inner.guess_many(xs)

    def consult(self, xs: Sequence[Features]) -> Sequence[Guess]:
        """Return a guess for each sample, leaving no trace of having been asked."""
        return self.inner.consult(xs)

    def learn_one(self, x: Features, y: Label) -> None:
        """Learn one labelled sample."""
        self.inner.learn_one(x, y)

    def learn(self, xs: Sequence[Features], ys: Sequence[Label]) -> None:
        """Learn labelled samples, in their order."""
        self.inner.learn(xs, ys)


class Frozen(Around):
    """A model that learns no more."""

    def learn_one(self, x: Features, y: Label) -> None:
        """Learn nothing."""

    def learn(self, xs: Sequence[Features], ys: Sequence[Label]) -> None:
        """Learn nothing."""


class Keeping(Around):
    """A model that keeps a sample of what it has learned."""

    def __init__(self, model: Model, reservoir: Reservoir) -> None:
        super().__init__(model)
        self.reservoir = reservoir

    def learn_one(self, x: Features, y: Label) -> None:
        """Learn one labelled sample, and keep it perhaps."""
        super().learn_one(x, y)
        self.reservoir.add([x], [y])

    def learn(self, xs: Sequence[Features], ys: Sequence[Label]) -> None:
        """Learn labelled samples, and keep some of them."""
        super().learn(xs, ys)
        self.reservoir.add(xs, ys)


class Replaying(Around):
    """A model that is taught `times` as many samples out of a reservoir as it is told."""

    def __init__(self, model: Model, reservoir: Reservoir, times: int) -> None:
        super().__init__(model)
        self._reservoir, self._times = reservoir, times

    def learn_one(self, x: Features, y: Label) -> None:
        """Learn one labelled sample, and then some of those kept."""
        super().learn_one(x, y)
        for old, label in self._reservoir.draw(self._times):
            super().learn_one(old, label)

    def learn(self, xs: Sequence[Features], ys: Sequence[Label]) -> None:
        """Learn labelled samples, and as one lesson with them some of those kept."""
        drawn = self._reservoir.draw(self._times * len(xs))
        super().learn([*xs, *(x for x, _ in drawn)], [*ys, *(y for _, y in drawn)])
