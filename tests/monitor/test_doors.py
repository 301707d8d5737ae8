import json
import subprocess
import sys
import time
from contextlib import closing, contextmanager

from monitor import doors
from monitor.follow import Follower
from stream.web import Server
from tests.monitor.made import ANOMALIES, CLASSES, NUMBERS, Step, log_with, said
from tests.stream.asking import ask

RIGHT, WRONG = Step("up", "up"), Step("up", "down", p_pred=0.75)
STEPS = {
    CLASSES: ([RIGHT, RIGHT, WRONG], {"accuracy", "baselines"}, "kappa", "prequential_kappa"),
    NUMBERS: (
        [Step(1.0, 2.0), Step(3.0, 3.0)],
        {"mae", "rmse", "baselines"},
        "smape",
        "prequential_smape_ratio",
    ),
    ANOMALIES: ([Step(False, 0.1), Step(True, 0.9)], set(), "anomalies", "anomalies_ratio"),
}


@contextmanager
def served(task, steps):
    """Give the address of a follower's doors."""
    follower = Follower(log_with({0: said(steps, [(9, True)], task=task)}), ["main"], (5,))
    follower.catch_up()
    opened = doors.Doors(follower, lambda: follower.caught_up)
    with Server(opened.routes, host="127.0.0.1", port=0) as server, closing(opened):
        yield server


def shown(server):
    """Return whether a picture is detailed, and the figures of its window."""
    state = json.loads(ask(server, "/api/state")[1])
    return state["detailed"], state["figures"]["windows"]["5"]


def test_a_picture_need_not_wait_for_the_libraries(monkeypatch):
    """The first has scores and baselines and says that more will come; a scrape has all."""
    monkeypatch.setattr(doors, "LATER", 3600.0)
    for task, (steps, plain, _, metric) in STEPS.items():
        with served(task, steps) as server:
            detailed, window = shown(server)
            assert not detailed
            assert window.keys() == plain
            assert f"\ndriftline_{metric}{{" in ask(server, "/metrics")[1]


def test_later_every_figure_is_there(monkeypatch):
    """Without being asked for, and for every task."""
    monkeypatch.setattr(doors, "LATER", 0.0)
    for task, (steps, plain, more, _) in STEPS.items():
        with served(task, steps) as server:
            deadline = time.monotonic() + 30
            while not shown(server)[0]:
                assert time.monotonic() < deadline
                time.sleep(0.05)
            assert {*plain, more} <= shown(server)[1].keys()


def test_the_page_is_served_before_any_of_the_large_libraries_is_in():
    """They take longer to come in than all the rest of a start."""
    lines = "import sys, monitor.run, monitor.doors, stream.web; print(*sys.modules)"
    found = subprocess.run([sys.executable, "-c", lines], capture_output=True, check=True)
    assert not {"river", "sklearn", "scipy", "numpy", "pandas"} & {
        *found.stdout.decode().split()
    }
