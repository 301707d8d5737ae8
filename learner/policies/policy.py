"""What to do about a drift: what a policy is to a learner.

A policy holds the model that serves. It hears every alarm, and acts only at the end of a
grain, before that grain is learned: where a turn was cut must not show. All that it decides
follows from what its model was shown and from what it was told, so a replay decides alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from learner.models.build import build
from learner.models.model import Model
from learner.models.presets import Spec
from learner.policies.stores import Store
from stream.errors import RecordError
from stream.records import ArmTotals, Label

Action = tuple[str, dict[str, Any]]
"""The kind of an event and its details: what a policy did, and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Maker:
    """Makes new models, each built as the first one was; small enough for a checkpoint."""

    model: Spec
    seed: int
    classes: tuple[Label, ...] | None
    scaling: str | None
    grain: int | None

    def __call__(self, model: Spec = None) -> Model:
        """Return a new model, of another specification if one is given."""
        return build(
            self.model if model is None else model,
            seed=self.seed,
            classes=self.classes,
            scaling=self.scaling,
            grain=self.grain,
        )


class Policy:
    """Let the model cope with a drift by itself; all other policies begin from here.

    `make` gives new models. `model` guesses and learns; a policy may put another in its
    place in `act`, or one that hands on to several.
    """

    arm = "main"
    """Name of the model that serves. It changes only in `act` or with one of `said`."""

    listens = False
    """Whether it has use for a detector of the errors that are served."""

    heeds_warnings = False
    """Whether it has use for warnings, and for word that one has passed."""

    paced = False
    """Whether it is told of the end of each grain, and how late it is by the records."""

    why: Mapping[str, Any] = MappingProxyType({})
    """What the last alarm said of itself; set before `alarm` is called."""

    said: Sequence[Action] = ()
    """What was done while learning, to be told by who takes it up with `told`."""

    def __init__(self, make: Maker) -> None:
        self._make = make
        self.model = make()
        self.due = False
        """Whether `act` has something to do at the end of this grain."""

    def alarm(self, kind: str) -> None:
        """Hear of a drift, a warning of one or that it has passed (calm), or an improvement."""

    def passed(self, samples: int, now: float | None) -> None:
        """Hear, before `due` is asked, that a grain of labelled samples is over.

        `now` is event time in seconds of the epoch, None where no record had any yet.
        """

    def act(self) -> list[Action]:
        """Do what has been decided; return what was done."""
        raise NotImplementedError

    @property
    def arms(self) -> dict[str, ArmTotals]:
        """The score of each of several models side by side, by name."""
        return {}

    def promote(self, arm: str) -> list[Action]:
        """Serve another of several models; return what was done.

        Raises `RecordError` where there is none of that name.
        """
        raise RecordError(
            "unknown_arm",
            f"there is no model {arm!r} to serve, since this learner has one model alone; "
            "--challengers gives it others",
        )

    def succeed(self, before: Policy) -> None:
        """Take over from a policy made alike what is of the learner, and not of its models."""

    def forget(self) -> None:
        """Let go of questions that it remembers; one of them is to be forgotten."""

    @property
    def stores(self) -> Sequence[Store]:
        """Where samples stay once they are learned; each is told beforehand whose they are."""
        return ()

    def told(self) -> Sequence[Action]:
        """Return what was done while learning, and forget it."""
        said, self.said = self.said, ()
        return said
