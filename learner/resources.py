"""What a turn costs: time and memory, of this host and hour, and never a part of state."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import psutil

from learner.account import Account
from learner.models.model import Model
from stream.errors import RecordError
from stream.records import Record, encode

SAMPLED = 8
"""Samples of a turn whose guess and lesson are timed one by one."""
_LATEST = 8
"""Records looked at, from the end of a batch, for one that has a time."""
_clock = time.perf_counter


@dataclass(slots=True)
class Timed:
    """Seconds that guesses and lessons took, and how many samples they were for."""

    predict: float = 0.0
    predicted: int = 0
    learn: float = 0.0
    learned: int = 0

    @contextmanager
    def on(self, model: Model) -> Iterator[None]:
        """Time what is asked of a model within, whatever way it is asked."""
        names = ("guess", "guess_many", "learn_one", "learn")
        own: dict[str, Any] = {name: vars(model).get(name) for name in names}
        for name in names:
            many = name in ("guess_many", "learn")
            setattr(model, name, self._timed(getattr(model, name), "learn" in name, many))
        try:
            yield
        finally:
            for name, method in own.items():
                if method is None:
                    delattr(model, name)
                else:
                    setattr(model, name, method)

    def _timed(self, method: Callable[..., Any], learns: bool, many: bool) -> Any:
        def timed(*args: Any) -> Any:
            began = _clock()
            try:
                return method(*args)
            finally:
                seconds, samples = _clock() - began, len(args[0]) if many else 1
                if learns:
                    self.learn += seconds
                    self.learned += samples
                else:
                    self.predict += seconds
                    self.predicted += samples

        return timed


@cache
def _process() -> psutil.Process:
    return psutil.Process()


def _used() -> tuple[int | None, float | None]:
    """Return bytes and processor seconds of the process, where they can be read.

    To read them takes a file; where there are none left, a learner learns on.
    """
    with contextlib.suppress(OSError, psutil.Error):
        process = _process()
        cpu = process.cpu_times()
        return process.memory_info().rss, cpu.user + cpu.system
    return None, None


def peak_memory() -> int | None:
    """Return the largest resident size of this process so far, in bytes, where it is known."""
    # Linux tells the peak of `getrusage` on from the process that started this one.
    with contextlib.suppress(OSError, StopIteration):
        lines = Path("/proc/self/status").read_text().splitlines()
        return 1024 * int(next(line for line in lines if line.startswith("VmHWM")).split()[1])
    with contextlib.suppress(ImportError):
        import resource

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else 1024 * peak
    with contextlib.suppress(AttributeError, psutil.Error):
        return int(_process().memory_info().peak_wset)
    return None


def header(
    timed: Timed,
    reached: float | None,
    *,
    turn: float,
    commit: float | None,
    account: Account,
    model_parameters: int | None = None,
    paused: bool = False,
) -> bytes:
    """Return the header `resources` of a turn's outcomes: JSON, seconds and bytes.

    `memory_bytes` and `cpu_seconds` are the process's, `predict_seconds` and
    `learn_seconds` those of one sample, on average over the few that were timed,
    `turn_seconds` what the turn took to learn, `commit_seconds` the commit before it.
    `model_parameters` is how many numbers the model held when it was last saved, `paused` is 1
    where the breaker is open behind this turn, else 0, `event_time` what the learner has
    `reached`, in seconds of the epoch, `time` when the turn was learned. Of checkpoints the
    `account` tells: `model_bytes` is the size of the newest, `checkpoint_time` when it was
    written, `checkpoints_refused` how many were of no use when the learner took the partition
    up, `checkpoints_failed` how many could not be written since. What is not known is left
    out.
    """
    memory, cpu = _used()
    found = {
        "memory_bytes": memory,
        "cpu_seconds": cpu,
        "model_bytes": account.size,
        "model_parameters": model_parameters,
        "checkpoint_time": account.written,
        "checkpoints_refused": account.refused,
        "checkpoints_failed": account.failed,
        "predict_seconds": timed.predict / timed.predicted if timed.predicted else None,
        "learn_seconds": timed.learn / timed.learned if timed.learned else None,
        "turn_seconds": turn,
        "commit_seconds": commit,
        "paused": int(paused),
        "event_time": reached,
        "time": time.time(),
    }
    return encode({name: value for name, value in found.items() if value is not None})


def event_time(
    entries: Sequence[tuple[int, bytes]], read: Callable[[bytes], Record]
) -> float | None:
    """Return the time of the last of a batch's records that has one, if it is near the end."""
    for _, value in reversed(entries[-_LATEST:]):
        try:
            ts = read(value).ts
        except RecordError:
            continue
        if ts is not None:
            return ts
    return None
