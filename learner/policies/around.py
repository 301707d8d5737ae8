"""Models around another model, which they keep from learning, or teach more than it is told."""

from __future__ import annotations

import random
from collections.abc import Sequence

from learner.models.model import Guess, Model
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

    def guess_many(self, xs: Sequence[Features]) -> list[Guess]:
        """Return a guess for each sample."""
        return self.inner.guess_many(xs)

    def consult(self, xs: Sequence[Features]) -> list[Guess]:
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


class Reservoir:
    """A seeded sample of all that it was shown, each as likely to be in it as any other.

    Source: algorithm R of Vitter, "Random Sampling with a Reservoir", ACM TOMS 11, 1985.
    """

    def __init__(self, size: int, seed: int) -> None:
        self.kept: list[tuple[Features, Label]] = []
        self._size, self._seen = size, 0
        self._chance = random.Random(seed)

    def show(self, x: Features, y: Label) -> None:
        """Keep a sample, perhaps, in place of another."""
        self._seen += 1
        if len(self.kept) < self._size:
            self.kept.append((x, y))
        elif (place := self._chance.randrange(self._seen)) < self._size:
            self.kept[place] = x, y

    def draw(self, n: int) -> list[tuple[Features, Label]]:
        """Return `n` of the samples kept, by lot; one may be drawn twice."""
        return self._chance.choices(self.kept, k=n) if self.kept else []


class Keeping(Around):
    """A model that keeps a sample of what it is taught."""

    def __init__(self, model: Model, reservoir: Reservoir) -> None:
        super().__init__(model)
        self.reservoir = reservoir

    def learn_one(self, x: Features, y: Label) -> None:
        """Learn one labelled sample, and keep it perhaps."""
        self.reservoir.show(x, y)
        super().learn_one(x, y)

    def learn(self, xs: Sequence[Features], ys: Sequence[Label]) -> None:
        """Learn labelled samples, and keep some of them."""
        for x, y in zip(xs, ys, strict=True):
            self.reservoir.show(x, y)
        super().learn(xs, ys)


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
