"""What the ways of training come to: rows, as JSON has them, and who runs them."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from driftline.compare.board import text_of
from driftline.compare.pool import Failed, run
from driftline.compare.records import Records
from driftline.compare.retrain import WAYS, Trained, Training, train
from learner.models.build import build
from learner.models.presets import Spec


@dataclass(frozen=True, slots=True)
class Row:
    """A model trained in one way, and what came of it with each seed."""

    model: Spec
    way: str
    runs: dict[int, Trained | Failed]

    @property
    def trained(self) -> list[Trained]:
        """Return the runs that came to an end."""
        return [run for run in self.runs.values() if isinstance(run, Trained)]

    @property
    def error(self) -> str | None:
        """Return why a run failed, the first that did."""
        failed = (run.sentence for run in self.runs.values() if isinstance(run, Failed))
        return next(failed, None)

    @property
    def score(self) -> float | None:
        """Return accuracy or mean absolute error, the mean over the seeds."""
        return statistics.fmean(r.score for r in self.trained) if self.trained else None

    @property
    def spread(self) -> float | None:
        """Return its standard deviation over the seeds, where there are several."""
        scores = [run.score for run in self.trained]
        return statistics.stdev(scores) if len(scores) > 1 else None

    @property
    def seconds(self) -> float | None:
        """Return the processor seconds of all training, the mean over the seeds."""
        return statistics.fmean(r.seconds for r in self.trained) if self.trained else None

    @property
    def pieces(self) -> list[dict[str, float]]:
        """Return each piece: the samples before it, the score on it, the seconds for it."""
        found = []
        for same in zip(*(each.pieces for each in self.trained), strict=True):
            errors = statistics.fmean(piece.error / piece.judged for piece in same)
            score = 1 - errors if self.trained[0].task == "classification" else errors
            seconds = statistics.fmean(piece.seconds for piece in same)
            found.append({"begin": same[0].begin, "score": score, "seconds": seconds})
        return found

    def as_dict(self) -> dict[str, Any]:
        """Return the row as JSON has it; the way of training is its policy."""
        found: dict[str, Any] = {"model": text_of(self.model), "policy": self.way}
        if self.error is not None:
            found["error"] = self.error
        if self.trained:
            first = self.trained[0]
            figure = "accuracy" if first.task == "classification" else "mae"
            found |= {"task": first.task, figure: self.score, "seconds": self.seconds}
            if self.spread is not None:
                found[f"{figure}_stddev"] = self.spread
            found |= {"samples": first.samples, "refused": first.refused, "pieces": self.pieces}
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Trainings:
    """All rows, model by model in the order they were named, each in every way.

    `missing` are the runs that were stopped before their end.
    """

    data: str
    rows: list[Row]
    seeds: Sequence[int]
    pieces: int
    last: int
    seconds: float
    missing: int = 0

    @property
    def empty(self) -> bool:
        """Return whether no row has a figure."""
        return not any(row.trained for row in self.rows)

    @property
    def regression(self) -> bool:
        """Whether the figure is an error, of which less is more."""
        return any(run.task == "regression" for row in self.rows for run in row.trained)

    @property
    def samples(self) -> int:
        """Return how many labelled samples there were."""
        return max((run.samples for row in self.rows for run in row.trained), default=0)

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {
            "rows": [row.as_dict() for row in self.rows],
            "data": self.data,
            "samples": self.samples,
            "baseline": "full-retrain",
            "pieces": self.pieces,
            "window_pieces": self.last,
            "seeds": [*self.seeds],
            "seconds": self.seconds,
            **({"missing": self.missing} if self.missing else {}),
        }


def hold(
    data: str,
    records: Mapping[int, Records],
    models: Sequence[Spec],
    *,
    pieces: int,
    config: Mapping[str, Any],
    jobs: int,
    stopping: Callable[[], bool] = lambda: False,
    stepped: Callable[[int, int], None] = lambda _, __: None,
) -> Trainings | None:
    """Train every model in every way, with every seed.

    Where it is stopped before its end, what has come to its own by then, None if nothing has.
    A quarter of the pieces are the window. Raises `SettingError` for a model there is not.
    """
    began, last = time.monotonic(), max(1, pieces // 4)
    wanted = [(model, way, seed) for model in models for way in WAYS for seed in records]
    tasks = [
        Training(
            model=model,
            way=way,
            seed=seed,
            records=records[seed],
            pieces=pieces,
            last=last,
            config=config,
        )
        for model, way, seed in wanted
    ]
    total, taken = sum(len(task.records) for task in tasks), 0

    def step(count: int) -> None:
        nonlocal taken
        taken += count
        stepped(taken, total)

    done = run(train, tasks, jobs=jobs, stopping=stopping, stepped=step)
    rows: dict[tuple[str, str], Row] = {}
    for (model, way, seed), came in zip(wanted, done, strict=True):
        if came is not None:
            rows.setdefault((text_of(model), way), Row(model, way, {})).runs[seed] = came
    missing = done.count(None)
    if missing and not any(row.trained for row in rows.values()):
        return None
    return Trainings(
        data=data,
        rows=[*rows.values()],
        seeds=[*records],
        pieces=pieces,
        last=last,
        seconds=time.monotonic() - began,
        missing=missing,
    )


def check(models: Sequence[Spec]) -> None:
    """Raise `SettingError` for a model there is not."""
    for model in models:
        build(model, seed=1, classes=(0, 1))
