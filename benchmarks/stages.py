"""Follow samples from their arrival to a prediction that can be read, stage by stage.

    python benchmarks/stages.py
    python benchmarks/stages.py --seconds 60 --turn-seconds 0.02

Reads as `benchmarks/delivery.py latency` does on Kafka, with a learner that notes when it
does what. `arrival to turn` is from before a sample is written to when its turn is complete;
`commit to readable` from the end of a commit to when its predictions are read. The parts of a
commit are those of one transaction: records stored, cursors moved, its end.
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
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks import delivery  # noqa: E402
from stream.connect import connect  # noqa: E402
from stream.topic import samples_of  # noqa: E402
from tools.kafka import Broker  # noqa: E402

PARTS = {
    "records stored": "flush",
    "cursors moved": "send_offsets_to_transaction",
    "transaction ended": "commit_transaction",
}


def main() -> None:
    """Measure, and print the median and the 99th percentile of each stage in milliseconds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rate", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--turn-seconds", type=float, default=0.01)
    parser.add_argument("--learner", nargs=2, metavar=("URL", "NOTES"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.learner:
        _learn(*asked.learner, asked.turn_seconds)
        return
    folder = ROOT / ".cache" / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as place, Broker() as broker:
        notes = Path(place) / "notes"
        url = f"kafka://{broker.address}/stages"
        stages = _stages(url, notes, asked.rate, asked.seconds, asked.turn_seconds)
    for name, seconds in stages.items():
        cuts = statistics.quantiles(seconds, n=100)
        print(f"{name:20} p50 {cuts[49] * 1000:7.1f} ms, p99 {cuts[98] * 1000:7.1f} ms")


def _stages(
    url: str, notes: Path, rate: int, seconds: float, turn_seconds: float
) -> dict[str, list[float]]:
    """Return how long each stage took, in seconds, by its name."""
    sys.setswitchinterval(0.0005)
    sent: dict[int, float] = {}
    with contextlib.closing(connect(url)) as log, contextlib.closing(connect(url)) as other:
        log.create(samples_of(log.stream), partitions=1)
        with _learner(url, notes, turn_seconds):
            predictions = delivery._appears(other)
            feeding = threading.Thread(target=delivery._feed, args=(log, rate, seconds, sent))
            feeding.start()
            found = delivery._read(other, predictions, feeding.is_alive)
            feeding.join()
    begun = min(sent.values()) + delivery.WARM
    stages: dict[str, list[float]] = defaultdict(list)
    for turn in map(json.loads, notes.read_text().splitlines()):
        for id_ in range(turn["first"], turn["last"] + 1):
            if sent.get(id_, 0.0) > begun and id_ in found:
                stages["arrival to turn"].append(turn["taken"] - sent[id_])
                stages["commit to readable"].append(found[id_] - turn["over"])
                stages["all of it"].append(found[id_] - sent[id_])
        if turn["taken"] > begun:
            stages["turn to commit"].append(turn["commit"] - turn["taken"])
            stages["commit"].append(turn["over"] - turn["commit"])
            for name in PARTS:
                stages[f"  {name}"].append(turn[name])
    return stages


@contextlib.contextmanager
def _learner(url: str, notes: Path, turn_seconds: float) -> Iterator[None]:
    command = [sys.executable, __file__, "--learner", url, str(notes)]
    command += ["--turn-seconds", str(turn_seconds)]
    learner = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        learner.terminate()
        learner.wait()


def _learn(url: str, notes: str, turn_seconds: float) -> None:
    """Be the learner, and note each turn as a line of JSON."""
    from kafka import KafkaProducer

    from driftline.__main__ import main
    from learner.commits import Commits
    from learner.work import Work

    turn: dict[str, Any] = {}
    under_way: dict[str, Any] = {}
    take, start, commit = Work._turn, Commits.start, Commits._commit

    def taken(self: Any, batches: Any) -> None:
        ids = [json.loads(value)["id"] for batch in batches for _, value in batch.entries]
        turn.update(
            taken=time.monotonic(), first=min(ids, default=0), last=max(ids, default=-1)
        )
        take(self, batches)

    def started(self: Any, *args: Any) -> None:
        under_way.clear()
        under_way.update(turn, commit=time.monotonic())
        start(self, *args)

    def committed(self: Any, cursors: Any) -> None:
        commit(self, cursors)
        with Path(notes).open("a") as file:
            file.write(json.dumps(under_way | {"over": time.monotonic()}) + "\n")

    def timed(name: str, method: str) -> None:
        original = getattr(KafkaProducer, method)

        def call(*args: Any, **how: Any) -> Any:
            began = time.monotonic()
            found = original(*args, **how)
            under_way[name] = time.monotonic() - began
            return found

        setattr(KafkaProducer, method, call)

    Work._turn, Commits.start, Commits._commit = taken, started, committed  # type: ignore
    for name, method in PARTS.items():
        timed(name, method)
    state = str(Path(notes).parent / "state")
    how = ["--stream", url, "--state", state, "--answer", "all"]
    sys.argv = ["driftline", "learn", *how, "--turn-seconds", str(turn_seconds)]
    main()


if __name__ == "__main__":
    main()
