"""Measure the live page: what it costs, with how many open, and how soon there is a picture.

    python benchmarks/page.py
    python benchmarks/page.py --outcomes 100000 --pages 10
    python benchmarks/page.py --stream sqlite:kept.db       # the second part alone

Three parts. The share of a CPU that the monitor takes beside a learner at full speed: with no
page open, with one, with many (readers of its events, as fast as it sends). A stream of many
outcomes: from the start of a monitor, with a page opened as soon as it says its address, to
figures, to the first picture of the curve, to all figures and to the curve of the whole past,
each with the CPU that the monitor has spent by then, for a machine with other work. And whether
a monitor begun anew then shows what the one before it showed, value by value.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import urlopen

import psutil

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

COMMAND = [sys.executable, "-m", "driftline"]
SECONDS = 12.0
EXEMPT = ("rate", "seen_at", "refused")
"""What a monitor begun anew need not show: what belongs to it and to the hour."""


def main() -> None:
    """Measure all of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--outcomes", type=int, default=1_000_000)
    parser.add_argument("--pages", type=int, default=50)
    parser.add_argument("--stream", help="a stream with outcomes of a learner named main")
    asked = parser.parse_args()
    if asked.stream:
        _much_history(asked.stream)
        return
    folder = ROOT / ".cache" / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as place:
        stream = f"sqlite:{Path(place) / 's.db'}"
        _run("produce", stream, "--source", "synth:Sine(seed=7)", "--drift", "abrupt@50000",
             "--limit", str(asked.outcomes))  # fmt: skip
        _beside_a_learner(stream, asked.pages)
        state = ("--state", f"{place}/state")
        _run("learn", stream, "--model", "naive-bayes", "--until-end", *state)
        _much_history(stream)


def _run(command: str, stream: str, *more: str) -> None:
    """Run a command to its end."""
    words = [*COMMAND, command, "--stream", stream, *more]
    subprocess.run(words, cwd=ROOT, check=True, capture_output=True)


@contextmanager
def _monitor(stream: str, name: str = "main") -> Iterator[tuple[psutil.Process, str, float]]:
    """Give a monitor, its address, and how long it took to answer."""
    began = time.monotonic()
    words = [*COMMAND, "monitor", "--stream", stream, "--name", name, "--port", "0"]
    with subprocess.Popen(words, cwd=ROOT, stderr=subprocess.PIPE, text=True) as monitor:
        assert monitor.stderr is not None
        said = next(line for line in monitor.stderr if "Live page: " in line)
        took = time.monotonic() - began
        threading.Thread(target=monitor.stderr.read, daemon=True).start()
        found = re.search(r"Live page: (\S+)/ ", said)
        assert found
        try:
            yield psutil.Process(monitor.pid), found[1], took
        finally:
            monitor.terminate()


