"""Several ways to meet a drift side by side; the answer is weighted by how each did lately."""

from __future__ import annotations

from collections.abc import Sequence

from learner.models.model import Guess, Model
from learner.policies.arms import named
from learner.policies.blend import FLOOR, blended_classes, blended_numbers, weights
from learner.policies.candidates import (
    CLASSES,
    NO_CHANGE,
    NUMBERS,
    WINDOWS,
    Candidate,
    Spread,
    candidates,
    replaying,
)
from learner.policies.policy import Maker
from learner.policies.replay import Mixed
from learner.policies.several import MOST, Guesses, Panel, Several, refuse_anomaly
from learner.policies.stores import Store
from stream.errors import SettingError
from stream.records import Label

BLEND = "blend"
"""What serves, where it is no single arm."""
_LOOK = 100
"""Labelled samples between two looks at who has come to nothing."""
_TRIAL = 1000
"""Samples that a model of an arm's own is given at least."""
_PATIENCE = 5000
"""Samples after which it must be no worse than the best."""
_MARGIN = 0.02
"""How much worse it may be at first, as a share of what errors there are to make."""
_PERIOD, _SHORTEST, _LONGEST = 2000, 500, 32_000
"""Samples between two turns of an arm that starts over by turns: at first, and its bounds."""


