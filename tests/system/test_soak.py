"""Three processes at a steady rate, and what they hold on to."""

import contextlib
import re
import signal
import statistics
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.counts import number
from tests.system.lives import process

SECONDS = number("SOAK", 0)
"""How long it is looked at, all in all; not at all unless the battery asks."""
RATE = 1000
"""Records a second: half of them questions, half their labels."""
WARM = 0.3
"""Part of the time that is none of steady running: caches and windows fill."""
LOOK = 1.0
"""Seconds between two looks."""
FLAT = 0.02
"""Share by which memory in the last third may differ from that in the first one."""
WAL = 64 * 2**20
"""Bytes of the write-ahead log at any time; one who reads for long lets it grow meanwhile."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a process holds on to at a moment: bytes, open files, threads."""

    rss: int
    files: int
    threads: int

    @classmethod
    def of(cls, pid):
        """Return what a process holds on to now."""
        it = psutil.Process(pid)
        with it.oneshot():
            return cls(it.memory_info().rss, it.num_fds(), it.num_threads())


@pytest.fixture
def services(tmp_path):
    """Start producer, learner and monitor as a user does; give them, and where the log is."""
    path = tmp_path / "s.db"
    late = ("--label-delay", 200, "--retention-seconds", 20)
    drifts = ("--drift", "abrupt@20000", "--drift", "recurring@40000")
    commands = {
        "produce": ("--source", "synth:Sine(seed=7)", "--rate", RATE, *late, *drifts),
        "learn": ("--model", "logistic", "--policy", "reset"),
        "monitor": ("--port", 0),
    }
    with contextlib.ExitStack() as started:
        yield (
            path,
            {
                name: started.enter_context(
                    process(name, *how, "--stream", f"sqlite:{path}", "--json", cwd=tmp_path)
                )
                for name, how in commands.items()
            },
        )


def thirds(values):
    """Return the medians of the first and of the last third."""
    third = len(values) // 3
    return statistics.median(values[:third]), statistics.median(values[-third:])


@pytest.mark.skipif(not SECONDS, reason="make battery runs it: it takes DRIFTLINE_SOAK seconds")
@pytest.mark.timeout(120 + 2 * SECONDS)
def test_nothing_grows_in_a_long_run(services, report):
    """Memory, files, threads and the write-ahead log stay what they are once it is warm."""
    path, lives = services
    url = re.search(r"metrics=(\S+)", lives["monitor"].said("metrics="))[1]
    for name, sign in (("produce", "classification"), ("monitor", "caught_up=true")):
        lives[name].said(sign)
    seen, wal, begun = {name: [] for name in lives}, [], time.monotonic()
    while (elapsed := time.monotonic() - begun) < SECONDS:
        assert all(life.alive for life in lives.values())
        text = urllib.request.urlopen(url, timeout=10).read().decode()
        if elapsed > WARM * SECONDS:
            for name, life in lives.items():
                seen[name].append(Seen.of(life.pid))
            wal.append(Path(f"{path}-wal").stat().st_size)
        time.sleep(LOOK)
    scored = float(re.search(r"(?m)^driftline_scored_total\{.*\} (\S+)", text)[1])
    codes = {name: life.end(signal.SIGTERM) for name, life in lives.items()}

    counts = {}
    for name, looks in seen.items():
        first, last = thirds([look.rss for look in looks])
        counts[f"{name}_rss_mib"] = round(last / 2**20, 1)
        counts[f"{name}_growth_percent"] = round(100 * (last / first - 1), 2)
        for kind in ("files", "threads"):
            first, last = thirds([getattr(look, kind) for look in looks])
            counts[f"{name}_{kind}_grown"] = round(last - first)
    report(seconds=SECONDS, scored=scored, wal_mib=round(max(wal) / 2**20, 2), **counts)
    assert codes == dict.fromkeys(lives, 0)
    assert scored > 0.4 * RATE * SECONDS - 400
    assert max(wal) <= WAL
    for name in lives:
        assert counts[f"{name}_growth_percent"] <= 100 * FLAT, name
        assert counts[f"{name}_files_grown"] == 0, name
        assert counts[f"{name}_threads_grown"] == 0, name
