"""Stand-ins for tests: not lifelike but sensitive, so that the least slip shows in them.

They are named by dotted path, as any model or detector of a user's own is.
"""

import zlib

import numpy as np
from river.base import AnomalyDetector, BinaryDriftDetector, Classifier, Regressor
from sklearn.base import BaseEstimator, ClassifierMixin


def checksum(*things, start=0):
    """Return a number that depends on every one of some things, and on their order."""
    for thing in things:
        start = zlib.crc32(repr(thing).encode(), start)
    return start


class Diary(Classifier):
    """A model whose guess is a checksum of all it was taught; it has none before that."""

    classes = (0, 1, 2)

    def __init__(self, seed=None):
        self.seed = seed
        self.taught = 0

    @property
    def _multiclass(self):
        return len(self.classes) > 2

    def learn_one(self, x, y):
        if "poison" in x:
            raise ValueError("this one cannot be learned")
        self.taught = checksum(x, y, start=self.taught)

    def predict_proba_one(self, x):
        if "text" in x:
            raise TypeError("this one cannot be guessed")
        if not self.taught:
            return {}
        parts = [checksum(x, label, start=self.taught) % 97 + 1 for label in self.classes]
        return {label: n / sum(parts) for label, n in zip(self.classes, parts, strict=True)}

    def predict_one(self, x):
        p = self.predict_proba_one(x)
        return max(p, key=p.get) if p else None


class YesNoDiary(Diary):
    """A diary that knows only False and True."""

    classes = (False, True)


class NumberDiary(Regressor):
    """A diary that guesses a number."""

    def __init__(self):
        self.taught = 0

    def learn_one(self, x, y):
        self.taught = checksum(x, y, start=self.taught)

    def predict_one(self, x):
        return checksum(x, start=self.taught) % 1000 / 7


class PageDiary(ClassifierMixin, BaseEstimator):
    """A diary of scikit-learn's kind: what stands on one page is part of what it was taught."""

    def __init__(self, random_state=None):
        self.random_state = random_state

    def partial_fit(self, rows, codes, classes=None):
        self.classes_ = classes
        self.taught = checksum(rows.tolist(), codes.tolist(), start=getattr(self, "taught", 0))
        return self

    def predict(self, rows):
        sums = [checksum(row, start=self.taught) for row in rows.tolist()]
        return np.array([n % len(self.classes_) for n in sums])


class FourthMistake(BinaryDriftDetector):
    """A detector that alarms at every fourth mistake, for the worse and the better in turn."""

    def __init__(self, seed=None, every=4):
        super().__init__()
        self.seed, self.every = seed, every
        self.mistakes = 0

    @property
    def estimation(self):
        return self.mistakes % (2 * self.every) / (2 * self.every)

    def update(self, x):
        self.mistakes += bool(x)
        self._drift_detected = bool(x) and self.mistakes % self.every == 0


class Dizzy(AnomalyDetector):
    """A detector of anomalies whose scores are not finite."""

    def score_one(self, x):
        return float("nan")

    def learn_one(self, x):
        pass


class Moody(Diary):
    """A diary that draws a lot for each guess: to ask it again is to be told another thing."""

    def __init__(self, seed=None):
        super().__init__(seed)
        self.asked = 0

    def predict_proba_one(self, x):
        self.asked += 1
        return super().predict_proba_one({**x, "asked": self.asked})


class Fussy(Diary):
    """A diary that cannot guess some samples, and cannot learn others."""

    def predict_proba_one(self, x):
        if x.get("a") == 1:
            raise ValueError("not this one")
        return super().predict_proba_one(x)

    def learn_one(self, x, y):
        if x.get("a") == 2:
            raise ValueError("this one least of all")
        super().learn_one(x, y)
