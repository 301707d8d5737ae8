"""Keep what was learned of old data as it is, beside a model that learns what is new."""

from __future__ import annotations

import copy
from collections.abc import Sequence

from learner.models.model import Guess, Model
from learner.policies.arguments import whole
from learner.policies.arms import Arm, named
from learner.policies.around import Frozen, Keeping, Replaying
from learner.policies.blend import FLOOR, blended_classes, blended_numbers, weights
from learner.policies.policy import Maker, Policy
from learner.policies.reservoir import Reservoir
from learner.policies.several import Guesses, Panel, Several, refuse_anomaly
from learner.policies.stores import Store

OLD, NEW, BOTH, BLEND = "old", "new", "both", "blend"
MOST_KEPT = 100_000
"""Samples kept of old data, at most."""
_MOST = 2**53
_QUICK = 0.99
"""Fading factor of the errors by which a guess is weighted."""


class _Of(Policy):
    """A policy around a model that is there already."""

    def __init__(self, model: Model) -> None:
        self.model, self.due = model, False


class Split(Several):
    """One model, and from a moment on that model frozen, and beside it one that learns.

    The moment comes with the first drift, or once `after` samples have been learned. What
    is served then is the blend of both, by their recent errors.
    """

    def __init__(self, make: Maker, model: Model, after: int | None) -> None:
        super().__init__([Arm(OLD, _Of(model), fading=_QUICK)], OLD)
        self._make, self.after_labels = make, after
        self.wanted = False
        """Whether a drift has been heard of that nothing was done about yet."""
        self._learned = 0

    def serve(self, guesses: Guesses) -> Guess:
        """Return the guess of the one, or the blend of both."""
        if len(guesses) == 1:
            return guesses[0]
        shares = weights([arm.loss for arm in self.arms], self._floor)
        blended = blended_numbers if self.task == "regression" else blended_classes
        return blended(guesses, shares)

    @property
    def _floor(self) -> float:
        return 0.0 if self.task == "regression" else FLOOR

    def act(self) -> None:
        """Split where it is time to; start the new model over at a later drift."""
        due = self.wanted if self.after_labels is None else self._learned >= self.after_labels
        self.wanted = False
        if not due:
            return
        if len(self.arms) == 1:
            old = self.arms[0].model
            self.arms.append(Arm(*self._beside(old), fading=_QUICK))
            self.arms[0].policy.model = Frozen(old)
            self.said.append(("split", {"from": OLD, "to": BLEND, "learned": self._learned}))
            self.serving = BLEND
        elif self.after_labels is None:
            self._again()

    def after(self, guesses: Sequence[Guesses], ys: Sequence[object]) -> None:
        """Count what is about to be learned."""
        self._learned += len(ys)

    def _beside(self, old: Model) -> tuple[str, Policy]:
        return NEW, _Of(self._make())

    def _again(self) -> None:
        new = self.arms[1]
        new.take(self._make())
        new.forget()
        self.said += named(new, self.serving, [("reset", {})])


class _SplitBoth(Split):
    """The same, but the model that learns on is a copy of the old one, and replays."""

    def __init__(
        self, make: Maker, model: Model, after: int | None, reservoir: Reservoir, times: int
    ) -> None:
        super().__init__(make, Keeping(model, reservoir), after)
        self._reservoir, self._times = reservoir, times

    @property
    def stores(self) -> Sequence[Store]:
        """What was kept of old data."""
        return [self._reservoir]

    def _beside(self, old: Model) -> tuple[str, Policy]:
        copied = copy.deepcopy(old.inner if isinstance(old, Keeping) else old)
        return BOTH, _Of(Replaying(copied, self._reservoir, self._times))

    def _again(self) -> None:
        """Go on: what it was taught of old and new data is still what is wanted."""


class OldPlusNew(Panel):
    """Freeze the model at the first drift, and learn what is new with another beside it.

    `after` samples do it too, and then no drift does. At each later drift the new model
    starts over, the old one stays. Answers are blended by the recent errors of the two.
    """

    listens = True
    model: Split

    def __init__(self, make: Maker, after: int | None = None) -> None:
        if after is not None:
            whole("old+new", "after", after, most=_MOST)
        model = make()
        refuse_anomaly("old+new", model.task)
        super().__init__(make, Split(make, model, after))

    def alarm(self, kind: str) -> None:
        """Want a split for a drift."""
        self.model.wanted |= kind == "drift"


class OldPlusBoth(OldPlusNew):
    """Freeze the model at the first drift; beside it a copy learns on, of old and new data.

    With each new sample the copy is taught `times` samples out of a seeded reservoir of
    `kept` samples of what the model had learned until then. `after` so many samples the model
    is frozen without a drift.
    """

    def __init__(
        self, make: Maker, after: int | None = None, kept: int = 1000, times: int = 1
    ) -> None:
        if after is not None:
            whole("old+both", "after", after, most=_MOST)
        whole("old+both", "kept", kept, most=MOST_KEPT)
        whole("old+both", "times", times, most=100)
        model = make()
        refuse_anomaly("old+both", model.task)
        reservoir = Reservoir(kept, make.seed)
        Panel.__init__(self, make, _SplitBoth(make, model, after, reservoir, times))
