"""A champion that serves, and challengers that learn beside it until one takes its place."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from learner.caution import watch as watching
from learner.drift import Alarm
from learner.labels import TwoClasses
from learner.models.model import Guess
from learner.models.presets import Spec
from learner.policies.arguments import share, whole
from learner.policies.arms import Arm
from learner.policies.policy import Action, Maker
from learner.policies.several import MOST, Guesses, Panel, Several
from learner.policies.table import detector_of, policy
from stream.errors import RecordError, SettingError
from stream.records import MAIN_ARM, Label

_NAME = re.compile(r"[a-z0-9-]{1,40}")
_KNOWN = ("name", "model", "policy", "detector")


class Rule(NamedTuple):
    """When a challenger takes the champion's place by itself.

    At the end of each `window` of labels it must have been nearer to the label so much more
    often than the champion that the sign test, at level `alpha` shared out among the
    challengers, does not call it chance, and its mean error must be less by `margin`, a
    share of the champion's for numbers. For `cooldown` labels after a promotion there is
    no other.

    Source: McNemar's test with a correction for continuity, which for classes the sign test
    is (Dietterich, "Approximate statistical tests for comparing supervised classification
    learning algorithms", Neural Computation 10, 1998); for streams Bifet et al., "Efficient
    online evaluation of big data stream classifiers", KDD 2015.
    """

    window: int = 1000
    margin: float = 0.01
    alpha: float = 0.01
    cooldown: int = 5000


def rule_of(spec: Any) -> Rule | None:
    """Return the rule of a setting: none, rule, or a table of its numbers.

    Raises `SettingError`.
    """
    if spec in (None, "none"):
        return None
    table = {} if spec == "rule" else spec
    if not isinstance(table, dict) or (strange := [k for k in table if k not in Rule._fields]):
        what = repr(strange[0]) if isinstance(table, dict) else repr(spec)
        raise SettingError(
            f"promotion cannot be {what}; it is none, rule, or a table with "
            f"{', '.join(Rule._fields)}"
        )
    rule = Rule(**table)
    whole("promotion", "window", rule.window, least=10)
    whole("promotion", "cooldown", rule.cooldown, least=0, most=2**53)
    share("promotion", "margin", rule.margin)
    share("promotion", "alpha", rule.alpha)
    return rule


class Duel:
    """What a challenger has done against the champion since the window began."""

    def __init__(self) -> None:
        self.won = self.lost = 0
        self.mine = self.its = 0.0

    def see(self, mine: float, its: float) -> None:
        """Take the errors of the challenger and the champion on one sample."""
        self.won += mine < its
        self.lost += its < mine
        self.mine += mine
        self.its += its

    def chance(self) -> float:
        """Return how likely so many wins are by chance alone, one-sided.

        >>> duel = Duel()
        >>> duel.won, duel.lost = 60, 30
        >>> round(duel.chance(), 4)
        0.0011
        """
        if self.won <= self.lost:
            return 1.0
        z = (self.won - self.lost - 1) / math.sqrt(self.won + self.lost)
        return math.erfc(z / math.sqrt(2.0)) / 2.0


class Tournament(Several):
    """The champion and its challengers as one model; the champion's guess is served."""

    def __init__(self, arms: Sequence[Arm], rule: Rule | None) -> None:
        self.leader = 0
        super().__init__(arms, arms[0].name)
        self._rule = rule
        self._duels = [Duel() for _ in arms]
        self._seen = 0
        self._rests = 0

    @property
    def champion(self) -> Arm:
        """The arm that serves."""
        return self.arms[self.leader or 0]

    def serve(self, guesses: Guesses) -> Guess:
        """Return the champion's guess."""
        return guesses[self.leader or 0]

    def after(self, guesses: Sequence[Guesses], ys: Sequence[Label]) -> None:
        """Let each challenger's duel see the grain; promote the best where the rule says so."""
        if self._rule is None:
            return
        for errors in zip(*(arm.errors for arm in self.arms), strict=True):
            its = errors[self.leader or 0]
            for duel, mine in zip(self._duels, errors, strict=True):
                duel.see(mine, its)
        self._seen += len(ys)
        self._rests = max(0, self._rests - len(ys))
        if self._seen >= self._rule.window:
            self._judge(self._rule, self._seen)
            self._seen, self._duels = 0, [Duel() for _ in self.arms]

    def _judge(self, rule: Rule, n: int) -> None:
        if self._rests:
            return
        numbers = self.task == "regression"
        found = []
        for place, duel in enumerate(self._duels):
            better = (duel.its - duel.mine) / n
            least = rule.margin * (duel.its / n if numbers else 1.0)
            chance = duel.chance()
            if better >= least and chance * (len(self.arms) - 1) < rule.alpha:
                found.append((duel.mine, place, chance, better))
        if found:
            _, place, chance, better = min(found)
            self._promoted(place, why="rule", chance=chance, better=better)

    def _promoted(self, place: int, **details: Any) -> None:
        before, self.serving = self.serving, self.arms[place].name
        self.leader = place
        self._rests = self._rule.cooldown if self._rule else 0
        self.said.append(("promotion", {"from": before, "to": self.serving, **details}))

    def promote(self, name: str) -> None:
        """Serve an arm by its name. Raises `RecordError` where there is none."""
        names = [arm.name for arm in self.arms]
        if name not in names:
            raise RecordError(
                "unknown_arm",
                f"there is no arm {name!r} to serve; there are {', '.join(names)}",
            )
        if name == self.serving:
            self.said.append(("promotion-ignored", {"to": name}))
            return
        self._promoted(names.index(name), why="command")
        self._seen, self._duels = 0, [Duel() for _ in self.arms]


class Ear:
    """Hears the errors that are served, with the detector of whatever arm serves.

    So a champion hears what it would if it stood alone, also of labels that come late.
    """

    def __init__(self, tournament: Tournament) -> None:
        self._tournament = tournament

    def observe(self, error: float) -> Alarm | None:
        """Take the error of one guess; return an alarm when the mean error has moved."""
        watch = self._tournament.champion.watch
        return watch.observe(error) if watch else None


class Champion(Panel):
    """Several models of a learner, of which one serves until another is promoted."""

    model: Tournament

    @property
    def ear(self) -> Ear:
        """What hears the errors that are served."""
        return Ear(self.model)

    def alarm(self, kind: str) -> None:
        """Let the policy of the arm that serves hear; it acts before the grain is learned."""
        policy = self.model.champion.policy
        policy.why = self.why
        policy.alarm(kind)

    @property
    def paced(self) -> bool:  # type: ignore[override]  # an attribute of every other policy
        """Whether any arm wants to be told of the end of each grain."""
        return any(arm.policy.paced for arm in self.model.arms)

    def passed(self, samples: int, now: float | None) -> None:
        """Tell every arm that a grain is over."""
        for arm in self.model.arms:
            arm.policy.passed(samples, now)

    def promote(self, arm: str) -> list[Action]:
        """Serve another arm; return what was done. Raises `RecordError`."""
        self.model.promote(arm)
        return self.told()


def champion(
    main: Spec,
    challengers: Sequence[dict[str, Any]],
    make: Maker,
    *,
    direction: str,
    promotion: Spec,
) -> Champion:
    """Return the policy of a champion with challengers.

    `main` is a table of the champion's policy and detector, each of `challengers` one with a
    name and what is another than the champion's: model, policy, detector. Raises
    `SettingError`.
    """
    tables = [{"name": MAIN_ARM, **main}, *(_checked(each, main) for each in challengers)]
    names = [table["name"] for table in tables]
    if len(tables) > MOST or len({*names}) < len(names):
        raise SettingError(
            f"challengers must be 1 to {MOST - 1}, each with a name of its own and none called "
            f"{MAIN_ARM!r}, got {', '.join(map(repr, names[1:]))}"
        )
    arms = [_arm(table, make, direction) for table in tables]
    _check_alike(arms)
    if len({arm.model.binary for arm in arms}) > 1:
        for arm in arms:
            if arm.model.binary:
                arm.two = TwoClasses()
                arm.two.declare(make.classes or ())
    return Champion(make, Tournament(arms, rule_of(promotion)))


def _checked(table: Any, main: dict[str, Any]) -> dict[str, Any]:
    name = table.get("name") if isinstance(table, dict) else None
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise SettingError(
            f"challenger {table!r} must be a table with a 'name', 1 to 40 of a-z, 0-9 and '-', "
            "and of 'model', 'policy' and 'detector' what is not the champion's"
        )
    if strange := [key for key in table if key not in _KNOWN]:
        raise SettingError(
            f"challenger {table['name']!r} has no setting {strange[0]!r}; it takes "
            f"{', '.join(_KNOWN)}"
        )
    # A policy of its own brings the detector that goes with it.
    inherited = {k: v for k, v in main.items() if k != "detector" or "policy" not in table}
    return {**inherited, **table}


def _arm(table: dict[str, Any], make: Maker, direction: str) -> Arm:
    maker = dataclasses.replace(make, model=table.get("model", make.model))
    found = policy(table["policy"], maker)
    task = found.model.task
    if task == "anomaly":
        raise SettingError(
            f"challenger {table['name']!r} finds anomalies, whose scores have no errors to "
            "compare by; leave the challengers away"
        )
    detector = detector_of(table["policy"], table.get("detector"))
    watch = None
    if detector != "none":
        watch = watching(
            detector,
            task=task,
            direction=direction,
            seed=make.seed,
            warnings=found.heeds_warnings,
        )
    return Arm(table["name"], found, watch)


def _check_alike(arms: Sequence[Arm]) -> None:
    first = arms[0].model
    for arm in arms[1:]:
        if arm.model.task != first.task:
            raise SettingError(
                f"challenger {arm.name!r} is for {arm.model.task} and the champion for "
                f"{first.task}; compare models of one task"
            )
        if arm.model.grain != first.grain:
            raise SettingError(
                f"of challenger {arm.name!r} and the champion one is River's, which learns "
                "sample by sample, and one scikit-learn's, which learns in grains; take models "
                "of one library, or see 'driftline compare'"
            )
