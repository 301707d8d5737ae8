"""Measure what a second worker brings: one and two learners on two partitions.

    python benchmarks/workers.py
    python benchmarks/workers.py kafka --model logistic --rounds 9

Each run is `driftline learn` to the end of the same samples, and what is compared is the time
from a run's first sample to its last commit, as its summary has it: of two workers that of
the slower. On Kafka the two have their places in the group from before, so that no time goes
into sharing out; how long that takes is another question.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.pairs import Pair, Took, compare  # noqa: E402
from benchmarks.samples import records  # noqa: E402
from stream.connect import connect  # noqa: E402
from stream.topic import Log, samples_of  # noqa: E402
from tools.kafka import Broker  # noqa: E402

PARTS = ("sqlite", "kafka")
PARTITIONS = 2
AIM = 1.6
PATIENCE = 120.0
SETTINGS = "[kafka]\nsession_timeout_ms = 1500000\n"
"""A place is kept while all others are measured."""
_HAS = re.compile(r"worker=(\d+) partitions=\[\d")


def main() -> None:
    """Measure the parts that are asked for and print what came of them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--samples", type=int, default=200_000)
    parser.add_argument("--model", default="hoeffding-tree")
    asked = parser.parse_args()
    parts = asked.parts or PARTS
    if strange := set(parts) - set(PARTS):
        parser.error(f"no such parts: {', '.join(strange)}; there are {', '.join(PARTS)}")
    values = list(islice(records(), asked.samples))
    folder = ROOT / ".cache" / "bench"  # not the system's, where a disk may be memory
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as place:
        (Path(place) / "driftline.toml").write_text(SETTINGS)
        if "sqlite" in parts:
            _measure(f"sqlite:{place}/workers.db", Path(place), asked, values)
        if "kafka" in parts:
            with Broker() as broker:
                _measure(f"kafka://{broker.address}/workers", Path(place), asked, values)


def _measure(url: str, folder: Path, asked: argparse.Namespace, values: list[bytes]) -> None:
    bench = _Bench(url, folder, asked.model)
    kind = url.partition(":")[0]
    with contextlib.closing(connect(url)) as log:
        log.create(samples_of(log.stream), partitions=PARTITIONS)
        if kind == "kafka":
            for number in range(asked.rounds + 1):
                _say(f"giving two workers their places, {number + 1} of {asked.rounds + 1}")
                bench.sit(f"two-{number}")
        _fill(log, values)
    name = f"{asked.model}: two workers / one, {kind}"
    pair = compare(
        Pair(name, len(values), AIM), bench.one, bench.two, rounds=asked.rounds, say=_say
    )
    it = pair.as_dict()
    print(
        f"{it['name']}: min {it['min']:.2f}, median {it['median']:.2f}, max {it['max']:.2f} "
        f"(aim ≥ {it['aim']:.2f}); {it['ours_per_second']:,.0f} / "
        f"{it['bare_per_second']:,.0f} a second",
        flush=True,
    )


def _fill(log: Log, values: Iterable[bytes]) -> None:
    writer, topic = log.writer("fill"), samples_of(log.stream)
    for number, value in enumerate(values):
        writer.append(topic, value, partition=number % PARTITIONS)
        if number % 20_000 == 19_999:
            writer.commit()
    writer.commit()
    writer.close()


class _Bench:
    """Runs of one stream; each of a name of its own, so that each begins anew."""

    def __init__(self, url: str, folder: Path, model: str) -> None:
        self._url, self._folder, self._model = url, folder, model
        self._runs = {1: 0, 2: 0}

    def one(self) -> Took:
        """Learn it all with one process."""
        return self._run(1, "one")

    def two(self) -> Took:
        """Learn it all with two."""
        return self._run(2, "two")

    def _command(self, name: str, workers: int) -> list[str]:
        how = ("--stream", self._url, "--name", name, "--model", self._model)
        more = ("--workers", str(workers), "--state", str(self._folder / "state"))
        return [sys.executable, "-m", "driftline", "learn", *how, *more, "--json"]

    def _run(self, workers: int, word: str) -> Took:
        command = [*self._command(f"{word}-{self._runs[workers]}", workers), "--until-end"]
        self._runs[workers] += 1
        done = subprocess.run(
            command,
            cwd=self._folder,
            env=_environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            check=True,
        )
        summary = json.loads(done.stdout)
        # Another process's time of the CPU is not ours to see.
        return Took(summary["seconds"], 0.0, summary["accuracy"])

    def sit(self, name: str) -> None:
        """Let two workers of a name join the group, and leave places they can take again."""
        said = self._folder / "said"
        with said.open("wb") as err:
            started = subprocess.Popen(
                self._command(name, 2),
                cwd=self._folder,
                env=_environment(),
                stdout=subprocess.DEVNULL,
                stderr=err,
            )
            deadline = time.monotonic() + PATIENCE
            while len(set(_HAS.findall(_last(said.read_text())))) < PARTITIONS:
                if started.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit(said.read_text())
                time.sleep(0.1)
            started.send_signal(signal.SIGTERM)
            started.wait()


def _last(said: str) -> str:
    """Return the lines since somebody last had both partitions."""
    return re.split(r"partitions=\[0, 1\] of 2", said)[-1]


def _environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
