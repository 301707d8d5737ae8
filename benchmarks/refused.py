"""What bad records cost: a stream in which every second record is one, beside a clean one.

The bad ones are the smaller ones of the tests' corpus; the model and the log are as in the
part `sqlite`. Both streams have the same good records, so both guess alike.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import cycle
from pathlib import Path
from typing import Any

from benchmarks.pairs import Pair, compare
from benchmarks.samples import fill
from benchmarks.throughput import driftline_on
from stream.sqlite import SqliteLog
from tests.corpus import bad_for

AIM = 0.5
_RATES = ("ours_per_second", "min", "median", "max", "cpu_median")
_MODEL = "logistic"
_LARGE = 4096
"""Bytes up to which a bad record takes part: of the few larger ones a log would be full."""


def strewn(values: list[bytes]) -> list[bytes]:
    """Return the values with a bad record before each but the first two, which tell classes.

    None of the bad ones waits for a sample, or is one that waits.
    """
    bad = [v for v, _ in bad_for(_MODEL) if len(v) <= _LARGE and b'"open"' not in v]
    mixed = values[:2]
    for value, refused in zip(values[2:], cycle(bad), strict=False):
        mixed += (refused, value)
    return mixed


def measure(
    folder: Path, values: list[bytes], *, rounds: int, say: Callable[[str], None]
) -> list[dict[str, Any]]:
    """Return the ratio of rates, per record read and per good record; one run a round."""
    mixed = strewn(values)
    logs = [SqliteLog(folder / f"refused-{name}.db") for name in ("none", "half")]
    for log, each in zip(logs, (values, mixed), strict=True):
        fill(log, each)
    clean, dirty = (driftline_on(log, _MODEL, folder / "state-refused") for log in logs)
    good = Pair("scaler + logistic, half of it bad: per good record", len(values), None)
    compare(good, clean, dirty, rounds=rounds, say=say)
    for log in logs:
        log.close()
    per_good = good.as_dict()
    # The second stream is longer by what is bad in it.
    longer = len(mixed) / len(values)
    per_record = per_good | {
        "name": "scaler + logistic, half of it bad: per record",
        "samples": len(mixed),
        "aim": AIM,
        **{key: per_good[key] * longer for key in _RATES},
    }
    return [per_record, per_good]
