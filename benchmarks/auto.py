"""How much worse `auto` is than whatever fixed policy turns out best, stream by stream.

    python benchmarks/auto.py
    python benchmarks/auto.py --samples 2000 --seeds 1 --streams hyperplane,bananas

Each stream is met by each model in each fixed way, and by `auto`. Regret is the accuracy, in
points, of the best fixed way for a stream and model, less that of `auto`. The fixed ways start
over at the alarm of a detector, by turns, or never; those with one history share a model,
which changes no guess. Ways were chosen, and numbers set, on the streams without a star alone.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import time
import warnings
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from learner.drift import Watch  # noqa: E402
from learner.policies.auto import Auto  # noqa: E402
from learner.policies.policy import Maker  # noqa: E402
from producer.sources.table import open_source  # noqa: E402

MODELS = ("logistic", "naive-bayes", "hoeffding-tree")
FIXED: dict[str, Any] = {
    "none": None,
    "reset adwin": "adwin",
    "reset adwin 0.05": {"class": "river.drift.ADWIN", "delta": 0.05},
    "reset ddm": "ddm",
    "reset hddm-w": "hddm-w",
    "reset eddm": "eddm",
    "window 500": 500,
    "window 2000": 2000,
}
"""Fixed ways: the detector at whose alarm a model starts over, or how many samples it learns.

A window keeps two models, and serves the older: it has learned between so many samples and
twice as many.
"""


class Stream(NamedTuple):
    """A stream: its source, its drifts in thousandths of its length, and how it is read."""

    source: str
    drifts: tuple[str, ...] = ()
    tuned: bool = False
    real: str = ""
    """Of rows that are there: file, for their order in seed 1, else mixed; sorted; passes."""
    many: bool = False
    """Whether there are more than two classes."""


STREAMS = {
    "agrawal-abrupt": Stream("synth:Agrawal(perturbation=0.05)", ("abrupt@500",), tuned=True),
    "sine-recurring": Stream(
        "synth:Sine(has_noise=True)",
        ("abrupt@250", "recurring@500", "abrupt@750"),
        tuned=True,
    ),
    "hyperplane": Stream("synth:Hyperplane(n_drift_features=5, mag_change=0.01)", tuned=True),
    "bananas": Stream("river:Bananas", real="file", tuned=True),
    "persistent": Stream("synth:Persistent(noise=2.0)", tuned=True),
    "agrawal-gradual": Stream(
        "synth:Agrawal(classification_function=2, perturbation=0.05)",
        ("gradual@300+200", "gradual@700+200"),
    ),
    "agrawal-none": Stream("synth:Agrawal(classification_function=1)"),
    "sea-abrupt": Stream("synth:SEA(noise=0.1)", ("abrupt@300", "abrupt@600")),
    "stagger-recurring": Stream(
        "synth:STAGGER", ("abrupt@200", "abrupt@400", "recurring@600", "abrupt@800")
    ),
    "mixed-gradual": Stream("synth:Mixed", ("gradual@400+100", "recurring@700+100")),
    "rbf-drift": Stream(
        "synth:RandomRBFDrift(n_classes=4, change_speed=0.002, n_drift_centroids=50)", many=True
    ),
    "random-tree": Stream("synth:RandomTree(n_cat_features=0)"),
    "led": Stream("synth:LED(noise_percentage=0.1, irrelevant_features=True)", many=True),
    "persistent-noisy": Stream("synth:Persistent"),
    "phishing": Stream("river:Phishing", real="file"),
    "segments": Stream("river:ImageSegments", real="file", many=True),
    "segments-blocks": Stream("river:ImageSegments", real="sorted", many=True),
    "shuttle": Stream("river:Shuttle", real="file"),
    "digits": Stream("sklearn:digits", real="passes", many=True),
}


def pairs(stream: Stream, seed: int, n: int) -> list[tuple[dict[str, Any], Any]]:
    """Return the first `n` samples of a stream."""
    drifts = []
    for drift in stream.drifts:
        kind, _, places = drift.partition("@")
        scaled = "+".join(str(int(part) * n // 1000) for part in places.split("+"))
        drifts.append(f"{kind}@{scaled}")
    source = open_source(stream.source, drifts=drifts, seed=seed)
    if not stream.real:
        return [(dict(x), y) for x, y in islice(source.rows(), n)]
    rows: list[Any] = [*source.rows()]
    chance = random.Random(seed)
    if stream.real != "file" or seed > 1:
        chance.shuffle(rows)
    if stream.real == "sorted":
        rows.sort(key=lambda row: str(row[1]))
    if stream.real == "passes":
        rows = [
            row for _ in range(-(-n // len(rows))) for row in chance.sample(rows, len(rows))
        ]
    return rows[:n]


class Way:
    """A fixed way: what it watches, and the model it has at the moment."""

    def __init__(self, spec: Any, model: Any) -> None:
        self.model, self.young, self.right = model, model, 0
        self.turn = spec if isinstance(spec, int) else None
        self.watch = None
        if spec is not None and self.turn is None:
            self.watch = Watch(spec, task="classification", direction="worse", seed=1)


def fixed(make: Maker, samples: list[tuple[Any, Any]]) -> dict[str, float]:
    """Return the accuracy of every fixed way, in points."""
    model = make()
    ways = {name: Way(spec, model) for name, spec in FIXED.items()}
    for n, (x, y) in enumerate(samples):
        for way in ways.values():
            if way.turn and n and n % way.turn == 0:
                way.model, way.young = way.young, make()
        guesses = {id(w.model): w.model.guess(x)[0] for w in _apart(ways.values())}
        fresh = None
        for way in ways.values():
            guess = guesses[id(way.model)]
            way.right += guess == y
            if way.watch is None or guess is None:
                continue
            alarm = way.watch.observe(float(guess != y))
            if alarm is not None and alarm[0] == "drift":
                fresh = fresh or make()
                way.model = way.young = fresh
        models = {id(m): m for way in ways.values() for m in (way.model, way.young)}
        for each in models.values():
            each.learn_one(x, y)
    return {name: 100 * way.right / len(samples) for name, way in ways.items()}


def _apart(ways: Any) -> Iterator[Way]:
    """Yield one way for each model there is."""
    yield from {id(way.model): way for way in ways}.values()


class Result(NamedTuple):
    """What `auto` came to: accuracy in points, models at work on average, seconds, switches."""

    accuracy: float
    models: float
    seconds: float
    switches: int
    arms: dict[str, float]


def auto(make: Maker, samples: list[tuple[Any, Any]]) -> Result:
    """Let `auto` meet the samples."""
    policy = Auto(make)
    model = policy.model
    right = models = switches = 0
    began = time.process_time()
    for x, y in samples:
        right += model.guess(x)[0] == y
        model.learn_one(x, y)
        models += model.at_work
        if policy.said:
            switches += sum(kind == "switch" for kind, _ in policy.told())
    seconds = time.process_time() - began
    n = len(samples)
    arms = {name: 100 * it.correct / max(it.scored, 1) for name, it in policy.arms.items()}
    return Result(100 * right / n, models / n, seconds, switches, arms)


def alone(make: Maker, samples: list[tuple[Any, Any]]) -> float:
    """Return the seconds that one model takes by itself."""
    model = make()
    began = time.process_time()
    for x, y in samples:
        model.guess(x)
        model.learn_one(x, y)
    return time.process_time() - began


def main() -> None:
    """Measure, and say one line for each stream and model, and the sums."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=6000)
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--streams", default=",".join(STREAMS))
    parser.add_argument("--models", default=",".join(MODELS))
    parser.add_argument("--json", type=Path, help="write every figure here, as it comes")
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    rows = []
    for name in asked.streams.split(","):
        for model in asked.models.split(","):
            found = [
                _row(name, model, int(seed), asked.samples) for seed in asked.seeds.split(",")
            ]
            rows.append(_mean(found))
            print(_line(rows[-1]), flush=True)
            if asked.json:
                asked.json.write_text(json.dumps(rows))
    print(_sums("all", rows))
    if untouched := [row for row in rows if not STREAMS[row["stream"]].tuned]:
        print(_sums("untouched", untouched))


