"""Whether features or guesses have moved, which shows before any label comes."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

from river.drift import ADWIN
from river.stats import Var

from learner.models.model import Guess
from stream.records import Features, Value
from stream.texts import shown

Moved = tuple[str, dict[str, Any]]
"""input-drift or guess-drift, and its details: what has moved, its mean before and after."""
DELTA = 0.002
"""ADWIN's chance of a false alarm, shared out among the features."""
_WARM_UP = 100
"""Numbers that tell the scale of a feature; so many again after each alarm."""
_REACH = 4.0
"""Deviations from the mean beyond which a number is cut."""
_RECENT = 50
"""Numbers that stand for the present: ADWIN gives up its past only bit by bit."""
_VALUES = 10
"""Values of a text, or classes, that are watched: the first ones to appear."""
_LARGEST = 1e30


class InputWatch:
    """Watches the first `features` features to appear, and what the model makes of them.

    Of one sample's new features the first by name come first. Of a number ADWIN watches the
    mean, in deviations from that of its first hundred values; of a text how often each of its
    first ten values appears. The same is done with the guess, a class or a number, and
    with the probability of a guessed class.
    """

    def __init__(self, features: int, task: str) -> None:
        delta = DELTA / features
        self._room, self._delta = features, delta
        self._of: dict[str, _Number | _Text] = {}
        self._guess = _Text(delta) if task == "classification" else _Number(delta)
        self._p = _Number(delta)

    def observe(self, x: Features, guess: Guess) -> Sequence[Moved]:
        """Take a sample and the guess for it; return what has moved."""
        of = self._of
        if self._room and not x.keys() <= of.keys():
            self._meet(x)
        moved: list[Moved] = []
        for name, signal in of.items():
            value = x.get(name)
            if value is not None:
                moved += [
                    ("input-drift", {"feature": name} | found) for found in signal.update(value)
                ]
        y_pred, p = guess
        if y_pred is not None:
            moved += [("guess-drift", found) for found in self._guess.update(y_pred)]
            if p is not None:
                found = self._p.update(p.get(y_pred, 0.0))
                moved += [("guess-drift", {"of": "probability"} | each) for each in found]
        return moved

    def _meet(self, x: Features) -> None:
        for name in sorted(x.keys() - self._of.keys()):
            value = x[name]
            if self._room and value is not None:
                kind = _Text if isinstance(value, str) else _Number
                self._of[name] = kind(self._delta)
                self._room -= 1


class _Number:
    """Watches the mean of numbers. What is not finite, or no number, is passed over."""

    def __init__(self, delta: float) -> None:
        self._delta = delta
        self._begin()

    def _begin(self) -> None:
        self._scale, self._adwin = Var(), ADWIN(self._delta)
        self._mean = self._deviation = 0.0
        self._waits = _WARM_UP
        self._recent: deque[float] = deque(maxlen=_RECENT)

    def update(self, value: Any) -> Iterator[dict[str, Any]]:
        """Take a number; yield how its mean has moved, if it has."""
        if isinstance(value, str) or value != value:
            return
        number = float(min(max(value, -_LARGEST), _LARGEST))
        if self._waits:
            self._learn_scale(number)
            return
        before = self._adwin.estimation
        self._adwin.update(self._scaled(number))
        self._recent.append(number)
        if self._adwin.drift_detected:
            after = sum(self._recent) / len(self._recent)
            yield {"detector": "ADWIN", "before": self._back(before), "after": after}
            self._begin()

    def _learn_scale(self, number: float) -> None:
        self._scale.update(number)
        self._waits -= 1
        if not self._waits:
            self._mean, self._deviation = self._scale.mean.get(), self._scale.get() ** 0.5

    def _scaled(self, number: float) -> float:
        """Return a number from 0 to 1, where ADWIN's bounds hold."""
        away = number - self._mean
        if not self._deviation:
            away = 0.0 if not away else _REACH if away > 0 else -_REACH
        else:
            away = min(max(away / self._deviation, -_REACH), _REACH)
        return (away + _REACH) / (2 * _REACH)

    def _back(self, scaled: float) -> float:
        return self._mean + (scaled * 2 - 1) * _REACH * self._deviation


class _Text:
    """Watches how often each of the first values appears; of those that move, the first."""

    def __init__(self, delta: float) -> None:
        self._delta = delta
        self._of: dict[Value, ADWIN] = {}
        self._recent: deque[Value] = deque(maxlen=_RECENT)

    def update(self, value: Any) -> Iterator[dict[str, Any]]:
        """Take a value; yield which one's share has moved, if any has."""
        if value not in self._of and len(self._of) < _VALUES:
            self._of[value] = ADWIN(self._delta)
        self._recent.append(value)
        moved = None
        for each, adwin in self._of.items():
            before = adwin.estimation
            adwin.update(float(each == value))
            if adwin.drift_detected and moved is None:
                moved = each, before
        if moved is None:
            return
        which, before = moved
        after = self._recent.count(which) / len(self._recent)
        name = shown(which) if isinstance(which, str) else which
        yield {"value": name, "detector": "ADWIN", "before": before, "after": after}
        # What moves one share moves the others too, and has been said.
        self._of = {each: ADWIN(self._delta) for each in self._of}
