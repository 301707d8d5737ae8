"""A producer that dies anywhere and starts again leaves what one that never died leaves."""

import os
import random
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from producer import delivery
from producer.replay import Replay, produce
from producer.sources import source as sources
from stream.memory import MemoryLog
from stream.sqlite import SqliteLog
from tests.producer.mortal import CrashError, MortalLog


def pairs():
    """Return sixty rows, every seventh without a label."""
    return iter([({"n": n}, None if n % 7 == 3 else n % 3) for n in range(60)])


MARKED = sources.Source(
    name="sixty",
    rows=pairs,
    label="y",
    task="classification",
    marks=(sources.Mark("abrupt", 20), sources.Mark("gradual", 41, 5)),
)


def entries(log):
    """Return key and value of all records, by partition."""
    topic = log.topic(f"{log.stream}.samples")
    return [
        [(entry.key, entry.value) for entry in topic.scan(p, 0, topic.end()[p])]
        for p in range(topic.partitions)
    ]


@settings(deadline=None)
@given(
    lives=st.lists(st.tuples(st.integers(0, 70), st.booleans()), max_size=6),
    partitions=st.integers(1, 4),
    batch=st.integers(1, 30),
    delay=st.none() | st.integers(0, 70),
    classes=st.sampled_from([None, [0, 1, 2]]),
)
def test_no_crash_shows_in_the_topic(lives, partitions, batch, delay, classes):
    """Killed at any call and at any commit, in any number of lives: the topic is the same."""
    replay = Replay(
        source="synth:sixty", partitions=partitions, label_delay=delay, classes=classes
    )
    mortal, immortal = MortalLog(), MemoryLog()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("producer.settings.open_source", lambda *_, **__: MARKED)
        patch.setattr(delivery, "BATCH", batch)
        produce(immortal, replay, now=lambda: 0.0)
        for mortal.dies_after, mortal.half in [*lives, (None, False)]:
            try:
                produce(mortal, replay, now=lambda: 0.0)
            except CrashError:
                continue

    assert entries(mortal) == entries(immortal)


@pytest.mark.parametrize("settings", [{}, {"label_delay": 40, "partitions": 3}])
def test_stopping_anywhere_shows_nowhere(settings, monkeypatch):
    """Asked to stop at every third message, run after run, it ends at the same topic."""
    monkeypatch.setattr("producer.settings.open_source", lambda *_, **__: MARKED)
    replay = Replay(source="synth:sixty", **settings)
    stopped, whole = MemoryLog(), MemoryLog()
    produce(whole, replay, now=lambda: 0.0)

    runs, done = 0, False
    while not done:
        runs += 1
        left = iter(range(3 * runs))
        done = not produce(
            stopped,
            replay,
            now=lambda: 0.0,
            stopping=lambda left=left: next(left, None) is None,
        ).stopped

    assert runs > 20
    assert entries(stopped) == entries(whole)


CHILD = """
import sys
from producer import delivery
from producer.replay import Replay, produce
from stream.sqlite import SqliteLog

delivery.BATCH = 40
log = SqliteLog(sys.argv[1], sync="NORMAL")
replay = Replay(source=sys.argv[2], label="y", time="t", partitions=3)
print("ready", flush=True)
produce(log, replay, progress=lambda p: print(p.samples, flush=True))
print("done", flush=True)
"""


def test_a_killed_process_leaves_no_gap_and_no_double(tmp_path, write):
    """Ten times kill -9 at a random commit, then a run to the end: all is there once."""
    rows = (f'{{"t": {n}.0, "a": {n % 17}, "y": "{n % 2}"}}\n' for n in range(3000))
    path, killed = write("a.jsonl", "".join(rows)), str(tmp_path / "killed.db")
    env = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    rng, kills = random.Random(7), 0

    while kills < 10:
        command = [sys.executable, "-c", CHILD, killed, path]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env) as child:
            for _ in range(rng.randint(1, 9)):
                line = child.stdout.readline()
            child.kill()
        assert line.strip() != "done"
        kills += 1

    log, whole = SqliteLog(killed), MemoryLog()
    replay = Replay(source=path, label="y", time="t", partitions=3)
    last = produce(log, replay)
    produce(whole, replay)
    assert 0 < last.resumed < 3001
    assert entries(log) == entries(whole)
    log.close()
