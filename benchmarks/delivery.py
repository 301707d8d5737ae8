"""Measure what exactly-once costs on Kafka, and how long a sample waits for its prediction.

    python benchmarks/delivery.py
    python benchmarks/delivery.py latency --seconds 60

The rates are those of two learners that take turns, one exactly once and one at least once.
For the wait a learner is a process of its own; samples come at a steady rate, and the time is
taken from just before one is written to when its prediction can be read.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks import throughput  # noqa: E402
from benchmarks.pairs import Pair, compare  # noqa: E402
from benchmarks.samples import fill, records  # noqa: E402
from stream.connect import connect  # noqa: E402
from stream.errors import TopicMissing  # noqa: E402
from stream.kafka import KafkaLog  # noqa: E402
from stream.topic import Log, samples_of, topic_of  # noqa: E402
from tools.kafka import Broker  # noqa: E402

PARTS = ("ratio", "latency")
MODELS = {"logistic": "scaler + logistic", "tree": "Hoeffding tree"}
RATIO_AIM, WAIT_AIM = 0.85, 0.100
TICK = 0.01
"""Seconds between two commits of the samples."""
WARM = 3.0
"""Seconds at first that do not count."""


def main() -> None:
    """Measure the parts that are asked for and print what came of them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--samples", type=int, default=100_000)
    parser.add_argument("--rate", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=20.0)
    asked = parser.parse_args()
    parts = asked.parts or PARTS
    folder = ROOT / ".cache" / "bench"  # not the system's, where a disk may be memory
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as place, Broker() as broker:
        if "ratio" in parts:
            for name in MODELS:
                _print(_ratio(name, broker.address, Path(place), asked.samples, asked.rounds))
        if "latency" in parts:
            for url in (f"sqlite:{place}/wait.db", f"kafka://{broker.address}/wait"):
                waits = _waits(url, Path(place), asked.rate, asked.seconds)
                cuts = statistics.quantiles(waits, n=100)
                print(
                    f"{url.partition(':')[0]}: arrival to readable at {asked.rate}/s, "
                    f"{len(waits)} samples: p50 {cuts[49] * 1000:.1f} ms, "
                    f"p99 {cuts[98] * 1000:.1f} ms (aim ≤ {WAIT_AIM * 1000:.0f} ms), "
                    f"longest {max(waits) * 1000:.1f} ms",
                    flush=True,
                )


def _ratio(model: str, address: str, folder: Path, samples: int, rounds: int) -> Pair:
    """Return the two ways of delivery, in turns on the same samples."""
    with contextlib.closing(KafkaLog([address], f"ratio-{model}")) as log:
        fill(log, list(islice(records(), samples)))
        ways = [
            throughput.driftline_on(log, model, folder / f"{model}-{way}", delivery=way)
            for way in ("at-least-once", "exactly-once")
        ]
        name = f"{MODELS[model]}: exactly once / at least once, turns of {throughput.TURN:,}"
        return compare(Pair(name, samples, RATIO_AIM), *ways, rounds=rounds, say=_say)


def _print(pair: Pair) -> None:
    it = pair.as_dict()
    print(
        f"{it['name']}: min {it['min']:.2f}, median {it['median']:.2f}, max {it['max']:.2f} "
        f"(aim ≥ {it['aim']:.2f}), of CPU {it['cpu_median']:.2f}; "
        f"{it['ours_per_second']:,.0f} / {it['bare_per_second']:,.0f} a second",
        flush=True,
    )


def _waits(url: str, folder: Path, rate: int, seconds: float) -> list[float]:
    """Return how long each sample waited for its prediction, in seconds."""
    # The threads that write, read and speak to the broker have their turns at once.
    sys.setswitchinterval(0.0005)
    sent: dict[int, float] = {}
    with contextlib.closing(connect(url)) as log, contextlib.closing(connect(url)) as other:
        log.create(samples_of(log.stream), partitions=1)
        with _learner(url, folder):
            predictions = _appears(other)
            feeding = threading.Thread(target=_feed, args=(log, rate, seconds, sent))
            feeding.start()
            found = _read(other, predictions, lambda: feeding.is_alive())
            feeding.join()
    begun = min(sent.values()) + WARM
    return [found[id_] - at for id_, at in sent.items() if at > begun and id_ in found]


@contextlib.contextmanager
def _learner(url: str, folder: Path) -> Iterator[None]:
    how = ("--stream", url, "--state", str(folder / "wait"), "--answer", "all")
    command = [sys.executable, "-m", "driftline", "learn", *how]
    learner = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        learner.terminate()
        learner.wait()


def _appears(log: Log) -> str:
    """Return the name of the topic of predictions once a learner has made it."""
    name = topic_of(log.stream, "main", "predictions")
    while True:
        with contextlib.suppress(TopicMissing):
            log.topic(name)
            time.sleep(2)  # it has its place in the group as well
            return name
        time.sleep(0.1)


def _feed(log: Log, rate: int, seconds: float, sent: dict[int, float]) -> None:
    writer, topic = log.writer("feed", atomic=False), samples_of(log.stream)
    values = records()
    begun = time.monotonic()
    while (now := time.monotonic()) < begun + seconds:
        for id_ in range(len(sent), round((now - begun) * rate)):
            sent[id_] = now
            writer.append(topic, next(values), partition=0)
        writer.commit()
        time.sleep(max(0.0, now + TICK - time.monotonic()))


def _read(log: Log, name: str, more: Callable[[], bool]) -> dict[int, float]:
    """Return when the prediction of each sample could be read."""
    topic, found, going = log.topic(name), {}, True
    cursor = topic.first()
    while going:
        going = more()
        while batches := topic.read(cursor, limit=10_000, wait=0.5):
            now = time.monotonic()
            for batch in batches:
                cursor[batch.partition] = batch.next
                for _, value in batch.entries:
                    found[int(json.loads(value)["id"])] = now
    return found


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
