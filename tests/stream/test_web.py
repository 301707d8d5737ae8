import contextlib
import http.client
import logging
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from stream import web
from stream.errors import SettingError
from stream.web import Server
from tests.stream.asking import ask

ROUTES = [Route("/page", lambda _: PlainTextResponse("a page"))]


@pytest.fixture
def server():
    """Serve a page on a free loopback port."""
    with Server(ROUTES, host="127.0.0.1", port=0) as server:
        yield server


def test_a_page_that_rebinds_its_name_is_refused(server):
    """A request that came by a name of the outside is no request of this machine's user."""
    assert ask(server, "/page", Host="evil.example")[0] == 400
    assert ask(server, "/page", Host=f"localhost:{server.port}")[0] == 200


def test_a_page_of_another_site_asks_in_vain(server):
    """A browser sends what such a page wants sent, and says whose it is."""
    mine = f"http://127.0.0.1:{server.port}"
    assert ask(server, "/page", Origin=mine) == (200, "a page")
    for origin in (
        "https://evil.example",
        "null",
        f"http://127.0.0.1:{server.port + 1}",
        "http://[",
        "",
    ):
        assert ask(server, "/page", Origin=origin)[0] == 403, origin


def test_a_taken_port_is_named_with_the_flag_that_changes_it(server):
    """Who starts a second service is told which port, and what to do."""
    with pytest.raises(SettingError, match=rf"port {server.port} .*--port"):
        Server([], host="127.0.0.1", port=server.port)


@pytest.mark.parametrize(
    ("host", "port", "flag"), [("127.0.0.1", 70000, "--port"), ("no such host", 0, "--host")]
)
def test_an_impossible_address_names_its_flag(host, port, flag):
    """A setting that cannot be is refused before anything is served."""
    with pytest.raises(SettingError, match=flag):
        Server([], host=host, port=port)


def test_an_open_port_is_warned_of_and_answers_to_names_that_nobody_else_can_own(caplog):
    """A page that rebinds a public name is refused there too, unless the name is allowed."""
    known = (
        "10.0.0.7",
        "monitor",
        "monitor:8000",
        "[fd00::1]:8000",
        "a.driftline.svc",
        "B.Local",
    )
    with Server(ROUTES, host="0.0.0.0", port=0) as server:
        assert "not loopback" in caplog.text
        for name in known:
            assert ask(server, "/page", Host=name) == (200, "a page")
        for name in (
            "other.example",
            "other.example:8000",
            "10.0.0.7.example",
            "local.example.",
        ):
            code, text = ask(server, "/page", Host=name)
            assert (code, "DRIFTLINE_ALLOWED_HOSTS" in text) == (400, True)


def test_names_that_are_allowed_are_answered(monkeypatch):
    """As behind a proxy that hands on the name it was called by."""
    monkeypatch.setenv("DRIFTLINE_ALLOWED_HOSTS", "other.example, third.example")
    with Server(ROUTES, host="0.0.0.0", port=0) as server:
        for name in ("other.example", "Third.Example:443"):
            assert ask(server, "/page", Host=name) == (200, "a page")
        assert ask(server, "/page", Host="fourth.example")[0] == 400


def test_loopback_is_not_warned_of(server, caplog):
    """The default is quiet."""
    assert caplog.records == []


def test_ipv6_loopback_is_loopback():
    """An address with colons is bracketed in the URL, and answers."""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6")
    with Server(ROUTES, host="::1", port=0) as server:
        assert server.url == f"http://[::1]:{server.port}"
        assert ask(server, "/page") == (200, "a page")
        assert ask(server, "/page", Host="evil.example")[0] == 400


def test_a_server_ends_with_its_block(caplog):
    """After the block nobody listens any more, and the port is free again."""
    caplog.set_level(logging.ERROR)
    with Server(ROUTES, host="127.0.0.1", port=0) as server:
        ask(server, "/page")

    assert not server._thread.is_alive()
    Server([], host="127.0.0.1", port=server.port)._socket.close()
    assert caplog.records == []


