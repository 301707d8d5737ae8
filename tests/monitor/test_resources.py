import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.exporter import registry
from monitor.follow import Follower
from monitor.resources import Resources, resources_of
from stream.errors import RecordError
from stream.memory import MemoryLog
from stream.records import encode
from tests.monitor.made import Step, message

RIGHT = Step("up", "up")
numbers = st.none() | st.floats(0, allow_infinity=False) | st.integers(0, 2**53)


class Clock:
    """A clock that moves two seconds each time it is looked at, so that every step looks."""

    now = 0.0

    def __call__(self):
        self.now += 2.0
        return self.now


@pytest.fixture
def log():
    """Give a log with the topics of a learner over two partitions."""
    log = MemoryLog("tale")
    log.create("tale.samples", partitions=2)
    log.create("tale.main.outcomes", partitions=2)
    return log


def say(log, place, resources, partition=0):
    """Append outcomes for one sample, with the header `resources` if there is any."""
    writer = log.writer("main")
    headers = {"host": b"h"} | ({} if resources is None else {"resources": resources})
    outcomes = message([RIGHT] * (place + 1), place, place)
    writer.append("tale.main.outcomes", encode(outcomes), partition=partition, headers=headers)
    writer.commit()


def sample(log, value, partition=0):
    """Append a sample."""
    writer = log.writer("source")
    writer.append("tale.samples", value, partition=partition)
    writer.commit()


def following(log):
    """Return a follower that looks at every step."""
    return Follower(log, ["main"], (10,), clock=Clock(), hour=lambda: 0.0)


def shown(follower, name, partition=0):
    """Return what a scrape shows."""
    labels = {"stream": "tale", "learner": "main", "partition": str(partition)}
    return registry(lambda: follower.boards).get_sample_value(f"driftline_{name}", labels)


@given(said=st.fixed_dictionaries({}, optional=dict.fromkeys(Resources._fields, numbers)))
def test_what_is_said_is_read(said):
    """Any of the numbers may be missing, null or whole; what is unknown is passed over."""
    header = json.dumps({**said, "tomorrow": [1, {}]}).encode()

    assert resources_of({"resources": header}) == Resources(**said)
    assert resources_of({"host": b"x"}) is None


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"", "malformed_json"),
        (b"\xff", "malformed_json"),
        (b"{", "malformed_json"),
        (b"[" * 4000, "malformed_json"),
        (b"[1]", "wrong_type"),
        (b'{"memory_bytes": "1"}', "wrong_type"),
        (b'{"memory_bytes": true}', "wrong_type"),
        (b'{"memory_bytes": -1}', "number_range"),
        (b'{"memory_bytes": NaN}', "number_range"),
        (b'{"event_time": Infinity}', "number_range"),
        (b'{"cpu_seconds": 1e999}', "number_range"),
        (b'{"cpu_seconds": 1' + b"0" * 400 + b"}", "number_range"),
        (b'{"cpu_seconds": 1' + b"0" * 5000 + b"}", "too_large"),
    ],
)
def test_what_is_no_resources_is_refused(value, reason):
    """Whatever stands in the header, it is read or refused with a reason."""
    with pytest.raises(RecordError) as refused:
        resources_of({"resources": value})
    assert refused.value.reason == reason


def test_the_newest_header_is_shown_for_each_partition(log):
    """What a learner takes up now is shown, not what it once did."""
    names = {
        **{"memory_bytes": "learner_memory_bytes", "cpu_seconds": "learner_cpu_seconds_total"},
        **{it: it for it in ("model_bytes", "predict_seconds", "learn_seconds")},
        **{it: it for it in ("turn_seconds", "commit_seconds")},
        "checkpoint_time": "checkpoint_timestamp_seconds",
        **{it: f"{it}_total" for it in ("checkpoints_refused", "checkpoints_failed")},
    }
    follower = following(log)
    follower.step()
    assert all(shown(follower, name) is None for name in names.values())

    for at in range(3):
        here = {name: at + n / 10 for n, name in enumerate(names)}
        say(log, at, json.dumps(here).encode())
        say(log, at, b'{"memory_bytes": 7}', partition=1)
        follower.step()
        assert {name: shown(follower, metric) for name, metric in names.items()} == here
        assert shown(follower, "learner_memory_bytes", 1) == 7
        assert shown(follower, "learner_cpu_seconds_total", 1) is None

    begun_now = following(log)
    begun_now.catch_up()
    assert {name: shown(begun_now, metric) for name, metric in names.items()} == here


def test_outcomes_without_the_header_change_nothing(log):
    """A learner that no longer says what it takes up leaves what it said last."""
    follower = following(log)
    say(log, 0, b'{"memory_bytes": 5}')
    follower.step()
    say(log, 1, None)
    follower.step()

    assert shown(follower, "learner_memory_bytes") == 5


def test_a_header_that_cannot_be_read_is_counted_once(log, caplog):
    """It spoils no other figure, and is not refused again at each look."""
    follower = following(log)
    say(log, 0, b'{"memory_bytes": 5}')
    follower.step()
    say(log, 1, b"what is this?")
    for _ in range(5):
        follower.step()

    figures = follower.boards[0].figures()
    assert figures.refused == 1
    assert "refused=tale.main.outcomes[0]@1" in caplog.text
    assert figures.count("scored") == 2
    assert shown(follower, "learner_memory_bytes") == 5

    begun_now = following(log)
    for _ in range(5):
        begun_now.step()
    assert begun_now.boards[0].figures().refused == 1


def test_the_lag_in_time_runs_from_what_was_learned_to_the_newest_sample(log):
    """It is of event time; no sample out of order turns it back, and it is never below 0."""
    follower = following(log)
    say(log, 0, b'{"event_time": 1000.0}')
    follower.step()
    assert shown(follower, "lag_seconds") is None

    lags = []
    for ts in (1030.5, 1010.0, None, 1100.0):
        sample(log, encode({"x": {}, "ts": ts}))
        follower.step()
        lags.append(shown(follower, "lag_seconds"))
    assert lags == [30.5, 30.5, 30.5, 100.0]

    say(log, 1, b'{"event_time": 2000.0}')
    follower.step()
    assert shown(follower, "lag_seconds") == 0.0
    assert shown(follower, "lag_seconds", 1) is None


def test_samples_without_event_time_have_no_lag_in_time(log):
    """Neither they nor a record that is no sample give a wrong one."""
    follower = following(log)
    say(log, 0, b'{"event_time": 1000.0}')
    for value in (b'{"x": {}, "y": 1}', b"nonsense", b'{"mark": "drift"}'):
        sample(log, value)
        follower.step()

    assert shown(follower, "lag_seconds") is None
    assert follower.boards[0].figures().refused == 0


def test_only_what_has_moved_is_looked_at(log, monkeypatch):
    """A monitor at rest asks no topic for its newest record."""
    follower = following(log)
    say(log, 0, b'{"event_time": 1.0}')
    sample(log, b'{"x": {}, "ts": 3.0}')
    for _ in range(3):
        follower.step()

    def asked(*_):
        sys.exit("asked")

    monkeypatch.setattr("stream.memory.MemoryTopic.newest", asked)
    for _ in range(3):
        follower.step()
    assert shown(follower, "lag_seconds") == 2.0
