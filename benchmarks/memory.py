"""Resident size of a learner over two million samples, in a log that retention keeps short.

    python -m benchmarks.memory [SAMPLES]

One process generates and writes, a second learns: scaler and logistic regression on SQLite.
The writer stays less than a retention ahead of the learner, so the file stays small.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from itertools import islice
from pathlib import Path

from benchmarks.samples import records
from learner.config import Config
from learner.loop import learn
from learner.run import Run
from stream.sqlite import SqliteLog
from stream.topic import Retention, group_of, samples_of, topic_of

ROOT = Path(__file__).resolve().parent.parent
SAMPLES, EARLY = 2_000_000, 200_000
KEPT = 32 * 1024 * 1024
"""Bytes that retention keeps of the samples, and of the outcomes."""
AHEAD = 50_000
"""Samples that the writer may be ahead of the learner."""
PIECE = 5_000
NAME = "main"


def resident() -> int:
    """Return the bytes this process holds in memory, or where nobody tells, held at most."""
    try:
        pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    except OSError:
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else most * 1024
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def write(path: Path, samples: int) -> None:
    """Write the samples, waiting for the learner where it is far behind."""
    log = SqliteLog(path)
    topic, group = samples_of(log.stream), group_of(log.stream, NAME)
    keep = Retention(size=KEPT)
    log.create(topic, partitions=1, retention=keep)
    # The learner leaves a topic that is there as it is, and would keep 90 days of its own.
    log.create(topic_of(log.stream, NAME, "outcomes"), partitions=1, retention=keep)
    writer = log.writer("bench-feed", atomic=False)
    feed, written = records(), 0
    while piece := list(islice(feed, min(PIECE, samples - written))):
        for value in piece:
            writer.append(topic, value, partition=0)
        writer.commit()
        written += len(piece)
        while written < samples and log.committed(group).get(0, 0) < written - AHEAD:
            time.sleep(0.02)
    log.close()


def learn_all(path: Path, samples: int) -> None:
    """Learn the samples; print the resident size early, at the end, and at most."""
    log = SqliteLog(path)
    found: dict[str, int] = {}
    most = 0

    def moved(cursors: Mapping[int, int]) -> None:
        nonlocal most
        cursor = cursors[0]
        if cursor >= EARLY:
            now = resident()
            found.setdefault("early", now)
            found["end"], most = now, max(most, now)
        found["cursor"] = cursor

    config = Config(model="logistic", policy="none")
    summary = learn(
        log,
        config,
        Run(name=NAME, state=path.parent / "state"),
        stopping=lambda: found.get("cursor", 0) >= samples,
        moved=moved,
    )
    log.close()
    report = {**found, "most": most, "accuracy": summary.accuracy}
    print(json.dumps({**report, "samples_per_second": summary.samples_per_second}))


def measure(folder: Path, samples: int = SAMPLES) -> dict[str, float]:
    """Run both processes; return sizes in MiB, the growth, and how large the file became."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        path = Path(place) / "memory.db"
        SqliteLog(path).close()
        command = [sys.executable, "-m", "benchmarks.memory"]
        arguments = [str(path), str(samples)]
        with subprocess.Popen([*command, "--write", *arguments], cwd=ROOT) as writer:
            try:
                done = subprocess.run(
                    [*command, "--learn", *arguments],
                    cwd=ROOT,
                    stdout=subprocess.PIPE,
                    text=True,
                    check=True,
                )
            finally:
                writer.terminate()
        found = json.loads(done.stdout.splitlines()[-1])
        size = sum(each.stat().st_size for each in Path(place).glob("memory.db*"))
    return {
        "samples": samples,
        "early_mib": found["early"] / 2**20,
        "end_mib": found["end"] / 2**20,
        "most_mib": found["most"] / 2**20,
        "growth": found["end"] / found["early"] - 1,
        "file_mib": size / 2**20,
        "samples_per_second": found["samples_per_second"],
        "accuracy": found["accuracy"],
    }


def main() -> None:
    """Measure, or be one of the two processes that are measured."""
    match sys.argv[1:]:
        case ["--write", path, samples]:
            write(Path(path), int(samples))
        case ["--learn", path, samples]:
            learn_all(Path(path), int(samples))
        case [] | [_]:
            folder = ROOT / ".cache" / "bench"
            folder.mkdir(parents=True, exist_ok=True)
            print(json.dumps(measure(folder, *map(int, sys.argv[1:]))))


if __name__ == "__main__":
    main()
