"""Several models side by side on one stream, as one model to the learner.

All of them guess every sample and all are scored; `serve` says which guess is served.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from learner.models.model import Guess, Model, ModelError
from learner.policies.arms import NONE, Arm, named
from learner.policies.around import Frozen
from learner.policies.candidates import NoChange
from learner.policies.policy import Action, Maker, Policy
from learner.policies.stores import Store
from stream.errors import SettingError
from stream.records import ArmTotals, Features, Label

Guesses = Sequence[Guess]
"""One of each arm, in their order."""
MOST = 8
"""Arms side by side, at most: each is a model at work, and a row of the totals."""


class Several:
    """Arms as one `Model`: each guesses, is scored and learns. See `learner.models.model`.

    Arms that have one and the same model share its work. An arm that fails on a sample has
    no guess for it, and goes without the lesson; where the one that leads fails, or all do if
    none leads, the sample is refused as a single model's would be. One that cannot fail, as it
    looks at no features, has no say in that.

    Errors are those of the guesses with which a sample was met; where its label came late
    the arms are asked again when it comes, since they have learned since.
    """

    leader: int | None = None
    """Which arm's failure is the failure of all; None where only that of all of them is.

    Its detector hears of the errors that were served, through the learner.
    """

    def __init__(self, arms: Sequence[Arm], serving: str) -> None:
        self.arms = [*arms]
        self.serving = serving
        """Name of what is served; it changes only together with something in `said`."""
        self.said: list[Action] = []
        # The sample last guessed, and the guesses: of one whose label comes with it these
        # are scored. It is state and no cache: to ask some models again is to be told
        # something else.
        self._asked: tuple[Features, list[Guess]] | None = None
        models = [arm.model for arm in arms]
        first = models[0]
        self.task, self.unsupervised = first.task, first.unsupervised
        self.binary = all(model.binary for model in models)
        self.classes = next((m.classes for m in models if m.classes is not None), None)
        self.grain = max(model.grain for model in models)
        self.one_by_one = all(model.one_by_one for model in models)
        self.needs_classes = any(model.needs_classes for model in models)
        self.skips_missing = self._leads(model.skips_missing for model in models)
        self.numbers_only = self._leads(model.numbers_only for model in models)

    def _leads(self, each: Any) -> bool:
        found = [*each]
        return all(found) if self.leader is None else bool(found[self.leader])

    @property
    def _lead(self) -> Model | None:
        return None if self.leader is None else self.arms[self.leader].model

    @property
    def late_features(self) -> int:
        """Values ignored by the arm that has ignored most: most arms ignore the same ones."""
        return max(arm.late_features for arm in self.arms)

    @property
    def parts(self) -> list[object]:
        """What the models of all arms have learned."""
        return [part for model in self._models() for part in model.parts]

    @property
    def stores(self) -> Sequence[Store]:
        """Where arms keep samples once they are learned."""
        return [store for arm in self.arms for store in arm.policy.stores]

    def serve(self, guesses: Guesses) -> Guess:
        """Return what is served where the arms guess so."""
        raise NotImplementedError

    def after(self, guesses: Sequence[Guesses], ys: Sequence[Label]) -> None:
        """Decide what follows from the labels of a grain, before it is learned."""

    def guess(self, x: Features) -> Guess:
        """Return the guess that is served."""
        guesses = self._each(x)
        self._asked = x, guesses
        return self.serve(guesses)

    def guess_many(self, xs: Sequence[Features]) -> list[Guess]:
        """Return the guess that is served for each sample."""
        return [self.serve(each) for each in self._all(xs, consulted=False)]

    def consult(self, xs: Sequence[Features]) -> list[Guess]:
        """Return the guess for each sample, leaving no trace of having been asked."""
        return [self.serve(each) for each in self._all(xs, consulted=True)]

    def learn_one(self, x: Features, y: Label) -> None:
        """Score and teach every arm with one sample."""
        asked, self._asked = self._asked, None
        if asked is not None and asked[0] is x:
            self._score([asked[1]], [y])
        else:
            # A trace that this leaves is of the stream, as the lesson that follows is: to
            # wipe it off would take a walk through every model for each label.
            self._score(self._all([x], consulted=False, lenient=True), [y])
        self._teach(lambda arm: arm.model.learn_one(x, arm.code(y)))

    def learn(self, xs: Sequence[Features], ys: Sequence[Label]) -> None:
        """Score and teach every arm with the samples of a grain."""
        self._asked = None
        self._score(self._all(xs, consulted=True, lenient=True), ys)
        self._teach(lambda arm: arm.model.learn(xs, [*map(arm.code, ys)]))

    def forget(self) -> None:
        """Let go of the sample that was guessed last, here and in arms that are several."""
        self._asked = None
        for arm in self.arms:
            arm.policy.forget()

    def _each(self, x: Features) -> list[Guess]:
        """Return the guess of each arm; raises what the leader raises, or the last of all."""
        found: dict[int, Guess] = {}
        failed: Exception | None = None
        lead, taken = self._lead, False
        for arm in self.arms:
            model = arm.model
            if id(model) in found:
                continue
            try:
                found[id(model)] = model.guess(x)
            except ModelError as error:
                if model is lead:
                    raise
                failed, found[id(model)] = error, NONE
            else:
                taken = taken or _looks(model)
        if failed is not None and not taken:
            raise failed
        return [
            found[id(arm.model)] if arm.two is None else arm.named(found[id(arm.model)])
            for arm in self.arms
        ]

    def _all(
        self, xs: Sequence[Features], *, consulted: bool, lenient: bool = False
    ) -> list[list[Guess]]:
        """Return the guesses of each arm for each sample, those of a sample together.

        Raises as `_each` does, unless `lenient`.
        """
        found: dict[int, Sequence[Guess]] = {}
        failed: list[Exception] = []
        lead = self._lead
        for model in self._models():
            guesses, error = _asked_all(model, xs, consulted=consulted)
            found[id(model)] = guesses
            if error is not None:
                failed.append(error)
                if model is lead and not lenient:
                    raise error
        if failed and not lenient:
            looking = [found[id(model)] for model in self._models() if _looks(model)]
            columns = zip(*looking, strict=True)
            if any(all(guess is NONE for guess in each) for each in columns):
                raise failed[-1]
        by_arm = ([*map(arm.named, found[id(arm.model)])] for arm in self.arms)
        return [[*each] for each in zip(*by_arm, strict=True)]

    def _models(self) -> list[Model]:
        """Return each model once."""
        return [*{id(arm.model): arm.model for arm in self.arms}.values()]

    def _score(self, guesses: Sequence[Guesses], ys: Sequence[Label]) -> None:
        for arm in self.arms:
            arm.errors = []
        for each, y in zip(guesses, ys, strict=True):
            for place, (arm, guess) in enumerate(zip(self.arms, each, strict=True)):
                if done := arm.score(guess, y, hears=place != self.leader):
                    self.said += named(arm, self.serving, done)
        self.act()
        self.after(guesses, ys)

    def act(self) -> None:
        """Let the arms' policies do what they have decided."""
        for arm in self.arms:
            if arm.policy.due:
                self.said += named(arm, self.serving, arm.act())

    def _teach(self, lesson: Callable[[Arm], None]) -> None:
        failed: list[Exception] = []
        lead, fatal = self._lead, None
        pupils = {id(arm.model): arm for arm in self.arms if not isinstance(arm.model, Frozen)}
        for arm in pupils.values():
            try:
                lesson(arm)
            except ModelError as error:
                failed.append(error)
                if arm.model is lead:
                    fatal = error
        for arm in self.arms:
            arm.taught = True
            if arm.policy.said:
                self.said += named(arm, self.serving, arm.policy.told())
        if fatal or (failed and len(failed) == sum(_looks(a.model) for a in pupils.values())):
            raise fatal or failed[-1]


