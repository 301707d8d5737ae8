"""A model whose lessons a policy hears of."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from learner.models.model import Model
from learner.policies.around import Around
from stream.records import Features, Label

Heard = Callable[[Sequence[Features], Sequence[Label]], None]
"""Takes samples and their labels, in their order, once they have been learned."""


class Followed(Around):
    """A model that hands on all it is asked, and tells of every lesson once it is learned.

    A lesson at which the model failed is not told of.
    """

    def __init__(self, model: Model, heard: Heard) -> None:
        super().__init__(model)
        self._heard = heard

    def learn_one(self, x: Features, y: Label) -> None:
        """Learn one labelled sample."""
        super().learn_one(x, y)
        self._heard((x,), (y,))

    def learn(self, xs: Sequence[Features], ys: Sequence[Label]) -> None:
        """Learn labelled samples, in their order."""
        super().learn(xs, ys)
        self._heard(xs, ys)