class Council(Several):
    """Arms that begin as one model, part at their alarms, and come together again.

    An arm has a model of its own only from when it starts over, but for the one that replays;
    arms that start over at once share the new one. One whose model has had its trial and is
    worse than the best goes on with the best one's. So in quiet times there is one model at
    work, and never more than there are arms.
    """

    arms: list[Candidate]  # type: ignore[assignment]

    def __init__(self, make: Maker, arms: Sequence[Candidate]) -> None:
        super().__init__(arms, BLEND)
        self._make = make
        self._spread: Spread = arms[0].spread
        self._own = [arm for arm in self.arms if arm.name != NO_CHANGE]
        self._still = next((arm for arm in self.arms if arm.name == NO_CHANGE), None)
        self._turns = [arm for arm in self.arms if arm.name in WINDOWS]
        self._seen = 0
        self.at_work = len({id(arm.model) for arm in self._own})
        """How many models learn at present, the last label aside."""
        self._period, self._next = _PERIOD, _PERIOD // 2

    @property
    def stores(self) -> Sequence[Store]:
        """What those models may learn once more that replay."""
        models = {id(arm.model): arm.model for arm in self._own}
        return [model.past for model in models.values() if isinstance(model, Mixed)]

    def serve(self, guesses: Guesses) -> Guess:
        """Return the blend of the arms' guesses, or the last label where that serves."""
        if self.serving != BLEND:
            return guesses[-1]
        if self.at_work == 1:
            return guesses[0]
        # Of arms that share a model the best one speaks.
        by_model: dict[int, tuple[Guess, float | None]] = {}
        for arm, guess in zip(self.arms, guesses, strict=True):
            if arm.says(self._seen) and arm is not self._still:
                loss, key = arm.loss, id(arm.model)
                known = by_model.get(key)
                if known is None or loss is None or (known[1] is not None and loss < known[1]):
                    by_model[key] = guess, loss
        spoken = [*by_model.values()]
        if len(spoken) == 1:
            return spoken[0][0]
        shares = weights([loss for _, loss in spoken], FLOOR * self._spread.mean)
        blended = blended_numbers if self.task == "regression" else blended_classes
        return blended([guess for guess, _ in spoken], shares)

    def after(self, guesses: Sequence[Guesses], ys: Sequence[Label]) -> None:
        """Note the labels, and look at the arms now and then."""
        for y in ys:
            self._spread.see(y)
        before, self._seen = self._seen, self._seen + len(ys)
        if self._turns and self._seen >= self._next:
            self._turn()
        if before // _LOOK != self._seen // _LOOK:
            self._look()

    def act(self) -> None:
        """Give those that start over a new model, one for all of them."""
        due = [arm for arm in self._own if arm.policy.due]
        if not due:
            return
        model = self._new()
        for arm in due:
            self.said += named(arm, self.serving, arm.act())
            arm.begin(model, self._seen)
        self._count()
        # In times of change those that start over by turns do it more often again.
        self._period = _PERIOD
        self._next = min(self._next, self._seen + self._period // 2)

    def _new(self) -> Model:
        """Return a new model, which replays where the one that does best does."""
        best = self._best().model if self._seen else None
        if not isinstance(best, Mixed):
            return self._make()
        model = replaying(self._make)
        model.past.ids = best.past.ids  # of the lesson that is to be its first
        return model

    def _count(self) -> None:
        self.at_work = len({id(arm.model) for arm in self._own})

    def _turn(self) -> None:
        """Let the arm whose turn it is start over."""
        arm, other = self._turns[0], self._turns[-1]
        if other.model is self._best().model and other.born >= arm.born and other.born:
            self._period = max(self._period // 2, _SHORTEST)
        self._turns.append(self._turns.pop(0))
        arm.begin(self._new(), self._seen)
        arm.forget()
        self._count()
        self.said += named(arm, self.serving, [("reset", {"after": self._period})])
        self._next = self._seen + self._period // 2

    def _best(self) -> Candidate:
        able = [arm for arm in self._own if arm.says(self._seen)]
        return min(able or self._own, key=lambda arm: arm.slow)

    def _look(self) -> None:
        """Let arms that have come to nothing follow a better one; see who serves."""
        for arm in self._own:
            better = [each for each in self._own if self._beats(each, arm)]
            if better:
                self._follow(arm, min(better, key=lambda each: each.slow))
        if self._still is not None and self._seen >= _TRIAL:
            self._repeat(self._still, self._best())

    def _beats(self, one: Candidate, other: Candidate) -> bool:
        """Whether one has shown, side by side for long enough, that it is better."""
        together = self._seen - max(one.born, other.born)
        late = isinstance(other.model, Mixed) and not isinstance(one.model, Mixed)
        trial = _PATIENCE if late else _TRIAL  # that replaying pays shows late
        if one.model is other.model or together < trial:
            return False
        margin = _MARGIN * max(0.0, 1.0 - together / _PATIENCE) * self._spread.mean
        return other.slow - one.slow > margin

    def _follow(self, arm: Candidate, best: Candidate) -> None:
        if arm.name in WINDOWS and arm.model is not best.model:
            self._period = min(2 * self._period, _LONGEST)
        arm.follow(best)
        self._count()
        self.said += named(arm, self.serving, [("joined", {"with": best.name})])

    def _repeat(self, still: Candidate, best: Candidate) -> None:
        """Serve the last label from when it does better than any model, until it does not."""
        ahead = best.slow - still.slow
        serving = self.serving
        if ahead > _MARGIN / 2 * self._spread.mean:
            serving = still.name
        elif ahead < 0.0:
            serving = BLEND
        if serving != self.serving:
            self.said.append(("switch", {"from": self.serving, "to": serving}))
            self.serving = serving


class Auto(Panel):
    """Meet drifts in several ways at once, and answer with the blend of what does best.

    The arms: none never starts over, adwin, adwin-quick and ddm (page-hinkley) do at the
    alarms of these detectors, window-a and window-b by turns after so many samples, replay
    learns one sample of the past with each that is new, where labels are classes, and
    no-change has no model but says the last label once more. All but it are weighted by the
    fading mean of their errors; it serves alone, under its name, while it does better than
    any of them. New models replay too while replay does best. `arms` are others of these
    names.

    It has detectors of its own; one that is set besides is heard of, and changes nothing.
    """

    def __init__(self, make: Maker, arms: Sequence[str] | None = None) -> None:
        task = make().task
        refuse_anomaly("auto", task)
        if arms is not None and not isinstance(arms, list | tuple):
            raise SettingError(f"arms of policy 'auto' must be a list of names, got {arms!r}")
        names = (
            tuple(arms) if arms is not None else NUMBERS if task == "regression" else CLASSES
        )
        if not all(isinstance(name, str) for name in names):
            raise SettingError(f"arms of policy 'auto' must be names, got {list(names)}")
        if not 1 <= len(names) <= MOST or len({*names}) != len(names) or names == (NO_CHANGE,):
            raise SettingError(
                f"arms of policy 'auto' must be 1 to {MOST} different names with a model among "
                f"them, got {list(names)}"
            )
        # The last label is looked for in the last place.
        names = tuple(sorted(names, key=lambda name: name == NO_CHANGE))
        super().__init__(make, Council(make, candidates(names, make)))
