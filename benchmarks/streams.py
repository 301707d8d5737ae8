"""Every policy with several models over streams of many kinds: which one to choose, and when.

    python benchmarks/streams.py
    python benchmarks/streams.py --samples 5000 --streams agrawal-abrupt,phishing --json
    python benchmarks/streams.py --streams further

Accuracy by stream, model and policy: the mean over the seeds, and the standard deviation.
A seed is that of the generator and of the model; of a data set that is not drawn, of the model
alone. What each policy comes to over all streams stands below: how far it is behind the best
one of each stream and model, in points, on average and at worst, and its time beside `none`.

What was tuned was tuned on the streams without a star alone, and with other seeds. The further
ones were chosen when all else was done; rbf and random-tree, each with a Hoeffding tree, had
`auto` give replaying a longer trial then.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from driftline.compare.board import Board, text_of  # noqa: E402
from driftline.compare.contest import Contest, entries, hold  # noqa: E402
from driftline.compare.lists import seeds as seeds_of  # noqa: E402
from driftline.compare.lists import specs  # noqa: E402
from driftline.compare.pool import processors  # noqa: E402
from driftline.compare.records import of_source, varies  # noqa: E402
from learner.policies.table import POLICIES  # noqa: E402
from producer.replay import Replay  # noqa: E402
from stream.errors import SettingError  # noqa: E402

MODELS = ("logistic", "naive-bayes", "hoeffding-tree")
AUTO = "auto"
SAMPLES = 8_000
SEEDS = [11, 12, 13]
"""None of those with which anything was tuned, which are below."""


class Stream(NamedTuple):
    """A stream: its source, its drifts in thousandths of its length, and what kind it is."""

    source: str
    kind: str
    drifts: tuple[str, ...] = ()
    tuned: bool = False

    def replay(self, seed: int, samples: int) -> Replay:
        """Return what is replayed of it."""
        drifts = []
        for drift in self.drifts:
            kind, _, places = drift.partition("@")
            scaled = (str(int(part) * samples // 1000) for part in places.split("+"))
            drifts.append(f"{kind}@{'+'.join(scaled)}")
        return Replay(source=self.source, drifts=drifts, seed=seed, limit=samples)


STREAMS = {
    "agrawal-abrupt": Stream(
        "synth:Agrawal(perturbation=0.05)", "abrupt", ("abrupt@500",), tuned=True
    ),
    "sine-recurring": Stream(
        "synth:Sine(has_noise=True)",
        "recurring",
        ("abrupt@250", "recurring@500", "abrupt@750"),
        tuned=True,
    ),
    "hyperplane": Stream(
        "synth:Hyperplane(n_drift_features=5, mag_change=0.01)", "incremental", tuned=True
    ),
    "bananas": Stream("river:Bananas", "real", tuned=True),
    "persistent": Stream("synth:Persistent(noise=2.0)", "autocorrelated", tuned=True),
    "sea-abrupt": Stream("synth:SEA(noise=0.1)", "abrupt", ("abrupt@300", "abrupt@600")),
    "agrawal-gradual": Stream(
        "synth:Agrawal(classification_function=2, perturbation=0.05)",
        "gradual",
        ("gradual@300+200", "gradual@700+200"),
    ),
    "stagger-recurring": Stream(
        "synth:STAGGER",
        "recurring",
        ("abrupt@200", "abrupt@400", "recurring@600", "abrupt@800"),
    ),
    "rbf-drift": Stream(
        "synth:RandomRBFDrift(n_classes=4, change_speed=0.002, n_drift_centroids=50)",
        "incremental",
    ),
    "agrawal-none": Stream("synth:Agrawal(classification_function=1)", "none"),
    "phishing": Stream("river:Phishing", "real"),
    "segments": Stream("river:ImageSegments", "real"),
    "digits": Stream("sklearn:digits", "real"),
    "persistent-noisy": Stream("synth:Persistent", "autocorrelated"),
}
FURTHER = {
    "mixed-abrupt": Stream("synth:Mixed", "abrupt", ("abrupt@400",)),
    "mixed-gradual": Stream("synth:Mixed", "gradual", ("gradual@250+150", "gradual@650+150")),
    "led-drift": Stream(
        "synth:LEDDrift(n_drift_features=4, noise_percentage=0.1)", "incremental"
    ),
    "led": Stream("synth:LED(noise_percentage=0.2)", "none"),
    "waveform": Stream("synth:Waveform", "none"),
    "random-tree": Stream("synth:RandomTree(n_classes=3)", "none"),
    "rbf": Stream("synth:RandomRBF(n_classes=3, n_centroids=20)", "none"),
    "rbf-fast": Stream(
        "synth:RandomRBFDrift(n_classes=2, change_speed=0.02, n_drift_centroids=20, "
        "n_centroids=20)",
        "incremental",
    ),
    "agrawal-many": Stream(
        "synth:Agrawal(classification_function=4)",
        "abrupt",
        ("abrupt@150", "abrupt@300", "abrupt@450", "abrupt@600", "abrupt@750"),
    ),
    "sea-gradual": Stream("synth:SEA", "gradual", ("gradual@200+300", "gradual@600+300")),
    "sine-abrupt": Stream("synth:Sine", "abrupt", ("abrupt@333", "abrupt@666")),
    "hyperplane-fast": Stream(
        "synth:Hyperplane(n_drift_features=10, mag_change=0.1, noise_percentage=0.1)",
        "incremental",
    ),
    "shuttle": Stream("river:Shuttle", "real"),
    "breast-cancer": Stream("sklearn:breast_cancer", "real"),
}
EVERY = STREAMS | FURTHER


def main() -> None:
    """Compare, and print what came of it."""
    asked = _arguments()
    began = time.monotonic()
    boards, missing = {}, {}
    with tempfile.TemporaryDirectory(prefix="driftline-") as folder:
        for name in asked.streams:
            try:
                boards[name] = _board(asked, name, Path(folder))
            except SettingError as error:
                missing[name] = str(error)
                _say(f"{name}: left out, {error}")
            else:
                _say(f"{name}: {boards[name].seconds:.0f} s")
    report = {
        "samples": asked.samples,
        "seeds": asked.seeds,
        "jobs": asked.jobs,
        "streams": {name: _of_stream(name, board) for name, board in boards.items()},
        "left_out": missing,
        "policies": _of_policies(boards, None),
        "untouched": _of_policies(boards, False),
        "auto": _of_auto(boards),
        "seconds": round(time.monotonic() - began, 1),
    }
    if asked.json:
        print(json.dumps(report))
    else:
        _print(boards, report)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=SAMPLES, help="of a stream, at most")
    parser.add_argument("--seeds", type=seeds_of, default=SEEDS)
    parser.add_argument(
        "--streams",
        default=",".join(STREAMS),
        help="names with commas; 'further' for those that are not in the table",
    )
    parser.add_argument("--models", default=",".join(MODELS))
    parser.add_argument("--policies", default=",".join(POLICIES))
    parser.add_argument("--jobs", type=int, default=processors())
    parser.add_argument("--json", action="store_true", help="print one line of JSON instead")
    asked = parser.parse_args()
    asked.streams = [*FURTHER] if asked.streams == "further" else asked.streams.split(",")
    if strange := set(asked.streams) - set(EVERY):
        parser.error(f"no such streams: {', '.join(strange)}; there are {', '.join(EVERY)}")
    try:
        asked.entries = entries(
            specs(asked.models, "--models"), specs(asked.policies, "--policies")
        )
    except SettingError as error:
        parser.error(str(error))
    return asked


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _board(asked: argparse.Namespace, name: str, folder: Path) -> Board:
    """Return the leaderboard of one stream."""
    stream, records = EVERY[name], {}
    for seed in asked.seeds:
        replay = stream.replay(seed, asked.samples)
        if records and not varies(replay):
            records[seed] = next(iter(records.values()))
        else:
            records[seed] = of_source(replay, folder / f"{name}-{seed}.db")
    # The same processes for all: to start one takes longer than some of the learners do.
    contest = Contest(
        data=name, records=records, entries=asked.entries, jobs=asked.jobs, fresh=False
    )
    board = hold(contest)
    assert board is not None
    return board


def _of_stream(name: str, board: Board) -> dict[str, Any]:
    stream, left = EVERY[name], ("windows", "after", "runs")
    return {
        "kind": stream.kind,
        "tuned": stream.tuned,
        "samples": board.samples,
        "baselines": board.baselines,
        "rows": [
            {name: value for name, value in row.items() if name not in left}
            for row in board.as_dict()["rows"]
        ],
        "seconds": board.seconds,
    }


def _of_policies(boards: Mapping[str, Board], tuned: bool | None) -> dict[str, Any]:
    """Return what each policy comes to over all streams, or over those that match `tuned`."""
    behind: dict[str, list[float]] = {}
    best: dict[str, int] = {}
    scores: dict[str, list[float]] = {}
    costs: dict[str, list[float]] = {}
    for name, board in boards.items():
        if tuned is not None and EVERY[name].tuned is not tuned:
            continue
        for cells in _by_model(board).values():
            top = max(row.score or 0.0 for row in cells.values())
            free = cells.get("none")
            for policy, row in cells.items():
                score = row.score or 0.0
                scores.setdefault(policy, []).append(score)
                behind.setdefault(policy, []).append(top - score)
                best[policy] = best.get(policy, 0) + (score == top)
                if free is not None and (seconds := free.mean("seconds")):
                    ratio = (row.mean("seconds") or 0.0) / seconds
                    costs.setdefault(policy, []).append(ratio)
    return {
        policy: {
            "accuracy": statistics.fmean(scores[policy]),
            "behind": 100 * statistics.fmean(each),
            "behind_at_worst": 100 * max(each),
            "best": best[policy],
            "of": len(each),
            "seconds_ratio": statistics.fmean(costs[policy]) if policy in costs else None,
        }
        for policy, each in sorted(behind.items(), key=lambda kv: statistics.fmean(kv[1]))
    }


def _of_auto(boards: Mapping[str, Board]) -> dict[str, Any] | None:
    """Return how `auto` stands beside the best of the others, and the best on average.

    In points: `regret` is to the best other of each stream and model, below 0 where it is
    ahead of all; `ahead_of` names the best other on average, `ahead` is by how much.
    """
    pairs = [cells for board in boards.values() for cells in _by_model(board).values()]
    scores = [
        {policy: row.score or 0.0 for policy, row in cells.items()}
        for cells in pairs
        if AUTO in cells and len(cells) > 1
    ]
    if not scores:
        return None
    regrets = [
        100 * (max(v for policy, v in each.items() if policy != AUTO) - each[AUTO])
        for each in scores
    ]
    # Only what has a figure everywhere has an average beside those of the others.
    common = set.intersection(*map(set, scores)) - {AUTO}
    means = {policy: statistics.fmean(each[policy] for each in scores) for policy in common}
    single = max(means, key=lambda policy: means[policy], default=None)
    mine = statistics.fmean(each[AUTO] for each in scores)
    return {
        "regret": statistics.fmean(regrets),
        "regret_at_worst": max(regrets),
        "ahead_of": single,
        "ahead": None if single is None else 100 * (mine - means[single]),
    }


def _by_model(board: Board) -> dict[str, dict[str, Any]]:
    """Return the rows that have a figure, by model and policy."""
    found: dict[str, dict[str, Any]] = {}
    for row in board.rows:
        if row.played:
            cells = found.setdefault(text_of(row.entry.model), {})
            cells[text_of(row.entry.policy)] = row
    return found


def _print(boards: Mapping[str, Board], report: Mapping[str, Any]) -> None:
    policies = [
        *dict.fromkeys(text_of(r.entry.policy) for b in boards.values() for r in b.rows)
    ]
    policies.sort(key=[*POLICIES, *policies].index)
    print(f"| stream | model | {' | '.join(policies)} | no change |")
    print("| --- " * (len(policies) + 3) + "|")
    for name, board in boards.items():
        stream = EVERY[name]
        title = f"{name}{'' if stream.tuned else ' *'} ({stream.kind}, {board.samples:,})"
        for model, cells in sorted(_by_model(board).items()):
            print(f"| {title} | {model} | {' | '.join(_cells(cells, policies))} | ", end="")
            print(f"{100 * board.baselines['no_change']:.1f} |")
            title = ""
    for title, name in (("all streams", "policies"), ("streams with a star", "untouched")):
        print(f"\n{title}: points behind the best of each stream and model")
        for policy, each in report[name].items():
            print(f"  {policy:<14} {_behind(each)}")
    if report["auto"] is not None:
        print(_beside_others(report["auto"]))
    for sentence in _failures(boards):
        print(f"  {sentence}")
    for name, sentence in report["left_out"].items():
        print(f"  {name} was left out: {sentence}")
    print(f"{report['seconds']:.0f} s with {report['jobs']} processes")


def _behind(each: Mapping[str, Any]) -> str:
    ratio = each["seconds_ratio"]
    return (
        f"{each['behind']:5.2f} on average, {each['behind_at_worst']:5.2f} at worst, best on "
        f"{each['best']} of {each['of']}, time × {'–' if ratio is None else f'{ratio:.2f}'}"
    )


def _beside_others(auto: Mapping[str, Any]) -> str:
    text = (
        f"\n{AUTO}: {auto['regret']:.2f} points behind the best other of each stream and model "
        f"on average, {auto['regret_at_worst']:.2f} at worst"
    )
    if auto["ahead_of"] is not None:
        text += f"; {auto['ahead']:.2f} ahead of {auto['ahead_of']}, the best other on average"
    return text


def _cells(cells: Mapping[str, Any], policies: Sequence[str]) -> Iterator[str]:
    """Yield accuracy and spread of each policy, in points, the best in bold."""
    top = max(row.score or 0.0 for row in cells.values())
    for policy in policies:
        row = cells.get(policy)
        if row is None:
            yield "–"
            continue
        score, spread = row.score or 0.0, row.spread("accuracy")
        text = f"{100 * score:.1f}"
        text = f"**{text}**" if score == top else text
        yield text if spread is None else f"{text} ± {100 * spread:.1f}"


def _failures(boards: Mapping[str, Board]) -> list[str]:
    """Return why rows have no figure, once each."""
    errors = (row.error for board in boards.values() for row in board.rows)
    return [*dict.fromkeys(error for error in errors if error is not None)]


if __name__ == "__main__":
    main()
