"""Resident size of producer and learner over a CSV file of some gigabytes.

    python -m benchmarks.large [--gigabytes 5] [--columns 100] [--model logistic]

The file is generated first; then `driftline produce` reads it into an embedded log, and
`driftline learn --until-end` reads that. Both are processes of their own, looked at from
outside twice a second.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pyarrow as pa
from pyarrow import csv

ROOT = Path(__file__).resolve().parent.parent
GIGABYTES, COLUMNS, MODEL = 5.0, 100, "logistic"
PIECE = 20_000
"""Rows generated at once."""
LOOK = 0.5
"""Seconds between two looks at a process."""
EARLY, LATE = 0.1, 0.9
"""Of a run, the parts whose largest sizes are compared: before this share, and after that."""


def generate(path: Path, size: float, columns: int) -> int:
    """Write rows of random numbers and a label that follows from them; return how many."""
    random, rows = np.random.default_rng(1), 0
    weights = random.normal(size=columns)
    names = [f"f{i}" for i in range(columns)] + ["y"]
    with path.open("wb") as file:
        while file.tell() < size:
            x = random.normal(size=(PIECE, columns)).round(6)
            y = (x @ weights > 0).astype(int)
            table = pa.table([*x.T, y], names=names)
            header = csv.WriteOptions(include_header=rows == 0)
            csv.write_csv(table, file, header)
            rows += PIECE
    return rows


def watched(*arguments: object) -> dict[str, Any]:
    """Run the command line to its end; return its summary and the sizes it had on the way."""
    command = [sys.executable, "-m", "driftline", *map(str, arguments), "--json"]
    sizes, began = [], time.monotonic()
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as life:
        process = psutil.Process(life.pid)
        while life.poll() is None:
            try:
                sizes.append(process.memory_info().rss)
            except psutil.NoSuchProcess:
                break
            time.sleep(LOOK)
        said = life.stdout.read() if life.stdout else ""
    if life.returncode:
        raise SystemExit(f"{' '.join(command)} left with {life.returncode}")
    early = max(sizes[len(sizes) // 20 : max(1, round(len(sizes) * EARLY))], default=0)
    late = max(sizes[round(len(sizes) * LATE) :], default=0)
    return {
        "summary": json.loads(said.splitlines()[-1]),
        "seconds": time.monotonic() - began,
        "early_mib": early / 2**20,
        "late_mib": late / 2**20,
        "most_mib": max(sizes, default=0) / 2**20,
        "growth": late / early - 1 if early else float("nan"),
        "tenths_mib": [
            round(max(sizes[i * len(sizes) // 10 : (i + 1) * len(sizes) // 10]) / 2**20, 1)
            for i in range(10)
            if len(sizes) >= 10
        ],
    }


def measure(folder: Path, *, gigabytes: float, columns: int, model: str) -> dict[str, Any]:
    """Generate, produce and learn; return what both took."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        path, stream = Path(place) / "large.csv", f"sqlite:{place}/large.db"
        rows = generate(path, gigabytes * 1e9, columns)
        size = path.stat().st_size
        produced = watched(
            *("produce", "--stream", stream, "--source", path),
            *("--label", "y", "--classes", "0,1"),
        )
        learned = watched(
            *("learn", "--stream", stream, "--until-end"),
            *("--model", model, "--policy", "none"),
        )
    assert produced["summary"]["samples"] == learned["summary"]["samples"] == rows
    return {
        "bytes": size,
        "rows": rows,
        "columns": columns,
        "model": model,
        **{
            name: {
                **{key: value for key, value in found.items() if key != "summary"},
                "rows_per_second": rows / found["seconds"],
                "megabytes_per_second": size / 1e6 / found["seconds"],
            }
            for name, found in (("produce", produced), ("learn", learned))
        },
        "accuracy": learned["summary"]["accuracy"],
    }


def main() -> None:
    """Measure and print one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gigabytes", type=float, default=GIGABYTES)
    parser.add_argument("--columns", type=int, default=COLUMNS)
    parser.add_argument("--model", default=MODEL)
    asked = parser.parse_args()
    folder = ROOT / ".cache" / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    print(json.dumps(measure(folder, **vars(asked)), indent=2))


if __name__ == "__main__":
    main()
