"""How services on Kafka end, and what they say to a person before that."""

import signal
import time
import urllib.error
import urllib.request
from contextlib import closing

import pytest

from stream.connect import connect
from stream.topic import group_of
from tests.proxy import COMMIT, Fault
from tests.system.lives import Told, eventually
from tests.system.streams import TREE, produce

pytestmark = pytest.mark.kafka


@pytest.fixture
def learn(nursery, tmp_path):
    """Give a function that starts a learner; whoever is left is killed."""
    (tmp_path / "key").write_text("k" * 40)
    lives = []

    def learn(url, *how):
        common = ("--state", tmp_path / "state", "--key-file", tmp_path / "key", "--turn", 50)
        command = ("learn", "--stream", url, *common, *TREE, "--json", *how)
        lives.append(nursery.start(*command, cwd=tmp_path, plants=("unhurried",)))
        return lives[-1]

    yield learn
    for life in lives:
        life.send(signal.SIGCONT)
        life.end()


@pytest.fixture
def stream(nursery, tmp_path, kafka_stream):
    """Give the address of a stream of two partitions that are full of samples."""
    command = produce(6000, "--partitions", 2, "--stream", kafka_stream)
    nursery.run(*command, cwd=tmp_path)
    return kafka_stream


def readiness(life):
    """Return the status of a learner's or a monitor's /readyz, None where nobody answers."""
    (line,) = [it for it in life.err.splitlines() if "predict=" in it or "metrics=" in it]
    url = line.rpartition("=")[2].rpartition("/")[0] + "/readyz"
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code
    except OSError:
        return None


def busy(url, life):
    """Wait until a learner has said something, and it is ready where it listens."""
    with closing(Told(url)) as told:
        eventually(lambda: sum(told.follow(0.02).values()) > 200 or not life.alive)
    assert life.alive, life.err


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)])
def test_told_to_end_it_leaves_everything_in_order(stream, learn, tmp_path, number, code):
    """The turn is finished and saved, the group left, and the summary the last line."""
    life = learn(stream)
    busy(stream, life)
    assert life.end(number) == code, life.err

    with closing(connect(stream)) as log:
        group = group_of(log.stream, "main")
        committed = log.committed(group)
        (found,) = log.cluster.admin.describe_groups([group]).values()
        assert not found["members"], "the next learner need not wait for a session"
    assert life.summary["cursor"] == {str(p): cursor for p, cursor in committed.items()}
    for p, cursor in committed.items():
        paths = (tmp_path / "state").glob(f"*/main/p{p}/*")
        assert cursor in [int(path.name) for path in paths if path.name.isdecimal()]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_ends_it_even_in_a_commit(stream, broker, proxy, learn, number):
    """With a broker that is silent the first is heard, and the second is the end, at once."""
    through = stream.replace(broker.address, proxy.address)
    life = learn(through, "--port", 0)
    busy(stream, life)
    assert readiness(life) == 200
    with proxy.trouble(Fault("timeout", COMMIT)) as fault:
        eventually(lambda: fault.struck)
        time.sleep(0.5)
        life.send(number)
        eventually(lambda: readiness(life) == 503)
        time.sleep(1)
        assert life.alive, "it waits for its commit to have an end"
        assert readiness(life) == 503
        begun = time.monotonic()
        life.send(number)
        assert life.wait() == (130 if number == signal.SIGINT else -number)
        assert time.monotonic() - begun < 2


def test_a_person_is_told_why_nothing_moves(stream, broker, proxy, learn):
    """A silent broker is said to be waited for, and how to end who waits in a commit."""
    life = learn(stream.replace(broker.address, proxy.address))
    busy(stream, life)
    with proxy.trouble(Fault("timeout", COMMIT)):
        life.said(f"waiting for Kafka at {proxy.address}, 4 s")
        life.send(signal.SIGTERM)
        life.said("ending with this turn; Ctrl-C once more leaves at once")
        assert life.end(signal.SIGINT) == 130


def test_a_person_is_told_where_a_partition_went(stream, learn):
    """Who gives one away says so, and who has got it."""
    one = learn(stream)
    busy(stream, one)
    two = learn(stream)
    two.said("of 2 are this learner's")
    one.said("is another learner's now")
    assert two.end(signal.SIGTERM) == one.end(signal.SIGTERM) == 0
