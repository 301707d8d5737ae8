"""What each policy costs beside `none`: time per sample, and memory at the end.

    python -m benchmarks.policies
    python -m benchmarks.policies --rounds 5 --samples 10000 --json

The stream is Agrawal's, whose rule changes twice; ADWIN watches where a policy listens, as
it does by default. Each policy takes turns with `none`, and the ratio is that of
neighbours in time. Memory is what a learner takes up that was loaded from its own pickle.
"""

from __future__ import annotations

import argparse
import gc
import json
import pickle
import statistics
import sys
import time
import tracemalloc
from collections.abc import Collection
from typing import Any

from river.datasets import synth

from benchmarks.pairs import calm
from learner.config import Config
from learner.hot import one_thread
from learner.learner import Learner
from learner.policies.table import POLICIES
from stream.errors import SettingError
from stream.records import Record, encode
from stream.topic import Batch

TURN = 2000
RULES = (0, 3, 0)
MODELS: dict[str, dict[str, Any]] = {
    "logistic": {"model": "logistic"},
    "hoeffding-tree": {"model": "hoeffding-tree"},
    "sgd": {
        "model": {
            "class": "sklearn.linear_model.SGDClassifier",
            "learning_rate": "constant",
            "eta0": 0.01,
        },
        "classes": (0, 1),
    },
}
MORE: dict[str, dict[str, Any]] = {
    "none, ADWIN watches": {"policy": "none", "detector": "adwin"},
    "none, 9 inputs watched": {"policy": "none", "watch_inputs": 9},
    "refit-window, every 1,000": {"policy": {"name": "refit-window", "every": 1000}},
    "refit-all, every 1,000": {"policy": {"name": "refit-all", "every": 1000}},
    "champion and 2 challengers": {
        "policy": "none",
        "challengers": (
            {"name": "starts-over", "policy": "reset"},
            {"name": "replays", "policy": "replay"},
        ),
        "promotion": "rule",
    },
}
"""What is measured besides every policy as it comes."""
WANTED = {name: {"policy": name} for name in POLICIES if name != "none"} | MORE


def batches(samples: int) -> list[Batch]:
    """Return the stream in turns."""
    parts = [
        synth.Agrawal(classification_function=rule, seed=42 + number).take(samples // 3)
        for number, rule in enumerate(RULES)
    ]
    pairs = [pair for part in parts for pair in part]
    values = [
        (i, encode(Record(id=i, ts=1.7e9 + i, x=x, y=y))) for i, (x, y) in enumerate(pairs)
    ]
    return [
        Batch(0, values[i : i + TURN], min(i + TURN, len(values)))
        for i in range(0, len(values), TURN)
    ]


def run(settings: dict[str, Any], stream: list[Batch]) -> tuple[float, Learner]:
    """Learn the stream; return the seconds of processor time, and the learner."""
    learner = Learner(Config(**settings), 0, 0)
    with calm(), one_thread(learner.policy.model):
        began = time.process_time()
        for batch in stream:
            learner.learn(batch)
        return time.process_time() - began, learner


def size(learner: Learner) -> int:
    """Return the bytes that a learner takes up in memory, by what its copy allocates."""
    pickled = pickle.dumps(learner)
    gc.collect()
    tracemalloc.start()
    try:
        copy = pickle.loads(pickled)
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    del copy
    return taken


def measure(
    model: str, samples: int, rounds: int, policies: Collection[str]
) -> list[dict[str, Any]]:
    """Return the cost of each of some policies that makes sense with a model."""
    stream, base = batches(samples), MODELS[model]
    wanted = {name: more for name, more in WANTED.items() if name in policies}
    none = base | {"policy": "none"}
    _, plain = run(none, stream)
    rows = []
    for name, more in wanted.items():
        try:
            _, learner = run(base | more, stream)
        except SettingError:
            continue
        ratios = []
        for _ in range(rounds):
            alone, _ = run(none, stream)
            ratios.append(run(base | more, stream)[0] / alone)
        totals = learner.totals
        rows.append(
            {
                "model": model,
                "policy": name,
                "time": statistics.median(ratios),
                "memory": size(learner) / size(plain),
                "kib": size(learner) / 1024,
                "accuracy": totals.correct / totals.scored,
                "did": {"reset": totals.resets} | totals.actions,
            }
        )
        print(f"{model}, {name}: {rows[-1]['time']:.2f}", file=sys.stderr)
    return rows


def main() -> None:
    """Measure every policy with every model, and print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=21_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--models", nargs="+", default=list(MODELS), choices=MODELS)
    parser.add_argument("--policies", nargs="+", default=list(WANTED), choices=WANTED)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    rows = [
        row
        for model in asked.models
        for row in measure(model, asked.samples, asked.rounds, asked.policies)
    ]
    if asked.json:
        print(json.dumps(rows))
        return
    print("| model | policy | time | memory | KiB | did |")
    print("| --- | --- | --- | --- | --- | --- |")
    for row in rows:
        did = ", ".join(f"{count} {kind}" for kind, count in row["did"].items() if count)
        print(
            f"| {row['model']} | {row['policy']} | {row['time']:.2f} | {row['memory']:.1f} "
            f"| {row['kib']:,.0f} | {did or '–'} |"
        )


if __name__ == "__main__":
    main()
