"""Run the battery: tests with larger numbers, row by row, and what came of each kept.

    python tools/battery.py
    python tools/battery.py --list
    python tools/battery.py --row kill-sqlite-1 --row soak

A row that has passed on this very commit is not run again, so a battery that was broken off
goes on where it was. What came of each is a line of JSON in .cache/battery/results.jsonl,
what its tests said is in a file beside.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.battery import LIMIT, ROWS, Row  # noqa: E402

FOLDER = ROOT / ".cache" / "battery"
_TAIL = 25
"""Lines shown of what the tests of a row said that has not passed."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a row: a verdict, what was counted, and of which code it was said.

    `verdict` is `passed`, `failed` (a test has), `too few` (all that ran has passed, and
    less was counted than the row is for) or `too long`.
    """

    row: str
    verdict: str
    commit: str
    dirty: bool
    date: str
    seconds: float
    counts: dict[str, float]

    @property
    def holds(self) -> bool:
        """Whether it need not be found out again as long as the commit stays."""
        return self.verdict == "passed" and not self.dirty


def code() -> tuple[str, bool]:
    """Return the commit checked out, and whether files differ from it."""
    try:
        commit, changes = (
            subprocess.run(
                ["git", *words], cwd=ROOT, check=True, capture_output=True, text=True
            ).stdout.strip()
            for words in (["rev-parse", "HEAD"], ["status", "--porcelain"])
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown", True
    return commit, bool(changes)


def results(folder: Path) -> dict[str, list[Result]]:
    """Return what came of each row so far, newest last."""
    found: dict[str, list[Result]] = {}
    path = folder / "results.jsonl"
    for line in path.read_text().splitlines() if path.exists() else []:
        result = Result(**json.loads(line))
        found.setdefault(result.row, []).append(result)
    return found


def run(row: Row, folder: Path) -> Result:
    """Run a row, keep what came of it, and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{row.name}.counts"
    file.unlink(missing_ok=True)
    commit, dirty = code()
    date, began = datetime.now(UTC).isoformat(timespec="seconds"), time.monotonic()
    status = _pytest(row, file, folder / f"{row.name}.log")
    counts = _summed(file)
    result = Result(
        row=row.name,
        verdict=_verdict(row, status, counts),
        commit=commit,
        dirty=dirty or code() != (commit, dirty),
        date=date,
        seconds=round(time.monotonic() - began, 1),
        counts=counts,
    )
    with (folder / "results.jsonl").open("a") as kept:
        kept.write(json.dumps(asdict(result)) + "\n")
    return result


def _pytest(row: Row, counts: Path, log: Path) -> int | None:
    """Run the tests of a row; return pytest's exit code, None when time was up."""
    scale = {f"DRIFTLINE_{name}": str(value) for name, value in row.scale.items()}
    environment = {**os.environ, **scale, "DRIFTLINE_COUNTS": str(counts)}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *row.tests]
    with log.open("wb") as out:
        # A group of its own, so that brokers and learners end with the tests, however those do.
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            return process.wait(LIMIT)
        except subprocess.TimeoutExpired:
            return None
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _summed(file: Path) -> dict[str, float]:
    """Return the sums of what tests have counted."""
    sums: dict[str, float] = {}
    for line in file.read_text().splitlines() if file.exists() else []:
        for name, value in json.loads(line).items():
            if name != "test":
                sums[name] = sums.get(name, 0) + value
    return {name: round(value, 3) for name, value in sums.items()}


def _verdict(row: Row, status: int | None, counts: dict[str, float]) -> str:
    if status is None:
        return "too long"
    if status:
        return "failed"
    enough = all(counts.get(name, 0) >= wanted for name, wanted in row.reached.items())
    return "passed" if enough else "too few"


def table(rows: Sequence[Row], known: dict[str, list[Result]]) -> str:
    """Return a line for each row, with what was last known of it and of which commit."""
    lines = [f"{'row':<20} {'verdict':<9} {'seconds':>7}  {'commit':<11} counts"]
    for row in rows:
        if row.name not in known:
            lines.append(f"{row.name:<20} {'-':<9} {'-':>7}  {'-':<11} {row.what}")
            continue
        last = known[row.name][-1]
        commit = last.commit[:10] + "+" * last.dirty
        counts = " ".join(f"{name}={value:g}" for name, value in last.counts.items())
        lines.append(
            f"{row.name:<20} {last.verdict:<9} {last.seconds:>7.0f}  {commit:<11} {counts}"
        )
    return "\n".join(lines)


def battery(rows: Sequence[Row], folder: Path, *, again: bool = False) -> bool:
    """Run the rows that have not passed on this commit yet; return whether all have now."""
    commit, dirty = code()
    known, good = results(folder), True
    for row in rows:
        before = [it for it in known.get(row.name, []) if it.holds and it.commit == commit]
        if before and not dirty and not again:
            continue
        print(f"{row.name}: {row.what} …", flush=True)
        result = run(row, folder)
        print(f"{row.name}: {result.verdict} after {result.seconds:.0f} s", flush=True)
        if result.verdict != "passed":
            good = False
            said = (folder / f"{row.name}.log").read_text(errors="replace").splitlines()
            print("\n".join(said[-_TAIL:]), flush=True)
    return good


def main() -> None:
    """Run the rows that are asked for, and show what is known of them."""
    names = {row.name: row for row in ROWS}
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--list", action="store_true", help="show what is known, run nothing")
    parser.add_argument("--row", action="append", choices=names, help="may be given again")
    parser.add_argument("--again", action="store_true", help="run what has passed as well")
    asked = parser.parse_args()
    rows = [names[name] for name in asked.row] if asked.row else ROWS
    good = True
    try:
        good = asked.list or battery(rows, FOLDER, again=asked.again)
    except KeyboardInterrupt:
        good = False
    print(table(rows, results(FOLDER)))
    sys.exit(not good)


if __name__ == "__main__":
    main()
