"""How soon each drift detector hears of a change, how often it cries wolf, what it costs.

    python -m benchmarks.detectors
    python -m benchmarks.detectors --tuning --json

All are as they come, and only a rise of the error is an alarm. Each hears the same streams:
see `benchmarks.errors`. Two dummies are there to compare with: one alarms every 300
samples, one never. A drift is heard when the first alarm after the change comes within
`HORIZON`; false are all alarms where nothing has changed for the worse.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from typing import Any

from benchmarks.errors import CHANGE, SEEDS, TUNING, Errors, streams
from learner.caution import watch
from learner.detectors import DETECTORS

HORIZON = 2000
"""Samples after a change within which an alarm is for it."""
Said = list[tuple[int, str]]


def heard(name: str, stream: Errors, *, warnings: bool) -> tuple[Said, float]:
    """Return place and kind of all that a detector says of a stream, and its seconds."""
    watching = watch(name, task="classification", direction="worse", seed=1, warnings=warnings)
    observe, said = watching.observe, []
    began = time.perf_counter()
    for place, error in enumerate(stream.errors):
        alarm = observe(error)
        if alarm is not None:
            said.append((place, alarm[0]))
    return said, time.perf_counter() - began


def judged(name: str, found: list[Errors]) -> dict[str, Any]:
    """Return what a detector comes to over all streams."""
    delays, leads, drifts, false, calm, seconds = [], [], 0, 0, 0, 0.0
    for stream in found:
        alarms, took = heard(name, stream, warnings=False)
        seconds += took
        drift = [place for place, kind in alarms if kind == "drift"]
        end = len(stream.errors) if stream.change is None else stream.change
        false += sum(place < end for place in drift)
        calm += end
        if stream.change is None:
            continue
        drifts += 1
        delay = next((p - CHANGE for p in drift if CHANGE <= p < CHANGE + HORIZON), None)
        if delay is not None:
            delays.append(delay)
            leads += _lead(name, stream, CHANGE + delay)
    samples = sum(len(stream.errors) for stream in found)
    return {
        "detector": name,
        "streams": len(found),
        "drifts": drifts,
        "heard": len(delays),
        "delay_median": statistics.median(delays) if delays else None,
        "delay_worst": max(delays, default=None),
        "false_per_10000": 1e4 * false / calm,
        "warned": len(leads),
        "lead_median": statistics.median(leads) if leads else None,
        "microseconds": 1e6 * seconds / samples,
    }


def _lead(name: str, stream: Errors, drift: int) -> list[int]:
    """Return by how many samples a warning after the change came before the drift, if any."""
    said, _ = heard(name, stream, warnings=True)
    warning = [place for place, kind in said if kind == "warning" and place <= drift]
    after = [place for place in warning if place >= CHANGE]
    return [drift - after[0]] if after else []


def main() -> None:
    """Judge every detector, and print a table or JSON."""
    seeds = TUNING if "--tuning" in sys.argv else SEEDS
    found = streams(seeds)
    rows = []
    for name in DETECTORS:
        rows.append(judged(name, found))
        print(f"{name}: {rows[-1]['microseconds']:.1f} µs", file=sys.stderr)
    if "--json" in sys.argv:
        print(json.dumps(rows))
        return
    print(f"{len(found)} streams, seeds {seeds.start} to {seeds.stop - 1}")
    print("| detector | heard | delay, median | worst | false in 10,000 | warned | µs |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for row in rows:
        cells = [
            row["detector"],
            f"{row['heard']} of {row['drifts']}",
            _of(row, "delay_median"),
            _of(row, "delay_worst"),
            f"{row['false_per_10000']:.2f}",
            f"{row['warned']}, by {_of(row, 'lead_median')}",
            f"{row['microseconds']:.2f}",
        ]
        print(f"| {' | '.join(cells)} |")


def _of(row: dict[str, Any], name: str) -> str:
    return "–" if row[name] is None else f"{row[name]:.0f}"


if __name__ == "__main__":
    main()
