import contextlib
import http.client
import logging
import socket
import time

import pytest
from starlette.responses import PlainTextResponse
from starlette.routing import Route

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


def test_an_open_port_is_warned_of_and_answers_to_any_name(caplog):
    """Beyond loopback whoever reaches the port can read it, by whatever name."""
    with Server(ROUTES, host="0.0.0.0", port=0) as server:
        assert "not loopback" in caplog.text
        assert ask(server, "/page", Host="other.example") == (200, "a page")


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