def test_an_answer_on_a_connection_that_stays_open_is_not_held_back(server):
    """Its body follows its head at once, not after the 40 ms of a kernel that saves packets."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    took = []
    with contextlib.closing(connection):
        for _ in range(60):
            began = time.perf_counter()
            connection.request("GET", "/page")
            assert connection.getresponse().read() == b"a page"
            took.append(time.perf_counter() - began)

    assert min(took[-20:]) < 0.03


def closed(plug, patience):
    """Return whether the other side closes a connection in so many seconds."""
    plug.settimeout(patience)
    try:
        return plug.recv(1) == b""
    except ConnectionError:
        return True
    except TimeoutError:
        return False


def connected(server):
    """Return a connection that has said nothing yet."""
    return socket.create_connection(("127.0.0.1", server.port), timeout=10)


PAGE = b"GET /page HTTP/1.1\r\nHost: localhost\r\n"


@pytest.mark.parametrize(
    "said", [b"", PAGE, PAGE + b"Content-Length: 9\r\n\r\n1", PAGE + b"\r\n" + PAGE]
)
def test_one_who_keeps_it_waiting_for_a_request_is_left(server, monkeypatch, said):
    """Whether nothing comes, half a head, or after an answer a byte now and then."""
    monkeypatch.setattr(web, "PATIENCE", 0.5)
    with connected(server) as plug:
        plug.sendall(said)
        deadline = time.monotonic() + 20
        with contextlib.suppress(ConnectionError):
            while time.monotonic() < deadline:
                if said:
                    plug.sendall(b"x")
                plug.settimeout(0.1)
                with contextlib.suppress(TimeoutError):
                    if not plug.recv(65536):
                        break
        assert time.monotonic() < deadline


def test_one_who_is_answered_is_waited_for(monkeypatch):
    """However long an answer takes; and the next request may come on the same connection."""
    monkeypatch.setattr(web, "PATIENCE", 0.3)

    def slow(_):
        time.sleep(0.9)
        return PlainTextResponse("slow")

    with Server([Route("/slow", slow), *ROUTES], host="127.0.0.1", port=0) as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
        kept = None
        with contextlib.closing(connection):
            for path, text in (("/slow", b"slow"), ("/page", b"a page"), ("/slow", b"slow")):
                connection.request("GET", path)
                assert connection.getresponse().read() == text
                kept = kept or connection.sock
                assert connection.sock is kept
                time.sleep(0.5)


def test_no_more_connections_are_open_than_there_is_room_for(server, monkeypatch, caplog):
    """One too many is closed at once, which is said; who was there before is answered."""
    monkeypatch.setattr(web, "room", lambda: 3)
    monkeypatch.setattr(web._Guarded, "_said", -web._SAY)
    with contextlib.ExitStack() as plugs:
        first, *others = [plugs.enter_context(connected(server)) for _ in range(3)]
        assert not any(closed(plug, 0.2) for plug in (first, *others))
        many = [plugs.enter_context(connected(server)) for _ in range(20)]
        assert all(closed(plug, 5) for plug in many)
        first.settimeout(10)
        first.sendall(PAGE + b"Connection: close\r\n\r\n")
        assert first.recv(65536).startswith(b"HTTP/1.1 200 OK")

    assert [line.message for line in caplog.records] == [
        "refused_connection why='3 are open, as many as may be'"
    ]
    deadline = time.monotonic() + 5
    while True:
        with contextlib.suppress(ConnectionError):
            assert ask(server, "/page") == (200, "a page")
            break
        assert time.monotonic() < deadline


FLOOD = """
import resource, socket, sys, os
resource.setrlimit(resource.RLIMIT_NOFILE, (128, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
from stream.web import Server
with Server([], host="127.0.0.1", port=0) as server:
    print(server.port, flush=True)
    for _ in sys.stdin:
        print(len(os.listdir("/proc/self/fd")), flush=True)
"""


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="no list of open files here")
def test_silent_connections_leave_a_process_the_most_of_its_files():
    """Of 128 files some are always left, however many connect at once."""
    asked = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with (
        subprocess.Popen([sys.executable, "-c", FLOOD], **asked) as process,
        contextlib.ExitStack() as plugs,
    ):
        port = int(process.stdout.readline())
        for _ in range(300):
            with contextlib.suppress(OSError):
                plugs.enter_context(socket.create_connection(("127.0.0.1", port), timeout=5))
        process.stdin.write("how many\n")
        process.stdin.flush()
        assert int(process.stdout.readline()) < 110
        process.stdin.close()
        assert process.wait(20) == 0
