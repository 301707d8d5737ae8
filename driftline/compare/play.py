"""One learner over the records of a comparison, and what came of it."""

from __future__ import annotations

import contextlib
import math
import time
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from driftline.compare.records import Records
from driftline.compare.recovery import Drift, Event, after_drifts, false_alarms
from driftline.compare.series import Point, curve
from learner.checkpoint import size_of
from learner.config import Config
from learner.hot import hot, one_thread
from learner.learner import Learner
from learner.resources import peak_memory
from learner.summary import summarize
from learner.turn import Turn
from monitor.classes import Known, pairs_of
from monitor.confusion import Confusion
from stream.errors import SettingError
from stream.records import NO_GUESS, SCORED

Told = Callable[[int], None]
"""Is told, now and then, how many records have been taken since it was told last."""


@dataclass(frozen=True, slots=True)
class Task:
    """One learner's configuration, the records it learns, and the window of its curve."""

    config: Config
    records: Records
    window: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What came of a task.

    `accuracy`, and κ, in [0, 1] and [−1, 1]; for regression `mae`, in the label's unit. The
    two baselines are of the same kind as the task's own figure. `labelled` samples had a label
    and were not refused, `scored` had a guess besides. `seconds` are processor seconds spent
    on guessing and learning, without reading; `state_bytes` is the size of a checkpoint at the
    end. `drifts` are alarms at what is served; those of arms beside it, or within it where all
    of them answer together, are `actions` of the kind arm-drift. `peak_bytes` is the largest
    resident size of the process, None where it had other tasks before.
    """

    task: str
    samples: int
    labelled: int
    scored: int
    accuracy: float | None
    kappa: float | None
    mae: float | None
    no_change: float | None
    majority: float | None
    drifts: int
    improvements: int
    resets: int
    actions: dict[str, int]
    dead: int
    dead_by: dict[str, int]
    pending: int
    watched: bool
    false_alarms: int | None
    after: list[Drift]
    curve: list[Point]
    seconds: float
    state_bytes: int
    peak_bytes: int | None = None


@dataclass(slots=True)
class Course:
    """The labelled samples of one partition, in columns, and what happened on the way.

    `places` are the offsets that brought their labels, `of` their own. Errors are 0 or 1 for a
    class, absolute for a number, NaN where there was no guess to be scored.
    """

    places: array[int] = field(default_factory=lambda: array("q"))
    of: array[int] = field(default_factory=lambda: array("q"))
    errors: array[float] = field(default_factory=lambda: array("d"))
    no_change: array[float] = field(default_factory=lambda: array("d"))
    majority: array[float] = field(default_factory=lambda: array("d"))
    events: list[Event] = field(default_factory=list)

    def add(self, turn: Turn, task: str) -> None:
        """Take what came of a turn."""
        self.events += turn.events
        offsets, of, _, _, ys, guesses, _, _, _, flags = turn.transposed()
        error = _wrong if task == "classification" else _absolute
        self.places.extend(offsets)
        self.of.extend(of)
        self.errors.extend(map(error, ys, guesses, flags))
        for mine, theirs in zip((self.no_change, self.majority), turn.errors, strict=True):
            kept = zip(theirs, flags, strict=True)
            mine.extend(math.nan if flag == NO_GUESS else each for each, flag in kept)


def _wrong(y: Any, guess: Any, flag: int) -> float:
    return math.nan if flag == NO_GUESS else float(flag != SCORED or y != guess)


def _absolute(y: Any, guess: Any, flag: int) -> float:
    return math.nan if flag else abs(y - guess)


def turns(config: Config, records: Records) -> Iterator[tuple[Learner, Turn, float]]:
    """Yield each turn of a learner over the records, and its processor seconds.

    It is the live learner itself, so what it says is what that would have said. Raises
    `SettingError` and whatever else it would raise.
    """
    with contextlib.closing(records.open()) as log:
        for p, start in records.span.start.items():
            learner = Learner(config, p, start)
            learner.declared_before(records.declared(log, p))
            with hot(), one_thread(learner.policy.model):
                for batch in records.batches(log, p):
                    began = time.process_time()
                    turn = learner.learn(batch, answer="none")
                    yield learner, turn, time.process_time() - began


def play(task: Task, told: Told = lambda _: None) -> Played:
    """Let a learner take all records, and sum up. Raises as `turns` does."""
    learners: dict[int, Learner] = {}
    courses: dict[int, Course] = {}
    seconds = 0.0
    for learner, turn, took in turns(task.config, task.records):
        if learner.task == "anomaly":
            raise SettingError(
                f"model {task.config.model!r} gives scores of anomalies, which are neither "
                "right nor wrong; 'driftline monitor' shows how they rank"
            )
        learners[learner.partition] = learner
        courses.setdefault(learner.partition, Course()).add(turn, learner.task)
        seconds += took
        told(turn.next - turn.first)
    return _summed_up(task, [*learners.values()], [*courses.values()], seconds)


def _summed_up(
    task: Task, learners: list[Learner], courses: list[Course], seconds: float
) -> Played:
    summary = summarize(learners, seconds, 0)
    totals = [learner.totals for learner in learners]
    kappa = None
    if summary.task == "classification" and summary.scored:
        kappa = Confusion(pairs_of(totals), Known(totals)).figures().get("kappa")
    classes = summary.task == "classification"
    after = [
        drift
        for course in courses
        for drift in after_drifts(
            *(course.places, course.of, course.errors, course.events),
            window=task.window,
            classes=classes,
        )
    ]
    watched = any(learner.watch is not None for learner in learners) or summary.drifts > 0
    actions: dict[str, int] = {}
    for each in totals:
        for kind, count in each.actions.items():
            actions[kind] = actions.get(kind, 0) + count
    return Played(
        task=summary.task,
        samples=summary.samples,
        labelled=sum(len(course.places) for course in courses),
        scored=summary.scored,
        accuracy=summary.accuracy,
        kappa=kappa,
        mae=summary.mae,
        no_change=_baseline(summary.scored, [t.no_change_error for t in totals], classes),
        majority=_baseline(summary.scored, [t.majority_error for t in totals], classes),
        drifts=summary.drifts,
        improvements=summary.improvements,
        resets=summary.resets,
        actions=actions,
        dead=summary.dead,
        dead_by=summary.dead_by_reason,
        pending=summary.pending,
        watched=watched,
        false_alarms=false_alarms(summary.drifts, after) if watched else None,
        after=after,
        curve=curve(
            [(c.errors, c.no_change, c.majority) for c in courses], task.window, classes=classes
        ),
        seconds=seconds,
        state_bytes=sum(map(size_of, learners)),
        peak_bytes=peak_memory(),
    )


def _baseline(scored: int, errors: list[float], classes: bool) -> float | None:
    if not scored:
        return None
    return (scored - sum(errors)) / scored if classes else sum(errors) / scored
