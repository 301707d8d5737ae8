"""Where a learner's time goes: each part of a turn timed as a whole, nothing timed per sample.

What happens sample by sample inside `Learner.learn` is told apart by doing it once more
beside: a twin learner whose model does nothing takes the same records, and the records are
decoded by themselves. What the real model makes of it is the model's; what the twin's turn
costs beyond decoding and scoring is the bookkeeping.
"""

from __future__ import annotations

import statistics
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.throughput import CONFIGS, TURN
from learner.learner import Learner
from learner.messages import Topics, outcomes_of
from learner.progress import Progress
from learner.reading import PIECE
from stream.records import decode_full
from stream.sqlite import SqliteLog
from stream.topic import Retention, group_of, samples_of

PARTS = (
    "read",
    "decode",
    "model",
    "bookkeeping",
    "scores",
    "totals",
    "encode",
    "commit",
    "say",
)
_STEPS = ("read", "learn", "totals", "encode", "commit", "say", "twin", "decode", "scores")
"""In the order in which they are timed."""


def measure(model: str, path: Path) -> dict[str, float]:
    """Return microseconds a sample for each of `PARTS`, on a SQLite log that is filled.

    They are medians over turns: what a neighbour on the machine takes now and then is left
    out, and so is a checkpoint.
    """
    log = SqliteLog(path)
    config, turns = CONFIGS[model], []
    topic = log.topic(samples_of(log.stream))
    topics = Topics.of(log.stream, f"profile-{model}")
    log.create(topics.outcomes, partitions=1, retention=Retention())
    writer = log.writer(group_of(log.stream, f"profile-{model}"))
    learner, twin, third = (Learner(config, 0, 0) for _ in range(3))
    _still(twin.policy.model)
    progress, end = Progress(learner), topic.end()[0]
    clock = time.perf_counter
    while learner.cursor < end:
        marks = [clock()]
        (batch,) = topic.read({0: learner.cursor}, limit=TURN, wait=0)
        marks.append(clock())
        turn = learner.learn(batch)
        marks.append(clock())
        totals = learner.totals
        marks.append(clock())
        messages = outcomes_of(turn, totals)
        marks.append(clock())
        for message in messages:
            writer.append(topics.outcomes, message, partition=0, headers={"host": b"bench"})
        writer.commit({0: learner.cursor})
        marks.append(clock())
        progress.say(turn)
        marks.append(clock())
        twin.learn(batch)
        marks.append(clock())
        values = [value for _, value in batch.entries]
        for i in range(0, len(values), PIECE):
            decode_full(values[i : i + PIECE])
        marks.append(clock())
        ys, guesses, flags = (turn.transposed()[n] for n in (4, 5, 9))
        third.scores.update(ys, guesses, flags)
        marks.append(clock())
        turns.append([(b - a) / len(ys) * 1e6 for a, b in pairwise(marks)])
    log.close()
    spent = dict(zip(_STEPS, map(statistics.median, zip(*turns, strict=True)), strict=True))
    spent["model"] = spent["learn"] - spent["twin"]
    spent["bookkeeping"] = spent["twin"] - spent["decode"] - spent["scores"]
    return {name: spent[name] for name in PARTS}


def _still(model: Any) -> None:
    """Let a model do nothing, and say always the same, as fast as can be."""
    guess = 0, {0: 0.6, 1: 0.4}
    model.guess = lambda _: guess
    model.guess_many = lambda xs: [guess] * len(xs)
    model.learn_one = model.learn = lambda _, __: None
