"""Mix what is new with some of the past."""

from __future__ import annotations

from collections.abc import Sequence

from learner.models.model import Model
from learner.policies.arguments import number, whole
from learner.policies.followed import Followed
from learner.policies.policy import Maker, Policy
from learner.policies.reservoir import Reservoir
from learner.policies.stores import Lesson, Store
from stream.records import Features, Label


class Replay(Policy):
    """Let the model learn each grain mixed with samples drawn from all its past.

    `size` samples are kept, a uniform sample of all so far, and for each new one `ratio` of
    them are learned once more: at 0.5 one for every two. The grain as it came and what was
    drawn are shuffled together; a sample that comes alone goes before what is drawn for it.

    Source of the idea: Robins, "Catastrophic forgetting, rehearsal and pseudorehearsal",
    Connection Science 7 (1995).
    """

    def __init__(self, make: Maker, *, size: int = 1000, ratio: float = 1.0) -> None:
        super().__init__(make)
        size = whole("replay", "size", size)
        ratio = number("replay", "ratio", ratio, above=0, below=100)
        self.model: Mixed = Mixed(self.model, Reservoir(size, make.seed), ratio)

    @property
    def stores(self) -> Sequence[Store]:
        """The samples that may be learned once more."""
        return [self.model.past]


class Mixed(Followed):
    """A model that learns what it is taught together with some of what it was taught."""

    def __init__(self, model: Model, past: Reservoir, ratio: float) -> None:
        super().__init__(model, past.add)
        self._past, self._ratio, self._owed = past, ratio, 0.0

    @property
    def past(self) -> Reservoir:
        """What it draws from."""
        return self._past

    def learn_one(self, x: Features, y: Label) -> None:
        """Learn one labelled sample, and then what is drawn for it."""
        self.inner.learn_one(x, y)
        for old_x, old_y in self._drawn(1):
            self.inner.learn_one(old_x, old_y)
        self._heard((x,), (y,))

    def learn(self, xs: Sequence[Features], ys: Sequence[Label]) -> None:
        """Learn labelled samples and what is drawn for them, shuffled together."""
        mixed = [*zip(xs, ys, strict=True), *self._drawn(len(xs))]
        self._past.shuffle(mixed)
        new_xs, new_ys = zip(*mixed, strict=True)
        self.inner.learn(new_xs, new_ys)
        self._heard(xs, ys)

    def _drawn(self, samples: int) -> list[Lesson]:
        self._owed += self._ratio * samples
        number = int(self._owed)
        self._owed -= number
        return self._past.draw(number)


_Mixed = Mixed
"""What checkpoints of older versions call it."""
