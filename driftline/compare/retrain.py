"""The oldest question: is learning piece after piece as good as training on all at once.

A stream is cut into pieces of one length. After each of them four ways of training have a
model, and each is judged on the next piece as a whole, before any of it is learned:

    continue      the model of the piece before has learned this piece too
    refit-window  a new model is trained on the last pieces
    refit-all     a new model is trained on all pieces so far
    nothing       the model of the first piece is kept as it was

To train a new model is to show it its samples mixed, three times over: who has them all at
hand need not take them in the order in which they came, nor only once. A model that goes on
has seen each once, as it came. Judging is prequential by piece: Gama, Sebastião and Rodrigues,
"On evaluating stream learning algorithms", Machine Learning 90, 2013.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from driftline.compare.lessons import Lessons, fitted, lessons
from driftline.compare.records import Records
from learner.hot import hot, one_thread
from learner.labels import TwoClasses
from learner.models.build import build
from learner.models.model import Model
from learner.models.presets import Spec
from stream.errors import RecordError, SettingError
from stream.records import LARGEST, Features, Label

WAYS = ("continue", "refit-window", "refit-all", "nothing")
PASSES = 3
"""Times that a new model is shown its samples."""
_BATCH = 256
"""Samples learned at once by models that take several, unless it is said otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """One model trained in one way over some records; `last` pieces make the window.

    `config` are the fields of `learner.config.Config` that models are built with.
    """

    model: Spec
    way: str
    seed: int
    records: Records
    pieces: int
    last: int
    config: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """How a way did on one piece: the samples before it, and its own.

    `error` is the sum of wrong guesses, or of absolute errors, over `judged` samples; one
    without a guess is wrong. `seconds` of the processor were spent on the training before.
    """

    begin: int
    judged: int
    error: float
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """What came of one way of training: its pieces from the second on."""

    task: str
    samples: int
    refused: int
    pieces: list[Piece]

    @property
    def score(self) -> float:
        """Return the accuracy, or the mean absolute error, over all pieces that were judged."""
        rows = sum(piece.judged for piece in self.pieces)
        error = math.fsum(piece.error for piece in self.pieces) / rows
        return 1 - error if self.task == "classification" else error

    @property
    def seconds(self) -> float:
        """Return the processor seconds of all training."""
        return math.fsum(piece.seconds for piece in self.pieces)


def train(task: Training, told: Callable[[int], None] = lambda _: None) -> Trained:
    """Go through the pieces in one way. Raises `SettingError`, and what the model raises."""
    found = lessons(task.records, task.config.get("mapping"))
    trainer = _Trainer(task, found)
    size = len(trainer.xs) / task.pieces
    if size < 1:
        raise SettingError(
            f"{len(trainer.xs):,} labelled samples are no {task.pieces} pieces; give --pieces "
            "a smaller number"
        )
    ends = [round(size * n) for n in range(task.pieces + 1)]
    pieces = []
    told(ends[1])
    with hot(), one_thread(trainer.model):
        for n in range(1, task.pieces):
            began = time.process_time()
            trainer.learn(n, ends)
            seconds = time.process_time() - began
            error = trainer.judge(ends[n], ends[n + 1])
            judged = ends[n + 1] - ends[n]
            pieces.append(Piece(begin=ends[n], judged=judged, error=error, seconds=seconds))
            told(judged)
    return Trained(
        task=trainer.model.task,
        samples=len(trainer.xs),
        refused=found.refused + trainer.refused,
        pieces=pieces,
    )


class _Trainer:
    """The samples as the model takes them, and the model as it is by now."""

    def __init__(self, task: Training, found: Lessons) -> None:
        self._task, self._classes = task, task.config.get("classes") or found.classes
        self._two = TwoClasses()
        self._two.declare(self._classes or ())
        self.model = self._made()
        if self.model.task == "anomaly":
            raise SettingError(
                f"model {task.model!r} scores anomalies, and is neither right nor wrong; "
                "choose a model that guesses labels"
            )
        if self.model.needs_classes and self.model.classes is None:
            raise SettingError(
                f"model {task.model!r} must know every class before it learns; give --classes"
            )
        xs = fitted(found.xs, self.model, str(task.model))
        kept = [(x, y) for x, y in zip(xs, found.ys, strict=True) if self._taken(y)]
        self.refused = len(xs) - len(kept)
        self.xs: list[Features] = [x for x, _ in kept]
        self.ys: list[Label] = [y for _, y in kept]

    def learn(self, n: int, ends: Sequence[int]) -> None:
        """Train for the end of the n-th piece."""
        way = self._task.way
        if way == "continue" or n == 1:
            # The first piece is the same for all: there was nothing before it.
            self._show(range(ends[n - 1], ends[n]))
        elif way != "nothing":
            begin = 0 if way == "refit-all" else ends[max(0, n - self._task.last)]
            self.model = self._made()
            rng = random.Random(self._task.seed + n)
            order = list(range(begin, ends[n]))
            for _ in range(PASSES):
                rng.shuffle(order)
                self._show(order)

    def judge(self, begin: int, end: int) -> float:
        """Return the error of the guesses for a piece, none of which is learned yet."""
        guesses = self.model.guess_many(self.xs[begin:end])
        pairs = zip(self.ys[begin:end], (guess for guess, _ in guesses), strict=True)
        if self.model.task == "classification":
            name = self._two.label if self.model.binary else lambda guess: guess
            return float(sum(y != name(guess) for y, guess in pairs))
        return math.fsum(_distance(y, guess) for y, guess in pairs)

    def _show(self, order: Sequence[int]) -> None:
        size = self._task.config.get("grain") or _BATCH
        code = self._two.code if self.model.binary else lambda y: y
        for start in range(0, len(order), size):
            part = order[start : start + size]
            self.model.learn([self.xs[i] for i in part], [code(self.ys[i]) for i in part])

    def _made(self) -> Model:
        config = self._task.config
        return build(
            self._task.model,
            seed=self._task.seed,
            classes=self._classes,
            scaling=config.get("scaling"),
            grain=config.get("grain"),
        )

    def _taken(self, y: Label) -> bool:
        """Return whether the model takes a label; those of a third class it does not."""
        if self.model.task == "regression":
            return not isinstance(y, bool | str) and -LARGEST <= y <= LARGEST
        if isinstance(y, float) or (self.model.classes and y not in self.model.classes):
            return False
        try:
            return not self.model.binary or self._two.code(y) in (False, True)
        except RecordError:
            return False


def _distance(y: Any, guess: Any) -> float:
    """Return an absolute error; a guess that is no number counts as one of 0."""
    if guess is None or not -LARGEST <= guess <= LARGEST:
        guess = 0.0
    return abs(float(y - guess))
