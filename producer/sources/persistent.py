"""A generator of our own: labels that persist, as those of many real streams do."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any


class Persistent:
    """Two classes that last, and features that tell little of them.

    The label changes with chance `change` from one sample to the next, so whoever says the
    last label once more is wrong in so many of all. Each of `n_features` is the mean of its
    class plus noise of deviation `noise`; the means are drawn from a standard normal, and
    move by a normal step of deviation `drift` with each sample.

    Streams of this kind, like River's Elec2, reward models that forget fast even where
    nothing has changed: Žliobaitė et al., "Evaluation methods and decision theory for
    classification of streaming data with temporal dependence", Machine Learning 98, 2015.

    >>> from itertools import islice
    >>> labels = [label for _, label in islice(Persistent(seed=1), 5000)]
    >>> sum(a == b for a, b in zip(labels, labels[1:])) / 4999
    0.8481696339267853
    """

    task = "Binary classification"
    n_samples = None
    n_classes = 2

    def __init__(
        self,
        seed: int | None = None,
        change: float = 0.15,
        n_features: int = 6,
        noise: float = 4.0,
        drift: float = 0.01,
    ) -> None:
        if not 0.0 <= change <= 1.0:
            raise ValueError(f"change must be from 0 to 1, got {change!r}")
        if n_features < 1 or noise < 0.0 or drift < 0.0:
            raise ValueError("n_features must be at least 1, noise and drift at least 0")
        self.seed, self.change, self.n_features = seed, change, n_features
        self.noise, self.drift = noise, drift

    def __iter__(self) -> Iterator[tuple[dict[str, Any], int]]:
        """Yield features and label, without end."""
        chance = random.Random(self.seed)
        means = [[chance.gauss(0.0, 1.0) for _ in range(self.n_features)] for _ in range(2)]
        label = chance.randrange(2)
        while True:
            if chance.random() < self.change:
                label = 1 - label
            for of_class in means:
                for place in range(self.n_features):
                    of_class[place] += chance.gauss(0.0, self.drift)
            x = {f"f{n}": chance.gauss(mean, self.noise) for n, mean in enumerate(means[label])}
            yield x, label