def _beside_a_learner(stream: str, pages: int) -> None:
    """Print the CPU that a monitor takes while a learner goes on as fast as it can."""
    for many in (0, 1, pages):
        name = f"beside-{many}"
        words = [*COMMAND, "learn", "--stream", stream, "--model", "logistic", "--until-end"]
        words += ["--name", name, "--state", stream.removeprefix("sqlite:") + ".state"]
        quiet = {"cwd": ROOT, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        with _monitor(stream, name) as (process, url, _), ExitStack() as stack:
            readers = [stack.enter_context(_Reader(url)) for _ in range(many)]
            learner = stack.enter_context(subprocess.Popen(words, **quiet))
            while not _scored(url):
                time.sleep(0.2)
            begun, before = time.monotonic(), _scored(url)
            cpu = sum(process.cpu_times()[:2])
            while learner.poll() is None and time.monotonic() - begun < SECONDS:
                time.sleep(0.2)
            took = time.monotonic() - begun
            spent, done = sum(process.cpu_times()[:2]) - cpu, _scored(url) - before
            each = spent / max(1, done) * 1e6
            sent, size = sum(it.messages for it in readers), sum(it.size for it in readers)
            print(
                f"pages={many} outcomes_per_second={done / took:.0f} "
                f"monitor_cpu={spent / took:.1%} us_per_outcome={each:.2f} "
                f"seconds={took:.1f} pictures={sent} "
                f"mib_sent={size / 2**20:.1f} rss_mib={process.memory_info().rss / 2**20:.0f}",
                flush=True,
            )
            learner.terminate()


def _scored(url: str) -> int:
    with urlopen(f"{url}/metrics", timeout=30) as answer:
        found = re.search(rb"^driftline_scored_total\S* (\S+)$", answer.read(), re.MULTILINE)
    return int(float(found[1])) if found else 0


class _Reader(threading.Thread):
    """An open page: reads all that is sent to it."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self.messages = self.size = 0
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
        self._done = False

    def run(self) -> None:
        self._connection.request("GET", "/events")
        answer = self._connection.getresponse()
        while not self._done and (read := answer.read1(1 << 20)):
            self.size += len(read)
            self.messages += read.count(b"event: state")

    def __enter__(self) -> _Reader:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done = True
        self.join()
        self._connection.close()


def _much_history(stream: str) -> None:
    """Print how soon there is a picture, and whether a second monitor shows the same."""
    shown = []
    for life in (1, 2):
        print(f"life={life} load={os.getloadavg()[0]:.1f}", end=" ")
        with _browser() as page, _monitor(stream) as (process, url, took):
            _look(page, url, process, time.monotonic() - took)
            while not _whole(_get(url, "state")):
                time.sleep(0.2)
            time.sleep(1.0)
            shown.append({"state": _get(url, "state"), "history": _get(url, "history")})
            peak = process.memory_info().rss / 2**20
            print(f"scored={shown[-1]['state']['figures']['scored']} rss_mib={peak:.0f}")
    differing = [*_differing(*shown)]
    print(f"differing={differing}")
    assert not [path for path in differing if path.split(".")[1] not in EXEMPT], differing


def _whole(state: dict[str, Any]) -> bool:
    return state["recalled"] == 1.0 and state["detailed"] and state["mistakes"] is not None


@contextmanager
def _browser() -> Iterator[Any]:
    """Give a page of Chromium that shows nothing yet."""
    from playwright.sync_api import sync_playwright

    path = next(filter(None, map(shutil.which, ("chromium", "google-chrome"))))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser.new_page()
        browser.close()


def _look(page: Any, url: str, process: psutil.Process, began: float) -> None:
    """Open the page and print what came when: seconds since `began`, and CPU of the monitor."""

    def say(what: str) -> None:
        cpu = sum(process.cpu_times()[:2])
        print(f"{what}_after_s={time.monotonic() - began:.2f} cpu_s={cpu:.2f}", end=" ")

    says = "() => document.querySelector('#curve-says').textContent.includes('point every')"
    say("address")
    page.goto(url)
    page.wait_for_function("() => /%/.test(document.querySelector('#tiles dd')?.textContent)")
    say("figures")
    page.wait_for_selector("#curve canvas")
    say("picture")
    page.wait_for_selector("#detailing", state="hidden", timeout=120_000)
    say("all_figures")
    page.wait_for_function(
        f"{says} && !document.querySelector('#curve-says').textContent.includes('being read')",
        timeout=120_000,
    )
    say("whole_past")


def _get(url: str, what: str) -> dict[str, Any]:
    with urlopen(f"{url}/api/{what}", timeout=30) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


def _differing(one: Any, other: Any, path: str = "") -> Iterator[str]:
    """Yield the path of each value that differs."""
    if isinstance(one, dict) and isinstance(other, dict):
        for name in one.keys() | other.keys():
            yield from _differing(one.get(name), other.get(name), f"{path}.{name}".strip("."))
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for at, pair in enumerate(zip(one, other, strict=True)):
            yield from _differing(*pair, f"{path}.{at}")
    elif one != other:
        yield path


if __name__ == "__main__":
    main()
