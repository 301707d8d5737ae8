import itertools
import json

from monitor.follow import Follower
from stream.records import encode
from stream.topic import Log, samples_of, topic_of
from tests.monitor.made import Step, message


def test_headers_and_event_time_come_through_every_log(log: Log) -> None:
    """On each kind of log the newest header and the lag in time are shown, live and anew."""
    now = itertools.count(0.0, 2.0)
    samples, outcomes = samples_of(log.stream), topic_of(log.stream, "main", "outcomes")
    log.create(samples, partitions=2)
    log.create(outcomes, partitions=2)
    source, learner = log.writer("source"), log.writer("learner", atomic=False)
    follower = Follower(log, ["main"], (10,), clock=lambda: next(now))
    for n in range(3):
        source.append(samples, encode({"x": {}, "ts": 100.0 + n}), partition=1)
        source.commit()
        said = json.dumps({"event_time": 90.0 + 2 * n, "memory_bytes": n}).encode()
        told = encode(message([Step("up", "up")] * (n + 1), n, n))
        learner.append(outcomes, told, partition=1, headers={"resources": said})
        learner.commit()
        for _ in range(20):
            follower.step(1.0)
            if follower.boards[0].figures().count("scored") > n:
                break
        follower.step()
        again = Follower(log, ["main"], (10,))
        again.catch_up()
        for each in (follower, again):
            parts = each.boards[0].figures().parts
            assert parts[1].resources.memory_bytes == n
            assert parts[1].behind == 10.0 - n
            assert (parts[0].behind, parts[0].resources.memory_bytes) == (None, None)
