"""Measure the numbers that README reports: how driftline does beside bare loops.

    python benchmarks/run.py
    python benchmarks/run.py sqlite kafka --models tree --rounds 9
    python benchmarks/run.py --json > bench.json

Without a part it measures everything, in some minutes.
"""

from __future__ import annotations

import argparse
import functools
import json
import platform
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks import breakdown, memory, quix, refused, startup, throughput  # noqa: E402
from benchmarks.pairs import Pair, Took, compare  # noqa: E402
from benchmarks.samples import fill, records  # noqa: E402
from stream.kafka import KafkaLog  # noqa: E402
from stream.sqlite import SqliteLog  # noqa: E402
from stream.topic import Retention, samples_of  # noqa: E402
from tools.kafka import Broker, BrokerError  # noqa: E402

DELIVERIES = ("at-least-once", "exactly-once")
PARTS = ("sqlite", "sgd", "refused", "kafka", "quix", "profile", "startup", "memory")
MODELS = ("logistic", "tree")
NAMES = {
    "logistic": "scaler + logistic",
    "tree": "Hoeffding tree",
    "sgd": "SGD, grains of 1,000",
}
SQLITE_AIMS = {"logistic": 0.80, "tree": 0.90}
KAFKA_AIM, SGD_AIM = 0.90, 0.50
GROWTH_AIM, STARTUP_AIM = 0.05, 0.3
STREAM = "bench"


def main() -> None:
    """Measure the parts that are asked for and print what came of them."""
    asked = _arguments()
    folder = ROOT / ".cache" / "bench"  # not the system's, where a disk may be memory
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as place:
        report = _Bench(asked, Path(place)).run()
    if asked.json:
        print(json.dumps(report))
    else:
        _print(report)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}")
    parser.add_argument("--models", default=",".join(MODELS), help="of logistic, tree")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--samples", type=int, default=100_000)
    parser.add_argument("--memory-samples", type=int, default=memory.SAMPLES)
    parser.add_argument("--json", action="store_true", help="print one line of JSON instead")
    asked = parser.parse_args()
    asked.parts = asked.parts or list(PARTS)
    asked.models = asked.models.split(",")
    for name, known in (("parts", PARTS), ("models", MODELS)):
        if strange := set(getattr(asked, name)) - set(known):
            parser.error(f"no such {name}: {', '.join(strange)}; there are {', '.join(known)}")
    return asked


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