def _row(name: str, model: str, seed: int, n: int) -> dict[str, Any]:
    stream = STREAMS[name]
    preset = "softmax" if model == "logistic" and stream.many else model
    make = Maker(model=preset, seed=1, classes=None, scaling=None, grain=None)
    samples = pairs(stream, seed, n)
    if not stream.many:
        samples = [(x, bool(y)) for x, y in samples]
    ways, found, once = fixed(make, samples), auto(make, samples), alone(make, samples)
    return {
        "fixed": ways,
        "auto": found.accuracy,
        "models": found.models,
        "cost": found.seconds / once,
        "switches": found.switches,
        "stream": name,
        "model": model,
    }


def _mean(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a pair's figures over its seeds."""
    means = {
        name: statistics.fmean(each[name] for each in found)
        for name in ("auto", "models", "cost", "switches")
    }
    ways = {way: statistics.fmean(each["fixed"][way] for each in found) for way in FIXED}
    return {**found[0], **means, "fixed": ways}


def _line(row: dict[str, Any]) -> str:
    best = max(row["fixed"], key=row["fixed"].get)
    star = "" if STREAMS[row["stream"]].tuned else "*"
    return (
        f"{row['stream'] + star:18} {row['model']:14} none {row['fixed']['none']:5.1f}  best "
        f"{row['fixed'][best]:5.1f} ({best})  auto {row['auto']:5.1f}  regret "
        f"{row['fixed'][best] - row['auto']:+.2f}  models {row['models']:.1f}  cost "
        f"{row['cost']:.1f}"
    )


def _sums(what: str, rows: list[dict[str, Any]]) -> str:
    average = {way: statistics.fmean(row["fixed"][way] for row in rows) for way in FIXED}
    single = max(average, key=average.__getitem__)
    regrets = [max(row["fixed"].values()) - row["auto"] for row in rows]
    ahead = statistics.fmean(row["auto"] for row in rows) - average[single]
    cost = statistics.geometric_mean(row["cost"] for row in rows)
    models = statistics.fmean(row["models"] for row in rows)
    return (
        f"{what}: {len(rows)} pairs, regret {statistics.fmean(regrets):+.2f} on average and "
        f"{max(regrets):+.2f} at worst; ahead of the best single way ({single}) by "
        f"{ahead:+.2f}; "
        f"{models:.1f} models at work, {cost:.1f} times the time of one"
    )


if __name__ == "__main__":
    main()
