"""From what came of each task to a leaderboard: one row a model, policy and detector."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from driftline.compare.play import Played
from driftline.compare.pool import Failed
from driftline.compare.recovery import Drift
from driftline.compare.series import Point, mean_curve
from learner.models.presets import Spec

_MEANS = ("accuracy", "kappa", "mae", "no_change", "majority", "seconds")
_COUNTS = (
    "samples",
    "labelled",
    "scored",
    "drifts",
    "improvements",
    "resets",
    "false_alarms",
    "dead",
    "pending",
)
_LARGEST = ("peak_bytes", "state_bytes")
_FEW = 0.01
"""Of the samples that other rows took, so many may be refused by one that ranks with them."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What is compared: a model, a policy, and a detector where the policy listens to one."""

    model: Spec
    policy: Spec
    detector: Spec = None

    @property
    def name(self) -> str:
        """Return it in words.

        >>> Entry("logistic", {"name": "reset"}, "ddm").name
        'logistic, {"name":"reset"}, ddm'
        """
        parts = (self.model, self.policy, self.detector)
        return ", ".join(text_of(part) for part in parts if part is not None)


def text_of(spec: Spec) -> str:
    """Return a specification as a text: a name as it is, anything else as JSON."""
    return spec if isinstance(spec, str) else json.dumps(spec, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Row:
    """An entry and what came of it, a run for each seed; a run is what failed, too."""

    entry: Entry
    runs: dict[int, Played | Failed]

    @property
    def played(self) -> list[Played]:
        """Return the runs that came to an end."""
        return [run for run in self.runs.values() if isinstance(run, Played)]

    @property
    def error(self) -> str | None:
        """Return why a run failed, the first that did."""
        failed = (run.sentence for run in self.runs.values() if isinstance(run, Failed))
        return next(failed, None)

    def mean(self, name: str) -> float | None:
        """Return the mean of a figure over the seeds, None where none has it."""
        return _mean(getattr(run, name) for run in self.played)

    def spread(self, name: str) -> float | None:
        """Return the standard deviation of a figure over the seeds, where there are several."""
        values = [v for run in self.played if (v := getattr(run, name)) is not None]
        return statistics.stdev(values) if len(values) > 1 else None

    @property
    def score(self) -> float | None:
        """Return what the row is ranked by: the accuracy, or minus the mean absolute error."""
        mae = self.mean("mae")
        return self.mean("accuracy") if mae is None else -mae

    @property
    def curve(self) -> list[Point]:
        """Return the curve, the mean over the seeds."""
        return mean_curve([run.curve for run in self.played])

    def after(self, name: str, at: int | None = None) -> float | None:
        """Return the mean of a figure of `Drift`: of the one drift, or of all.

        It is that of the drifts after which the figure is there; `share` says how many are.
        """
        drifts = [each for run in self.played for each in _some(run.after, at)]
        return _mean(getattr(drift, name) for drift in drifts)

    def share(self, name: str, at: int | None = None) -> tuple[int, int]:
        """Return after how many drifts a figure of `Drift` is there, and of how many."""
        drifts = [each for run in self.played for each in _some(run.after, at)]
        return sum(getattr(drift, name) is not None for drift in drifts), len(drifts)

    def as_dict(self) -> dict[str, Any]:
        """Return the row as JSON has it, without what there is not."""
        found: dict[str, Any] = {
            "model": text_of(self.entry.model),
            "policy": text_of(self.entry.policy),
            "detector": None if self.entry.detector is None else text_of(self.entry.detector),
            "error": self.error,
        }
        if self.played:
            found |= self._figures()
        if len(self.runs) > 1:
            found["runs"] = [_run(seed, run) for seed, run in self.runs.items()]
        return {name: value for name, value in found.items() if value is not None}

    def _figures(self) -> dict[str, Any]:
        found: dict[str, Any] = {"task": self.played[0].task}
        found |= {name: self.mean(name) for name in _MEANS}
        found |= {f"{name}_stddev": self.spread(name) for name in ("accuracy", "mae")}
        found |= {name: _whole(self.mean(name)) for name in _COUNTS}
        for name in _LARGEST:
            sizes = [size for run in self.played if (size := getattr(run, name)) is not None]
            found[name] = max(sizes, default=None)
        kinds = dict.fromkeys(kind for run in self.played for kind in run.actions)
        found["actions"] = {
            kind: _whole(_mean(run.actions.get(kind, 0) for run in self.played))
            for kind in kinds
        } or None
        if any(run.after for run in self.played):
            found |= {name: self.after(name) for name in ("lost", "recovery", "extra", "delay")}
            (back, known), (noticed, _) = self.share("recovery"), self.share("delay")
            found |= {"recovered": back / known, "detected": noticed / known}
            found |= {"recoveries": back, "detections": noticed, "known_drifts": known}
            found["after"] = [asdict(drift) for drift in self.played[0].after]
        found["windows"] = [[point.samples, point.model] for point in self.curve]
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """A leaderboard: its rows as `ranked`, best first, those that failed last.

    `data` is what the records are called, `samples` how many were learned, `window` the
    samples of one point of a curve, `seconds` what it all took. `missing` are the runs that
    were stopped before their end, and have no row or no part in it; `left_out` says why by
    the name of each entry that cannot be.
    """

    data: str
    rows: list[Row]
    seeds: Sequence[int]
    window: int
    seconds: float
    missing: int = 0
    left_out: Mapping[str, str] = field(default_factory=dict)

    @property
    def regression(self) -> bool:
        """Whether the figure is an error, of which less is more."""
        return any(row.mean("mae") is not None for row in self.rows)

    @property
    def detectors(self) -> bool:
        """Return whether detectors were named."""
        return any(row.entry.detector is not None for row in self.rows)

    @property
    def samples(self) -> int:
        """Return how many samples were learned."""
        return max((run.samples for row in self.rows for run in row.played), default=0)

    @property
    def fullest(self) -> Row | None:
        """Return the row whose figures are of the most samples, the best of those alike."""
        played = [row for row in self.rows if row.played]
        return max(played, key=lambda row: sum(r.scored for r in row.played), default=None)

    @property
    def drifts(self) -> list[Drift]:
        """Return the known drifts, as the fullest row met them."""
        return self.fullest.played[0].after if self.fullest else []

    @property
    def baselines(self) -> dict[str, float]:
        """Return what no change and the majority class, or the mean so far, come to."""
        full = self.fullest
        found = {n: full.mean(n) for n in ("no_change", "majority")} if full else {}
        return {name: value for name, value in found.items() if value is not None}

    @property
    def refused(self) -> dict[str, tuple[float, float]]:
        """Return by entry how many samples it refused, of how many, where these are many."""
        found = zip(self.rows, _refused(self.rows), strict=True)
        return {row.entry.name: counts for row, counts in found if counts is not None}

    @property
    def arm_alarms(self) -> dict[str, float]:
        """Return how many alarms arms of several models had, by entry; see `Played.drifts`."""
        found = {
            row.entry.name: _mean(run.actions.get("arm-drift", 0) for run in row.played)
            for row in self.rows
        }
        return {name: alarms for name, alarms in found.items() if alarms}

    @property
    def empty(self) -> bool:
        """Return whether no row has a figure."""
        return not any(row.played for row in self.rows)

    def as_dict(self) -> dict[str, Any]:
        """Return the board as JSON has it."""
        return {
            "rows": [row.as_dict() for row in self.rows],
            "data": self.data,
            "samples": self.samples,
            "baselines": self.baselines,
            "seeds": [*self.seeds],
            "window": self.window,
            "seconds": self.seconds,
            **({"missing": self.missing} if self.missing else {}),
            **({"left_out": {**self.left_out}} if self.left_out else {}),
        }


def ranked(rows: Iterable[Row]) -> list[Row]:
    """Return rows, the best first; those alike stay in their order, the failed come last.

    Before these come the rows that refused more than 1 % of the samples that others took: what
    is left may be the easier part, so that there is no telling whether they are better.
    """
    rows = [*rows]

    def place(found: tuple[Row, object]) -> tuple[bool, bool, float]:
        row, refused = found
        return row.score is None, refused is not None, -(row.score or 0.0)

    return [row for row, _ in sorted(zip(rows, _refused(rows), strict=True), key=place)]


def _refused(rows: Iterable[Row]) -> list[tuple[float, float] | None]:
    """Return how many samples each row refused, of those that another took; None for few.

    Both are means over the seeds. A sample without a guess is none that was refused.
    """
    labelled = [
        {seed: run.labelled for seed, run in row.runs.items() if isinstance(run, Played)}
        for row in rows
    ]
    most: dict[int, int] = {}
    for each in labelled:
        most |= {seed: max(count, most.get(seed, 0)) for seed, count in each.items()}
    found: list[tuple[float, float] | None] = []
    for each in labelled:
        of = sum(most[seed] for seed in each)
        refused = of - sum(each.values())
        found.append((refused / len(each), of / len(each)) if refused > _FEW * of else None)
    return found


def _run(seed: int, run: Played | Failed) -> dict[str, Any]:
    if isinstance(run, Failed):
        return {"seed": seed, "error": run.sentence}
    names = ("accuracy", "mae", "kappa", "drifts", "resets", "false_alarms", "seconds")
    found = {name: getattr(run, name) for name in names}
    return {"seed": seed} | {name: value for name, value in found.items() if value is not None}


def _some(drifts: Sequence[Drift], at: int | None) -> Sequence[Drift]:
    return drifts if at is None else drifts[at : at + 1]


def _mean(values: Iterable[float | None]) -> float | None:
    found = [value for value in values if value is not None]
    if len(found) == 1:
        return found[0]
    return statistics.fmean(found) if found else None


def _whole(value: float | None) -> float | int | None:
    return int(value) if value is not None and value == int(value) else value
