"""A model whose lessons a policy hears of."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from learner.models.model import Guess, Model
from stream.records import Features, Label

Heard = Callable[[Sequence[Features], Sequence[Label]], None]
"""Takes samples and their labels, in their order, once they have been learned."""


class Followed:
    """A model that hands on all it is asked, and tells of every lesson once it is learned.

    A lesson at which the model failed is not told of.
    """

    def __init__(self, model: Model, heard: Heard) -> None:
        self.model, self._heard = model, heard
        self.task, self.grain, self.one_by_one = model.task, model.grain, model.one_by_one
        self.binary, self.unsupervised = model.binary, model.unsupervised
        self.needs_classes, self.classes = model.needs_classes, model.classes
        self.skips_missing, self.numbers_only = model.skips_missing, model.numbers_only

    @property
    def late_features(self) -> int:
        """What the model has ignored because it came too late."""
        return self.model.late_features

    @property
    def parts(self) -> Sequence[object]:
        """What the model has learned; what a policy keeps beside it is no part of that."""
        return self.model.parts

    def guess(self, x: Features) -> Guess:
        """Return the model's guess for one sample."""
        return self.model.guess(x)

    def guess_many(self, xs: Sequence[Features]) -> list[Guess]:
        """Return the model's guess for each sample."""
        return self.model.guess_many(xs)

    def consult(self, xs: Sequence[Features]) -> list[Guess]:
        """Return what `guess_many` would, leaving no trace."""
        return self.model.consult(xs)

    def learn_one(self, x: Features, y: Label) -> None:
        """Learn one labelled sample."""
        self.model.learn_one(x, y)
        self._heard((x,), (y,))

    def learn(self, xs: Sequence[Features], ys: Sequence[Label]) -> None:
        """Learn labelled samples, in their order."""
        self.model.learn(xs, ys)
        self._heard(xs, ys)
