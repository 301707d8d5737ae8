import json
import threading
from contextlib import closing
from urllib.request import urlopen

import pytest

from monitor.doors import Doors
from monitor.follow import Follower
from stream.web import Server
from tests.monitor.made import Step, log_with, said, store
from tests.stream.asking import ask

RIGHT, WRONG = Step("up", "up"), Step("up", "down", events=["drift"])


@pytest.fixture
def follower():
    """Give a follower of two learners, of which one has said something."""
    log = log_with({0: said([RIGHT] * 90 + [WRONG] * 10, [(10, True)] * 10)})
    log.create("tale.late.outcomes", partitions=1)
    store(log, {0: said([WRONG] * 100, [(10, True)] * 10)}, name="late")
    follower = Follower(log, ["main", "late"], (20, 50))
    follower.catch_up()
    return follower


@pytest.fixture
def server(follower):
    """Serve the page on a free loopback port."""
    doors = Doors(follower, lambda: follower.caught_up)
    with Server(doors.routes, host="127.0.0.1", port=0) as server, closing(doors):
        yield server


@pytest.mark.parametrize(
    ("path", "kind", "has"),
    [
        ("/", "text/html", b"<title>driftline"),
        ("/static/page.css", "text/css", b"prefers-color-scheme"),
        ("/static/js/main.js", "text/javascript", b"import"),
        ("/static/vendor/echarts/echarts.min.js", "text/javascript", b"Apache ECharts"),
        ("/api/state", "application/json", b'"stream":"tale"'),
        ("/api/history", "application/json", b'"every"'),
        ("/events", "text/event-stream", b"retry"),
    ],
)
def test_everything_is_ours_and_nothing_else_may_run(server, path, kind, has):
    """Each answer says what it is, and that nothing from elsewhere may load or run."""
    with urlopen(server.url + path, timeout=10) as answer:
        headers = answer.headers
        found = answer.read1(200_000) if path == "/events" else answer.read()
    assert headers["content-type"].split(";")[0] in (kind, f"{kind}; charset=utf-8")
    assert has in found
    assert headers["x-content-type-options"] == "nosniff"
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'self';")
    assert "unsafe" not in policy
    assert headers["cache-control"] == "no-cache"


def test_the_page_itself_has_nothing_inline(server):
    """Every script and style is a file of ours: the policy keeps any other from working."""
    _, text = ask(server, "/")
    assert "style=" not in text
    assert "onclick" not in text
    assert "<script>" not in text
    assert "//" not in text.replace("<!doctype", "")


@pytest.mark.parametrize("path", ["/static/../run.py", "/static/%2e%2e/run.py", "/static/js"])
def test_only_the_files_of_the_page_are_given(server, path):
    """Nothing beside the folder, and no list of it."""
    assert ask(server, path)[0] == 404


def test_no_other_site_may_look(server):
    """A page from elsewhere is refused, and so is a name that is not this machine's."""
    for path in ("/", "/events", "/api/state"):
        assert ask(server, path, Origin="http://elsewhere.example")[0] == 403
        assert ask(server, path, Host="elsewhere.example")[0] == 400


def test_each_learner_has_its_page(server):
    """The first is shown unasked; of one that is not followed there is nothing."""
    shown = {
        name: json.loads(ask(server, f"/api/state{name}")[1])["figures"]["accuracy"]
        for name in ("", "?learner=main", "?learner=late")
    }
    assert shown == {"": 0.9, "?learner=main": 0.9, "?learner=late": 0.0}
    for path in ("/api/state", "/api/history", "/events"):
        assert ask(server, f"{path}?learner=nobody")[0] == 404


def test_who_looks_wakes_the_follower(server, follower):
    """The past is read, and mistakes are looked up, from the first look on."""
    assert not follower.watched()
    ask(server, "/api/history")
    assert follower.watched()
    while min(follower.recalled) < 1.0:
        follower.step()
    history = json.loads(ask(server, "/api/history?learner=late")[1])
    assert history["recalled"] == 1.0
    assert len(history["story"]) == 100


def test_a_picture_that_fails_is_an_answer_too(server, monkeypatch):
    """Who asks once is told that it failed, each time, and has the next that does not."""

    def fails(*_, **__):
        raise ValueError("no picture today")

    with monkeypatch.context() as patch:
        patch.setattr("monitor.doors.picture", fails)
        patch.setattr("monitor.doors.whole", fails)
        for path in ("/api/state", "/api/history") * 2:
            assert ask(server, path)[0] == 500
    for path in ("/api/state", "/api/history"):
        assert ask(server, path)[0] == 200


def test_an_open_page_does_not_hold_the_end_up(follower):
    """A server that ends lets go of who follows it, quietly and at once."""
    doors = Doors(follower, lambda: follower.caught_up)
    opened = threading.Event()
    ended = []

    def follow(url):
        with urlopen(f"{url}/events", timeout=10) as answer:
            answer.read1(100_000)
            opened.set()
            ended.append(answer.read())

    with Server(doors.routes, host="127.0.0.1", port=0) as server, closing(doors):
        reader = threading.Thread(target=follow, args=(server.url,))
        reader.start()
        assert opened.wait(10)
    reader.join(10)
    assert len(ended) == 1


def test_nothing_is_posted(server):
    """The page only ever reads."""
    for path in ("/", "/api/state", "/api/history", "/events"):
        assert ask(server, path, method="POST")[0] == 405