class _Bench:
    """One run: what is asked for, and what it needs, made once."""

    def __init__(self, asked: argparse.Namespace, folder: Path) -> None:
        self._asked, self._folder = asked, folder
        self._pairs: list[Pair] = []
        self._report: dict[str, Any] = {"machine": f"{platform.machine()}, {_cpus()} CPUs"}
        self._values: list[bytes] = []

    def run(self) -> dict[str, Any]:
        """Measure, in the order of `PARTS`; return the report."""
        parts = self._asked.parts
        if set(parts) - {"startup", "memory"}:
            _say(f"generating {self._asked.samples:,} samples")
            self._values = list(islice(records(), self._asked.samples))
        if {"sqlite", "sgd", "profile"} & set(parts):
            self._on_sqlite(parts)
        if {"kafka", "quix"} & set(parts):
            self._on_kafka(parts)
        if "startup" in parts:
            self._report["startup"] = startup.measure() | {"aim": STARTUP_AIM}
        if "memory" in parts:
            _say(f"memory: {self._asked.memory_samples:,} samples, this takes its time")
            found = memory.measure(self._folder, self._asked.memory_samples)
            self._report["memory"] = found | {"aim": GROWTH_AIM}
        self._report["pairs"] = [pair.as_dict() for pair in self._pairs]
        if "refused" in parts:
            self._report["pairs"] += refused.measure(
                self._folder, self._values, rounds=self._asked.rounds, say=_say
            )
        return self._report

    def _on_sqlite(self, parts: list[str]) -> None:
        path = self._folder / "bench.db"
        log = SqliteLog(path)
        fill(log, self._values)
        state = self._folder / "state"
        for model in self._asked.models if "sqlite" in parts else ():
            bare = throughput.bare_river(model, self._values)
            ours = throughput.driftline_on(log, model, state)
            self._compare(
                f"{NAMES[model]}: SQLite / River in memory", SQLITE_AIMS[model], bare, ours
            )
        if "sgd" in parts:
            bare = throughput.bare_sgd(self._values)
            ours = throughput.driftline_on(log, "sgd", state)
            self._compare(
                f"{NAMES['sgd']}: SQLite / scikit-learn in memory", SGD_AIM, bare, ours
            )
        log.close()
        if "profile" in parts:
            models = (*self._asked.models, "sgd")
            self._report["profile"] = {m: breakdown.measure(m, path) for m in models}

    def _on_kafka(self, parts: list[str]) -> None:
        try:
            with _broker() as address:
                log = KafkaLog([address], STREAM)
                topic = samples_of(STREAM)
                fill(log, self._values)
                for name in (f"{topic}.bare", f"{topic}.quix"):
                    log.create(name, partitions=1, retention=Retention())
                for model in self._asked.models:
                    self._kafka_model(parts, model, log, address, topic)
                log.close()
        except BrokerError as error:
            _say(f"Kafka is left out: {error}")

    def _kafka_model(
        self, parts: list[str], model: str, log: KafkaLog, address: str, topic: str
    ) -> None:
        n, folder = len(self._values), self._folder / f"state-{STREAM}"
        # Nothing that it is measured beside does more.
        ours = {
            way: throughput.driftline_on(log, model, folder, delivery=way) for way in DELIVERIES
        }
        if "kafka" in parts:
            bare = throughput.bare_kafka(model, address, topic, n)
            once = ours["at-least-once"]
            self._compare(f"{NAMES[model]}: Kafka / kafka-python", KAFKA_AIM, bare, once)
        if "quix" in parts:
            if why := quix.install():
                _say(f"Quix Streams is left out, it cannot be installed: {why}")
                return
            for way in DELIVERIES:
                theirs = functools.partial(quix.run, model, address, topic, n, delivery=way)
                self._compare(
                    f"{NAMES[model]}: Kafka / Quix Streams, {way}",
                    None,
                    lambda run=theirs: Took(**run()),
                    ours[way],
                )

    def _compare(
        self, name: str, aim: float | None, bare: Callable[[], Took], ours: Callable[[], Took]
    ) -> None:
        pair = Pair(name, len(self._values), aim)
        self._pairs.append(compare(pair, bare, ours, rounds=self._asked.rounds, say=_say))


@contextmanager
def _broker() -> Iterator[str]:
    _say("starting Kafka")
    with Broker() as broker:
        yield broker.address


def _cpus() -> int:
    import os

    return os.cpu_count() or 0


def _print(report: dict[str, Any]) -> None:
    print(f"{report['machine']}, Python {platform.python_version()}\n")
    if report["pairs"]:
        print(f"{'ratio of rates':<54} {'min':>5} {'median':>7} {'max':>5} {'CPU':>5}  aim")
    for pair in report["pairs"]:
        aim = "–" if pair["aim"] is None else f"≥ {pair['aim']:.2f}"
        print(
            f"{pair['name']:<54} {pair['min']:5.2f} {pair['median']:7.2f} {pair['max']:5.2f} "
            f"{pair['cpu_median']:5.2f}  {aim}   "
            f"{pair['ours_per_second']:,.0f} / {pair['bare_per_second']:,.0f} a second"
        )
    if profile := report.get("profile"):
        print(f"\n{'µs a sample on SQLite':<22}" + "".join(f"{n:>12}" for n in breakdown.PARTS))
        for model, spent in profile.items():
            cells = "".join(f"{spent[name]:12.2f}" for name in breakdown.PARTS)
            print(f"{NAMES[model]:<22}{cells}")
    if start := report.get("startup"):
        print(
            f"\ndriftline --help: {start['help']:.3f} s (aim < {start['aim']} s; "
            f"Python alone {start['nothing']:.3f} s)"
        )
    if size := report.get("memory"):
        print(
            f"\n{size['samples']:,} samples, logistic, SQLite with retention: resident "
            f"{size['early_mib']:.1f} MiB after {memory.EARLY:,}, {size['end_mib']:.1f} MiB at "
            f"the end, growth {size['growth']:+.1%} (aim ≤ {size['aim']:.0%}); at most "
            f"{size['most_mib']:.1f} MiB; file {size['file_mib']:.0f} MiB"
        )


if __name__ == "__main__":
    main()
