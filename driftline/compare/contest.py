"""The comparison as a whole: which tasks there are, done side by side, and the board."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress
from typing import Any

from driftline.compare.board import Board, Entry, Row, ranked
from driftline.compare.play import Played, Task, play
from driftline.compare.pool import Failed, run
from driftline.compare.records import Records
from driftline.compare.series import window_of
from learner.config import Config
from learner.learner import Learner
from learner.models.build import build
from learner.models.presets import Spec
from learner.policies.table import POLICIES, name_of
from stream.errors import SettingError

Stepped = Callable[[int, int], None]
"""Is told how many records have been taken by all together, and of how many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contest:
    """What is compared over which records.

    `records` has a range for each seed: that of every seed, where what the data are does not
    depend on it. `config` are the other fields of `learner.config.Config`. `window` is that
    of the curves, None for one that suits. `fresh` gives every task a process of its own,
    without which there is no telling how much memory one takes. `left_out` says of what is
    not compared why it is not.
    """

    data: str
    records: Mapping[int, Records]
    entries: Sequence[Entry]
    config: Mapping[str, Any] = field(default_factory=dict)
    window: int | None = None
    jobs: int = 1
    fresh: bool = True
    left_out: Mapping[str, str] = field(default_factory=dict)


def entries(
    models: Sequence[Spec], policies: Sequence[Spec], detectors: Sequence[Spec] = ()
) -> list[Entry]:
    """Return every model with every policy, and that with every detector it may listen to.

    Raises `SettingError` for what there is not; what only does not go together is found when
    it is tried.
    """
    for model in models:
        # One that needs its classes is refused when it learns, and not before.
        build(model, seed=1, classes=(0, 1))
    for detector in detectors:
        Learner(Config(model="naive-bayes", policy="reset", detector=detector), 0, 0)
    return [
        Entry(model, policy, detector)
        for model in models
        for policy in policies
        for detector in (POLICIES[name_of(policy)].listens and detectors) or (None,)
    ]


def possible(
    wanted: Sequence[Entry], config: Mapping[str, Any]
) -> tuple[list[Entry], dict[str, str]]:
    """Return the entries of which a learner can be made, and of the others why not, by name.

    Raises `SettingError` where none can.
    """
    found, left_out = [], {}
    for entry in wanted:
        try:
            Learner(_config(config, entry, 1), 0, 0)
        except SettingError as error:
            left_out[entry.name] = str(error)
        else:
            found.append(entry)
    if not found:
        raise SettingError("; ".join(dict.fromkeys(left_out.values())))
    return found, left_out


def _config(config: Mapping[str, Any], entry: Entry, seed: int) -> Config:
    settings: dict[str, Any] = {**config, "model": entry.model, "seed": seed}
    return Config(policy=entry.policy, detector=entry.detector, **settings)


def hold(
    contest: Contest,
    *,
    stopping: Callable[[], bool] = lambda: False,
    stepped: Stepped = lambda _, __: None,
) -> Board | None:
    """Let every entry take the records, with every seed; return the board, best first.

    Where it is stopped before its end, the board has the runs that came to theirs, None where
    none did. An entry that fails has a row that says why.
    """
    began = time.monotonic()
    window = contest.window or window_of(max(map(len, contest.records.values())))
    wanted = [(entry, seed) for entry in contest.entries for seed in contest.records]
    tasks: list[Task | Failed] = [_task(contest, window, *each) for each in wanted]
    came_of = _played(contest, tasks, stopping, stepped)
    ended = [each is not None for each in came_of]
    done = [each for each in came_of if each is not None]
    if not all(ended) and not any(isinstance(each, Played) for each in done):
        return None
    ran = [*compress(wanted, ended)]
    rows: dict[int, Row] = {}
    for (entry, seed), came in zip(ran, _alike(ran, done), strict=True):
        rows.setdefault(id(entry), Row(entry, {})).runs[seed] = came
    return Board(
        data=contest.data,
        rows=ranked(rows.values()),
        seeds=[*contest.records],
        window=window,
        seconds=time.monotonic() - began,
        missing=len(wanted) - len(ran),
        left_out=contest.left_out,
    )


def _alike(
    wanted: Sequence[tuple[Entry, int]], done: Sequence[Played | Failed]
) -> list[Played | Failed]:
    """Return what came of all, without that for which there is no figure beside the others."""
    tasks = Counter(each.task for each in done if isinstance(each, Played) and each.scored)
    usual = tasks.most_common(1)[0][0] if tasks else ""
    return [
        _judged(entry, each, usual) if isinstance(each, Played) else each
        for (entry, _), each in zip(wanted, done, strict=True)
    ]


def _judged(entry: Entry, played: Played, usual: str) -> Played | Failed:
    if played.scored and played.task == usual:
        return played
    if played.scored:
        return Failed(
            f"model {entry.model!r} is for {played.task}, and most of those compared are for "
            f"{usual}; compare it with its like"
        )
    if not played.dead:
        return Failed("no sample has a label, so no guess can be scored; name it with --label")
    reasons = ", ".join(f"{reason} {count:,}" for reason, count in played.dead_by.items())
    return Failed(
        f"no guess was scored, and {played.dead:,} records were refused: {reasons}; does model "
        f"{entry.model!r} take such features and labels?"
    )


def _task(contest: Contest, window: int, entry: Entry, seed: int) -> Task | Failed:
    try:
        config = _config(contest.config, entry, seed)
    except SettingError as error:
        return Failed(str(error))
    return Task(config, contest.records[seed], window)


def _played(
    contest: Contest,
    tasks: Sequence[Task | Failed],
    stopping: Callable[[], bool],
    stepped: Stepped,
) -> list[Played | Failed | None]:
    ready = [task for task in tasks if isinstance(task, Task)]
    total, taken = sum(len(task.records) for task in ready), 0

    def step(count: int) -> None:
        nonlocal taken
        taken += count
        stepped(taken, total)

    came = run(
        play, ready, jobs=contest.jobs, fresh=contest.fresh, stopping=stopping, stepped=step
    )
    left = iter(came)
    return [task if isinstance(task, Failed) else next(left) for task in tasks]
