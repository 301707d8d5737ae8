"""Whether features or guesses have moved, which shows before any label comes."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
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
            if value is not None and (found := signal.update(value)):
                moved.append(("input-drift", {"feature": name} | found))
        y_pred, p = guess
        if y_pred is not None:
            if found := self._guess.update(y_pred):
                moved.append(("guess-drift", found))
            if p is not None and (found := self._p.update(p.get(y_pred, 0.0))):
                moved.append(("guess-drift", {"of": "probability"} | found))
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
        self._mean = self._factor = 0.0
        self._waits = _WARM_UP
        self._sum, self._count = 0.0, 0
        self._recent: deque[float] = deque(maxlen=_RECENT)

    def update(self, value: Any) -> dict[str, Any] | None:
        """Take a number; return how the mean has moved, None where it has not."""
        if value.__class__ is str or value != value:
            return None
        if self._waits:
            self._learn_scale(value)
            return None
        scaled = self._scaled(value)
        self._sum += scaled
        self._count += 1
        self._recent.append(scaled)
        self._adwin.update(scaled)
        return self._moved() if self._adwin.drift_detected else None

    def _moved(self) -> dict[str, Any]:
        """Return the mean of the newest numbers and of those before, and begin anew."""
        recent = sum(self._recent)
        older = max(1, self._count - len(self._recent))
        before, after = (self._sum - recent) / older, recent / len(self._recent)
        found = {"detector": "ADWIN", "before": self._back(before), "after": self._back(after)}
        self._begin()
        return found

    def _learn_scale(self, value: Any) -> None:
        self._scale.update(float(min(max(value, -_LARGEST), _LARGEST)))
        self._waits -= 1
        if not self._waits:
            self._mean, deviation = self._scale.mean.get(), self._scale.get() ** 0.5
            # Where all were the same, any other is as far away as can be.
            self._factor = 1 / (2 * _REACH * deviation) if deviation else _LARGEST

    def _scaled(self, value: Any) -> float:
        """Return a number from 0 to 1, where ADWIN's bounds hold."""
        if not -_LARGEST < value < _LARGEST:
            return float(value > 0)
        scaled: float = (value - self._mean) * self._factor + 0.5
        return scaled if 0.0 <= scaled <= 1.0 else float(scaled > 0)

    def _back(self, scaled: float) -> float:
        return self._mean + (scaled - 0.5) / self._factor


class _Text:
    """Watches how often each of the first values appears; of those that move, the first."""

    def __init__(self, delta: float) -> None:
        self._delta = delta
        self._of: dict[Value, ADWIN] = {}
        self._begin()

    def _begin(self) -> None:
        self._of = {each: ADWIN(self._delta) for each in self._of}
        self._counts: Counter[Value] = Counter()
        self._count = 0
        self._recent: deque[Value] = deque(maxlen=_RECENT)

    def update(self, value: Any) -> dict[str, Any] | None:
        """Take a value; return which one's share has moved, None where none has."""
        if value not in self._of and len(self._of) < _VALUES:
            self._of[value] = ADWIN(self._delta)
        if value in self._of:
            self._counts[value] += 1  # of so many at most; there may be a million others
        self._count += 1
        self._recent.append(value)
        moved = None
        for each, adwin in self._of.items():
            adwin.update(1.0 if each == value else 0.0)
            if adwin.drift_detected and moved is None:
                moved = each
        return None if moved is None else self._moved(moved)

    def _moved(self, which: Value) -> dict[str, Any]:
        """Return a value's share of the newest and of those before, and begin anew.

        What moves one share moves the others too, and need not be said.
        """
        recent, newest = self._recent.count(which), len(self._recent)
        older = max(1, self._count - newest)
        shares = {"before": (self._counts[which] - recent) / older, "after": recent / newest}
        self._begin()
        name = shown(which) if isinstance(which, str) else which
        return {"value": name, "detector": "ADWIN", **shares}
