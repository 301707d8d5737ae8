import threading
import time

import pytest

from monitor.run import monitor
from stream.sqlite import SqliteLog
from tests.monitor.made import Step, accuracy, last_scored, said, store
from tests.prometheus import Prometheus

INTERVAL = 0.2
PATIENCE = 30.0


def eventually(look, expected):
    """Look until what is seen is as expected, or return what was seen last."""
    deadline = time.monotonic() + PATIENCE
    while (seen := look()) != expected and time.monotonic() < deadline:
        threading.Event().wait(INTERVAL)
    return seen


@pytest.fixture
def log(tmp_path):
    """Give an embedded log with the topics of one learner over two partitions."""
    log = SqliteLog(tmp_path / "s.db")
    log.create("local.samples", partitions=2)
    log.create("local.main.outcomes", partitions=2)
    yield log
    log.close()


@pytest.fixture
def monitored(log):
    """Run a monitor of the log in a thread; give its address."""
    ended, address, announced = threading.Event(), [], threading.Event()

    def announce(url):
        address.append(url.removeprefix("http://"))
        announced.set()

    thread = threading.Thread(
        target=monitor,
        args=(log,),
        kwargs={
            "windows": (50, 500),
            "port": 0,
            "stopping": ended.is_set,
            "announce": announce,
        },
    )
    thread.start()
    assert announced.wait(PATIENCE)
    yield address[0]
    ended.set()
    thread.join(PATIENCE)


@pytest.fixture
def query(monitored, tmp_path):
    """Run a Prometheus that scrapes the monitor; give a function that asks it in PromQL."""
    targets = {"driftline": [monitored]}
    with Prometheus(tmp_path, targets, interval="200ms") as prometheus:
        yield prometheus.now


def tale(length, every):
    """Return steps of which each so-manieth is a mistake."""
    return [
        Step("up", "up" if n % every else "down", no_change=float(n % 2)) for n in range(length)
    ]


def test_prometheus_reads_the_accuracy_of_the_outcomes(log, query):
    """PromQL over scraped counters and gauges gives what the outcomes themselves give."""
    first, second = tale(900, 7), tale(300, 3)
    store(log, {0: said(first, [(40, True)] * 30), 1: said(second, [(70, False)] * 30)})
    everything = [*first, *second]
    recent = [*last_scored(first, 50), *last_scored(second, 50)]

    up = eventually(lambda: query("up"), [1.0])
    scored = eventually(lambda: query("sum(driftline_scored_total)"), [1200.0])

    assert (up, scored) == ([1.0], [1200.0])
    assert query("sum(driftline_correct_total) / sum(driftline_scored_total)") == [
        accuracy(everything)
    ]
    assert query('driftline_prequential_accuracy_ratio{window="all"}') == [accuracy(everything)]
    assert query('driftline_prequential_accuracy_ratio{window="50"}') == [accuracy(recent)]
    assert query(
        'sum(driftline_window_correct{window="50"}) / sum(driftline_window_scored{window="50"})'
    ) == [accuracy(recent)]
    assert query(
        '1 - sum(driftline_baseline_error_total{baseline="no_change"})'
        " / sum(driftline_scored_total)"
    ) == query('driftline_baseline_accuracy_ratio{baseline="no_change",window="all"}')

    more = tale(1500, 2)
    store(log, {0: said([*first, *more], [(100, True)] * 30, start=900)})

    assert eventually(lambda: query("sum(driftline_scored_total)"), [2700.0]) == [2700.0]
    assert query("sum(driftline_correct_total) / sum(driftline_scored_total)") == [
        accuracy([*everything, *more])
    ]
