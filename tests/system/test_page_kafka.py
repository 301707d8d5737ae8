"""The live page of a stream on Kafka that two learners share."""

import csv
import json
import re
from collections import Counter, defaultdict

import pytest

from tests.system.lives import eventually

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(180)]

WINDOW, SAMPLES = 200, 3000
SOURCE = ("--source", "synth:Sine(seed=42)", "--drift", f"abrupt@{SAMPLES // 2}")


@pytest.fixture
def run(nursery, tmp_path, kafka_stream):
    """Give a function that starts a command on the stream, and ends it with the test."""
    (tmp_path / "key").write_text("k" * 40)
    lives = []

    def run(*arguments):
        lives.append(nursery.start(*arguments, "--stream", kafka_stream, cwd=tmp_path))
        return lives[-1]

    yield run
    for life in lives:
        life.end()


def counted(rows):
    """Return what the last rows of each partition come to, and who holds how many."""
    hits, last, seen = defaultdict(list), {}, defaultdict(Counter)
    events = Counter()
    for row in rows:
        p, y = row["partition"], row["y"]
        events.update(event[1] for event in json.loads(row["events"] or "[]"))
        if row["flag"] in ("0", "3"):
            common = seen[p].most_common(1)
            right = row["flag"] == "0" and y == row["y_pred"]
            hits[p].append((right, y == last.get(p), bool(common) and y == common[0][0]))
        seen[p][y] += 1
        last[p] = y
    window = [hit for each in hits.values() for hit in each[-WINDOW:]]
    names = ("accuracy", "no_change", "majority")
    plain = {
        name: sum(hit[at] for hit in window) / len(window) for at, name in enumerate(names)
    }
    plain |= {
        "samples": len(rows),
        "marks": events["mark"],
        "drifts": events["drift"],
        "lag": 0,
    }
    return plain, {p: seen[p].total() for p in sorted(seen)}


def test_a_page_shows_two_learners_as_one(run, nursery, tmp_path, kafka_stream, visit):
    """Each has a partition; every figure is a plain count of what both have said."""
    produce = ("produce", *SOURCE, "--partitions", 2, "--limit")
    assert run(*produce, SAMPLES // 2).wait() == 0
    how = ("--model", "hoeffding-tree", "--state", tmp_path / "state")
    learners = [run("learn", *how, "--key-file", tmp_path / "key") for _ in range(2)]
    for partition in (0, 1):
        one = f"partitions=[{partition}] of 2"
        eventually(lambda one=one: any(one in learner.err for learner in learners))
    monitor = run("monitor", "--port", 0, "--window", WINDOW)
    url = re.search(r"Live page: (\S+)", monitor.said("Live page: "))[1]
    seen = visit(url)
    seen.says(f"over the last {2 * WINDOW}", "#verdict")
    assert run(*produce, SAMPLES).wait() == 0
    eventually(lambda: (seen.figure("samples"), seen.figure("lag")) == (SAMPLES, 0))

    said = nursery.run("outcomes", "--stream", kafka_stream, cwd=tmp_path).out
    plain, held = counted([*csv.DictReader(said.splitlines())])
    eventually(lambda: {name: seen.figure(name) for name in plain} == plain)
    assert min(held.values()) > 0
    assert [[p, int(n.replace(",", "")), lag] for p, n, lag, *_ in seen.rows("parts")] == [
        [p, n, "0"] for p, n in held.items()
    ]
    seen.says("over the last 200 guesses of each of 2 partitions", "#curve-says")
    seen.says("True drift", "#story")
    assert all(learner.alive for learner in learners)
    assert seen.violations() == []
