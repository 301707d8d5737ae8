"""The arms of `auto`: what each waits for before it starts over, and how long it has a say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from learner.drift import Watch
from learner.models.model import Guess, Model
from learner.policies.arms import Arm
from learner.policies.policy import Action, Maker, Policy
from learner.policies.replay import Mixed
from learner.policies.reservoir import Reservoir
from learner.policies.reset import Reset
from stream.errors import SettingError
from stream.records import Features, Label

REPLAY = "replay"
"""The arm whose model learns all twice: as it comes, and later on as one of the past."""
DETECTORS: dict[str, Any] = {
    "none": None,
    "adwin": "adwin",
    "adwin-quick": {"class": "river.drift.ADWIN", "delta": 0.3},
    "ddm": "ddm",
    "hddm-w": "hddm-w",
    "page-hinkley": "page-hinkley",
    "window-a": None,
    "window-b": None,
    REPLAY: None,
}
"""The arms there are, and the detector at whose alarm each starts over."""
WINDOWS = ("window-a", "window-b")
"""Those that start over by turns, after so many samples."""
NO_CHANGE = "no-change"
"""The arm that says the last label once more."""
CLASSES = ("none", "adwin", "adwin-quick", "ddm", REPLAY, *WINDOWS, NO_CHANGE)
"""The arms where labels are classes."""
NUMBERS = ("none", "adwin", "adwin-quick", *WINDOWS, NO_CHANGE)
"""The arms where labels are numbers."""
_QUICK, _SLOW = 0.99, 0.999
"""Fading factors of the error by which an arm has its say, and by which it is given up."""
_KEPT = 1000
"""Samples kept for a model that replays."""
_YOUNG = 100
"""Samples after which one that has started over by its turn has a say."""


class Spread:
    """How far labels lie from their mean; 1 where they are classes, which have no distance."""

    def __init__(self, task: str) -> None:
        self.mean = 0.0 if task == "regression" else 1.0
        self._numbers = task == "regression"
        self._n, self._middle = 0, 0.0

    def see(self, y: Any) -> None:
        """Take a label."""
        if self._numbers:
            self._n += 1
            self._middle += (y - self._middle) / self._n
            self.mean += (abs(y - self._middle) - self.mean) / self._n


class Candidate(Arm):
    """An arm that may go on with another's model, where its own has come to nothing.

    `born` is how many labels had been seen when its model was new. A detector hears errors
    of numbers by how far labels lie apart, from 0 to 1.
    """

    def __init__(self, name: str, policy: Policy, watch: Watch | None, spread: Spread) -> None:
        super().__init__(name, policy, watch, fading=_QUICK)
        self.born = 0
        self.spread = spread
        self._late, self._weighed = 0.0, 0.0

    @property
    def slow(self) -> float:
        """The mean of its errors over a longer time than `loss`."""
        return self._late / self._weighed if self._weighed else 0.0

    def says(self, seen: int) -> bool:
        """Whether it has a say after so many labels."""
        return self.name not in WINDOWS or seen - self.born >= _YOUNG or not self.born

    def count(self, error: float) -> None:
        """Let its means take an error."""
        self.errors.append(error)
        self.sum = self.sum * _QUICK + error
        self.weight = self.weight * _QUICK + 1.0
        self._late = self._late * _SLOW + error
        self._weighed = self._weighed * _SLOW + 1.0

    def heard(self, error: float) -> float:
        """Return an error as its detector hears it."""
        if not self.numbers:
            return error
        return error / (error + self.spread.mean) if error else 0.0

    def begin(self, model: Model, seen: int) -> None:
        """Go on with a model that has just been made, after so many labels."""
        self.take(model)
        self.born = seen

    def forget(self) -> None:
        """Begin the means of its errors anew."""
        super().forget()
        self._late = self._weighed = 0.0

    def follow(self, other: Candidate) -> None:
        """Go on with the model of another, as if it had always been one's own."""
        self.take(other.model)
        self.born = other.born
        self.sum, self.weight = other.sum, other.weight
        self._late, self._weighed = other._late, other._weighed


class NoChange:
    """A model that says the last label once more; see `learner.models.model`.

    Source: the no-change classifier of Bifet et al., "Pitfalls in benchmarking data stream
    classification and how to avoid them", ECML PKDD 2013.
    """

    unsupervised = False
    needs_classes = False
    late_features = 0
    grain = 1
    one_by_one = True

    def __init__(self, like: Model) -> None:
        self.task, self.binary, self.classes = like.task, like.binary, like.classes
        self.skips_missing, self.numbers_only = like.skips_missing, like.numbers_only
        self._last: Label | None = None
        self.parts: Sequence[object] = ()

    def guess(self, x: Features) -> Guess:
        """Return the last label."""
        return self._last, None

    def guess_many(self, xs: Any) -> list[Guess]:
        """Return the last label for each sample."""
        return [(self._last, None)] * len(xs)

    consult = guess_many

    def learn_one(self, x: Features, y: Label) -> None:
        """Note a label."""
        self._last = y

    def learn(self, xs: Any, ys: Any) -> None:
        """Note the last of some labels."""
        self._last = ys[-1]


class _Still(Policy):
    """A policy around a model that is there already."""

    def __init__(self, model: Model) -> None:
        self.model, self.due = model, False


class _Anew(Reset):
    """Start over when the error has risen, from a model that others have as well."""

    def __init__(self, make: Maker, model: Model) -> None:
        self._make, self.model, self.due = make, model, False

    def act(self) -> list[Action]:
        """Say that a new model is wanted; who holds the arms gives it."""
        self.due = False
        return [("reset", {})]


def replaying(make: Maker) -> Mixed:
    """Return a new model that learns all it is taught once more, a little later."""
    return Mixed(make(), Reservoir(_KEPT, make.seed), 1.0)


def candidates(names: tuple[str, ...], make: Maker) -> list[Candidate]:
    """Return arms that all begin with one model. Raises `SettingError` for names unknown."""
    shared = make()
    spread = Spread(shared.task)
    found = []
    for name in names:
        if name == NO_CHANGE:
            found.append(Candidate(name, _Still(NoChange(shared)), None, spread))
            continue
        if name not in DETECTORS:
            raise SettingError(
                f"policy 'auto' has no arm {name!r}; choose of "
                f"{', '.join([*DETECTORS, NO_CHANGE])}"
            )
        spec = DETECTORS[name]
        watch = None
        if spec is not None:
            watch = Watch(spec, task=shared.task, direction="worse", seed=make.seed)
        model = replaying(make) if name == REPLAY else shared
        found.append(Candidate(name, _Anew(make, model), watch, spread))
    return found
