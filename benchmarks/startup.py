"""How long `driftline --help` takes."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RUNS = 9


def measure() -> dict[str, float]:
    """Return the median seconds of 9 runs, and those of Python doing nothing.

    A first run that writes `__pycache__` does not count.
    """
    script = Path(sys.executable).with_name("driftline")
    ours = [str(script)] if script.exists() else [sys.executable, "-m", "driftline"]
    times: dict[str, list[float]] = {"help": [], "nothing": []}
    for _ in range(RUNS + 1):
        times["help"].append(_seconds([*ours, "--help"]))
        times["nothing"].append(_seconds([sys.executable, "-c", "pass"]))
    return {name: statistics.median(found[1:]) for name, found in times.items()}


def _seconds(command: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began
