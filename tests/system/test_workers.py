"""Several workers of one learner on one machine: what they say is what one says."""

import os
import re
import signal
import socket
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.system.lives import PATIENCE, Told, eventually, faults
from tests.system.streams import TREE, produce
from tools.kafka import free_port

pytestmark = pytest.mark.timeout(180)
SESSION = "[kafka]\nsession_timeout_ms = 6000\nheartbeat_interval_ms = 300\n"


@pytest.fixture
def address(tmp_path):
    """Give the address of an embedded log."""
    return f"sqlite:{tmp_path / 's.db'}"


def workers(err):
    """Return the process ids of the workers that a parent has started, by number."""
    return {int(n): int(pid) for n, pid in re.findall(r"worker=(\d+) pid=(\d+)", err)}


def alive(pid):
    """Return whether a process runs; one that has ended and waits to be asked does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def free_ports(many):
    """Return the first of so many free ports that lie one after the other."""
    while True:
        with ExitStack() as stack, suppress(OSError, OverflowError):
            first = free_port()
            for port in range(first, first + many):
                stack.enter_context(closing(socket.socket())).bind(("127.0.0.1", port))
            return first


def learned(port):
    """Return how many outcomes the learner at a port says that it has committed."""
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    kind = r'^driftline_learner_records_out_total\{kind="outcome"\S* (\S+)$'
    return sum(map(float, re.findall(kind, text, re.MULTILINE)))


def learn(nursery, tmp_path, address, *how, turn=50):
    """Start a learner of a stream."""
    common = ("--stream", address, "--state", tmp_path / "state", "--turn", turn)
    return nursery.start("learn", *TREE, *common, *how, cwd=tmp_path)


def check(nursery, tmp_path, address, *, partitions, samples):
    """Hold what the workers have said against what one learner says alone."""
    last = learn(nursery, tmp_path, address, "--until-end", "--json")
    assert last.wait(2 * PATIENCE) == 0, last.err
    assert last.summary["samples"] == samples
    oracle = learn(nursery, tmp_path, address, "--until-end", "--json", "--name", "oracle")
    assert oracle.wait(2 * PATIENCE) == 0, oracle.err
    with closing(Told(address)) as told, closing(Told(address, "oracle")) as alone:
        assert faults(told, alone, exactly_once=True) == []
        assert len(told.messages) == partitions
    return oracle.summary


def test_workers_say_together_what_one_says(nursery, tmp_path, address):
    """Each has its partitions, more than there are stand by; one summary pools them all."""
    nursery.run(*produce(2000, "--stream", address, "--partitions", 3), cwd=tmp_path)
    life = learn(nursery, tmp_path, address, "--workers", 4, "--until-end", "--json")
    assert life.wait(2 * PATIENCE) == 0, life.err
    assert "workers=4, but topic local.samples has 3 partitions" in life.err
    for number in range(3):
        assert f"worker={number} partitions=[{number}] of 3" in life.err
    assert "worker=3 more learners than partitions: this one stands by" in life.err
    alone = check(nursery, tmp_path, address, partitions=3, samples=2000)
    pooled = life.summary
    assert pooled.pop("workers") == 4
    for name in ("seconds", "samples_per_second"):
        assert pooled.pop(name) > 0
        alone.pop(name)
    assert pooled == alone


def test_a_worker_that_dies_ends_all_and_nothing_is_lost(nursery, tmp_path, address):
    """The parent says which and how, stops the others, and starts none again in silence."""
    nursery.run(*produce(4000, "--stream", address, "--partitions", 2), cwd=tmp_path)
    life = learn(nursery, tmp_path, address, "--workers", 2, turn=10)
    with closing(Told(address)) as told:
        eventually(lambda: min(told.follow(0.02).values(), default=0) > 100 or not life.alive)
    os.kill(workers(life.err)[1], signal.SIGKILL)
    assert life.wait() == 1, life.err
    assert "worker=1 was ended by SIGKILL; ending the others" in life.err
    check(nursery, tmp_path, address, partitions=2, samples=4000)


def test_workers_whose_parent_is_gone_stop_by_themselves(nursery, tmp_path, address):
    """They finish their turns, so that nobody waits for a fence."""
    nursery.run(*produce(500, "--stream", address, "--partitions", 2), cwd=tmp_path)
    life = learn(nursery, tmp_path, address, "--workers", 2)
    life.said("worker=1 scored=")
    pids = workers(life.err).values()
    life.end()
    eventually(lambda: not any(map(alive, pids)))
    assert life.err.count("the process that started this worker is gone; stopping") == 2


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_workers_stop_with_their_parent(nursery, tmp_path, address, number):
    """A clean SIGTERM leaves with 0, Ctrl-C with 130, each after the summary."""
    nursery.run(*produce(500, "--stream", address, "--partitions", 2), cwd=tmp_path)
    life = learn(nursery, tmp_path, address, "--workers", 2, "--json")
    life.said("worker=0 scored=")
    pids = workers(life.err).values()
    assert life.end(number) == (130 if number == signal.SIGINT else 0), life.err
    assert life.summary["workers"] == 2
    assert not any(map(alive, pids))
    assert "ending the others" not in life.err


def test_each_worker_is_a_target_of_its_own(nursery, tmp_path, address):
    """At ports one after the other; what they learned adds up to what was produced."""
    nursery.run(*produce(500, "--stream", address, "--partitions", 2), cwd=tmp_path)
    first = free_ports(2)
    life = learn(nursery, tmp_path, address, "--workers", 2, "--port", first)
    for number in (0, 1):
        life.said(f"metrics=http://127.0.0.1:{first + number}/metrics")
    eventually(lambda: sum(learned(first + number) for number in (0, 1)) == 500)
    assert 0 < learned(first) < 500
    assert life.end(signal.SIGTERM) == 0, life.err


def test_who_starts_anew_takes_over_from_all_workers(nursery, tmp_path, address):
    """On an embedded log the newer ones have all; the older parent leaves with 1."""
    nursery.run(*produce(4000, "--stream", address, "--partitions", 2), cwd=tmp_path)
    older = learn(nursery, tmp_path, address, "--workers", 2, turn=5)
    older.said("worker=1 scored=")
    newer = learn(nursery, tmp_path, address, "--until-end")
    assert older.wait() == 1, older.err
    assert "another process now writes as 'driftline.local.main'" in older.err
    assert newer.wait(2 * PATIENCE) == 0, newer.err
    check(nursery, tmp_path, address, partitions=2, samples=4000)


def test_what_workers_cannot_do_is_a_wrong_setting(nursery, tmp_path, address):
    """None of them is started."""
    for how, said in (
        (("--workers", 0), "workers must be a whole number from 1 to 256, got 0"),
        (("--workers", 2, "--port", 65535), "ends beyond 65535; give a lower --port"),
        (("--workers", 2, "--answer", "some"), "answer must be asked"),
    ):
        life = learn(nursery, tmp_path, address, *how)
        assert life.wait() == 2
        assert said in life.err.splitlines()[-1]
        assert "pid=" not in life.err


@pytest.mark.kafka
def test_on_kafka_workers_are_members_of_the_group(nursery, tmp_path, kafka_stream):
    """They share six partitions; started again under their names, they need not wait."""
    (tmp_path / "driftline.toml").write_text(SESSION)
    nursery.run(*produce(3000, "--stream", kafka_stream, "--partitions", 6), cwd=tmp_path)
    how = ("--workers", 2, "--json")
    life = learn(nursery, tmp_path, kafka_stream, *how)
    for number in (0, 1):
        life.said(f"worker={number} partitions=")
    with closing(Told(kafka_stream)) as told:
        eventually(lambda: sum(told.follow(0.02).values()) > 1000 or not life.alive)
    assert life.end(signal.SIGTERM) == 0, life.err
    last = learn(nursery, tmp_path, kafka_stream, *how, "--until-end")
    assert last.wait(2 * PATIENCE) == 0, last.err
    assert last.summary["samples"] == 3000
    check(nursery, tmp_path, kafka_stream, partitions=6, samples=3000)
