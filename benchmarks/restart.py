"""From the start of a learner's process to the first new outcome that can be read.

    python -m benchmarks.restart [--restarts 9] [--features 160000]

The model is logistic regression over a scaler, both River's, that has met 160,000 names of
features, twenty a sample: about 10 MB as a checkpoint. A learner is killed with SIGKILL
while it learns, so that it has records to replay; a new sample is written, and the next one
is started. The clock runs from just before the process is made until the outcome of the new
sample can be read by another process. Beside it stands the same with a model of twenty names.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from stream.records import Record, decode_outcomes, encode
from stream.sqlite import SqliteLog
from stream.topic import group_of, samples_of, topic_of

ROOT = Path(__file__).resolve().parent.parent
FEATURES, EACH, RESTARTS = 160_000, 20, 9
NAME = "main"
LOOK = 0.001
"""Seconds between two looks for the outcome."""
PATIENCE = 120.0


def wide(features: int, start: int = 0) -> Iterator[bytes]:
    """Yield samples of twenty features each, all names once before any comes again."""
    at = start
    while True:
        names = (f"feature-{(at * EACH + k) % features}" for k in range(EACH))
        x = {name: ((at + k) % 13) / 13 for k, name in enumerate(names)}
        yield encode(Record(id=at, x=x, y=at % 2))
        at += 1


class _Stream:
    """A stream with a learner that is started and killed."""

    def __init__(self, folder: Path, features: int) -> None:
        self._path, self._state = folder / "restart.db", folder / "state"
        self._log, self._values = SqliteLog(self._path), wide(features)
        self._log.create(samples_of(self._log.stream), partitions=1)
        self._writer = self._log.writer("bench-feed")
        self._features, self.written = features, 0

    def write(self, samples: int) -> None:
        """Write so many samples."""
        for _ in range(samples):
            self._writer.append(samples_of(self._log.stream), next(self._values), partition=0)
        self._writer.commit()
        self.written += samples

    def start(self) -> subprocess.Popen[bytes]:
        """Start a learner."""
        command = [sys.executable, "-m", "driftline", "learn", "--policy", "none"]
        where = ["--stream", f"sqlite:{self._path}", "--state", str(self._state)]
        env = os.environ | {"PYTHONPATH": str(ROOT)}
        return subprocess.Popen([*command, *where], env=env, stderr=subprocess.DEVNULL)

    def until_said(self) -> float:
        """Wait until the newest sample's outcome can be read; return when that was."""
        deadline = time.monotonic() + PATIENCE
        name = topic_of(self._log.stream, NAME, "outcomes")
        while self._log.committed(group_of(self._log.stream, NAME)).get(0, 0) < self.written:
            if time.monotonic() > deadline:
                raise SystemExit(f"no outcome within {PATIENCE:g} s")
            time.sleep(LOOK)
        newest = self._log.topic(name).newest(0)
        assert newest is not None
        assert decode_outcomes(newest.value).last == self.written - 1
        return time.perf_counter()

    @property
    def checkpoint(self) -> tuple[int, int]:
        """The cursor of the newest checkpoint, and its bytes."""
        path = max(self._state.glob("*/*/p0/[0-9]*"))
        return int(path.name), path.stat().st_size

    def restarts(self, number: int) -> dict[str, Any]:
        """Kill and restart a learner so often; return the seconds and what was replayed."""
        self.write(self._features // EACH + 1)
        life, seconds, replayed, size = self.start(), [], [], 0
        for _ in range(number):
            self.until_said()
            self.write(200)
            self.until_said()
            life.send_signal(signal.SIGKILL)
            life.wait()
            cursor, size = self.checkpoint
            replayed.append(self.written - cursor)
            self.write(1)
            began = time.perf_counter()
            life = self.start()
            seconds.append(self.until_said() - began)
        life.kill()
        life.wait()
        self._log.close()
        return {
            "checkpoint_bytes": size,
            "restarts": number,
            "median_seconds": statistics.median(seconds),
            "slowest_seconds": max(seconds),
            "replayed_records": statistics.median(replayed),
        }


def measure(folder: Path, *, features: int = FEATURES, restarts: int = RESTARTS) -> Any:
    """Return what restarts take with a model of so many features, and with a tiny one."""
    found = {}
    for name, size in (("large", features), ("tiny", EACH)):
        with tempfile.TemporaryDirectory(dir=folder) as place:
            found[name] = _Stream(Path(place), size).restarts(restarts)
    return found


def main() -> None:
    """Measure and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--features", type=int, default=FEATURES)
    parser.add_argument("--restarts", type=int, default=RESTARTS)
    asked = parser.parse_args()
    folder = ROOT / ".cache" / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    print(json.dumps(measure(folder, **vars(asked)), indent=2))


if __name__ == "__main__":
    main()