def _looks(model: Model) -> bool:
    """Return whether a model looks at features, in which there may be what it cannot take."""
    return not isinstance(model, NoChange)


def _asked_all(
    model: Model, xs: Sequence[Features], *, consulted: bool
) -> tuple[Sequence[Guess], Exception | None]:
    """Return the guesses of one model, none where it fails, and the last failure.

    One that can is asked sample by sample: to be asked again may leave a trace.
    """
    failed: Exception | None = None
    guesses: list[Guess] = []
    if consulted or not model.one_by_one:
        ask = model.consult if consulted else model.guess_many
        try:
            return ask(xs), None
        except ModelError as error:
            failed = error
    for x in xs:
        try:
            guesses.append(model.consult([x])[0] if consulted else model.guess(x))
        except ModelError as error:
            failed = error
            guesses.append(NONE)
    return guesses, failed


class Panel(Policy):
    """A policy whose model is several; the learner hears from it what they say."""

    model: Several

    def __init__(self, make: Maker, model: Several) -> None:
        self._make, self.model, self.due = make, model, False
        self.arm = model.serving
        self.said: list[Action] = model.said  # the same list, so that one look tells

    def forget(self) -> None:
        """Let go of the sample that was guessed last."""
        self.model.forget()

    @property
    def stores(self) -> Sequence[Store]:
        """Where the models keep samples once they are learned."""
        return self.model.stores

    def told(self) -> list[Action]:
        """Return what was done while learning, and forget it."""
        said = [*self.said]
        self.said.clear()
        self.arm = self.model.serving
        return said

    def succeed(self, before: Policy) -> None:
        """Go on with the scores of the arms of a policy that was like this one."""
        for arm in self.model.arms:
            arm.totals = before.arms.get(arm.name, arm.totals)

    @property
    def arms(self) -> dict[str, ArmTotals]:
        """Return the score of each arm by its name, and which one serves."""
        for arm in self.model.arms:
            arm.totals.serving = arm.name == self.model.serving
        return {arm.name: arm.totals for arm in self.model.arms}


def refuse_anomaly(name: str, task: str) -> None:
    """Raise `SettingError` where models are to be compared that are never right or wrong."""
    if task == "anomaly":
        raise SettingError(
            f"policy {name!r} compares models by their errors, and the score of an anomaly "
            "has none; choose policy none"
        )
