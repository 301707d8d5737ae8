"""What a model is to a learner."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from stream.records import Features, Label

Guess = tuple[Label | None, dict[Label, float] | None]
"""A guess, None for none yet, and the probability of each class, None where there is none.

That of a detector of anomalies is a score, a number that is the higher the stranger a sample.
"""

ModelError = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What an estimator may raise on features it was not made for.

No more than these: a bug of ours should end the process, a `MemoryError` too.
"""


class Model(Protocol):
    """A model that keeps learning.

    A guess teaches nothing. Two models built alike and taught alike guess alike, also when
    one of them was pickled on the way.
    """

    task: str
    """classification, regression or anomaly."""
    grain: int
    """How many labelled samples one `learn` takes unless the user says otherwise."""
    one_by_one: bool
    """Whether a guess is as cheap alone as in company."""
    binary: bool
    """Whether it tells only False from True."""
    unsupervised: bool
    """Whether it learns from samples alone, so that none need wait for its label."""
    needs_classes: bool
    """Whether all labels must be declared before it learns."""
    skips_missing: bool
    """Whether features that are null are left out before it sees a sample."""
    numbers_only: bool
    """Whether a feature that is a text is more than it can take."""
    classes: frozenset[Label] | None
    """The labels it takes; None for any."""

    @property
    def late_features(self) -> int:
        """Values it has ignored because it first met their feature or category too late."""

    @property
    def parts(self) -> Sequence[object]:
        """All that it has learned and goes on from, for who counts that."""

    def guess(self, x: Features) -> Guess:
        """Return the guess for one sample."""

    def guess_many(self, xs: Sequence[Features]) -> Sequence[Guess]:
        """Return a guess for each sample; none depends on which others are asked with it."""

    def consult(self, xs: Sequence[Features]) -> Sequence[Guess]:
        """Return what `guess_many` would, and be afterwards in every bit as before.

        To ask in a stream may leave a trace, lots that were drawn say; this must not.
        """

    def learn_one(self, x: Features, y: Label) -> None:
        """Learn one labelled sample."""

    def learn(self, xs: Sequence[Features], ys: Sequence[Label]) -> None:
        """Learn labelled samples, in their order."""
