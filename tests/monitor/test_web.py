import http.client
import logging
import socket
from urllib.parse import urlsplit

import pytest

from monitor.web import Server, routes
from stream.errors import SettingError


def page(accept):
    """Return a page that tells what was asked for."""
    return f"asked for {accept}\n".encode(), "text/plain; version=0.0.4"


@pytest.fixture
def ready():
    """Give the checks that the server shows; a test may change them."""
    return {"main caught up": True}


@pytest.fixture
def server(ready):
    """Serve the three routes on a free loopback port."""
    with Server(routes(page, lambda: ready), host="127.0.0.1", port=0) as server:
        yield server


def ask(server, path, *, method="GET", **headers):
    """Return status and text of one request."""
    address = urlsplit(server.url)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=10)
    try:
        connection.request(method, path, headers=headers)
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


def test_metrics_are_given_as_asked_for(server):
    """The page and its type are the exporter's, for the format that was asked for."""
    assert ask(server, "/metrics", Accept="text/plain") == (200, "asked for text/plain\n")


def test_being_alive_depends_on_nothing(server, ready):
    """Liveness does not look at the figures: a restart would not mend them."""
    ready["main caught up"] = False

    assert ask(server, "/livez") == (200, "ok\n")


def test_readiness_waits_for_every_check(server, ready):
    """One check that fails makes the whole not ready; asked verbosely, it is named."""
    assert ask(server, "/readyz") == (200, "ready\n")
    ready["late caught up"] = False

    assert ask(server, "/readyz") == (503, "not ready\n")
    assert ask(server, "/readyz?verbose") == (
        503,
        "[+] main caught up\n[-] late caught up\nnot ready\n",
    )


@pytest.mark.parametrize("path", ["/metrics", "/livez", "/readyz"])
def test_there_is_nothing_to_post(server, path):
    """The monitor is only ever read."""
    assert ask(server, path, method="POST")[0] == 405


def test_a_page_that_rebinds_its_name_is_refused(server):
    """A request that came by a name of the outside is no request of this machine's user."""
    assert ask(server, "/metrics", Host="evil.example")[0] == 400
    assert ask(server, "/metrics", Host=f"localhost:{server.port}")[0] == 200


def test_a_taken_port_is_named_with_the_flag_that_changes_it(server):
    """Who starts a second monitor is told which port, and what to do."""
    with pytest.raises(SettingError, match=rf"port {server.port} .*--port"):
        Server([], host="127.0.0.1", port=server.port)


@pytest.mark.parametrize(
    ("host", "port", "flag"), [("127.0.0.1", 70000, "--port"), ("no such host", 0, "--host")]
)
def test_an_impossible_address_names_its_flag(host, port, flag):
    """A setting that cannot be is refused before anything is served."""
    with pytest.raises(SettingError, match=flag):
        Server([], host=host, port=port)


def test_an_open_port_is_warned_of_and_answers_to_any_name(ready, caplog):
    """Beyond loopback whoever reaches the port can read it, by whatever name."""
    with Server(routes(page, lambda: ready), host="0.0.0.0", port=0) as server:
        assert "not loopback" in caplog.text
        assert ask(server, "/livez", Host="monitor.example") == (200, "ok\n")


def test_loopback_is_not_warned_of(server, caplog):
    """The default is quiet."""
    assert caplog.records == []


def test_ipv6_loopback_is_loopback(ready):
    """An address with colons is bracketed in the URL, and answers."""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6")
    with Server(routes(page, lambda: ready), host="::1", port=0) as server:
        assert server.url == f"http://[::1]:{server.port}"
        assert ask(server, "/livez") == (200, "ok\n")
        assert ask(server, "/livez", Host="evil.example")[0] == 400


def test_a_server_ends_with_its_block(ready, caplog):
    """After the block nobody listens any more, and the port is free again."""
    caplog.set_level(logging.ERROR)
    with Server(routes(page, lambda: ready), host="127.0.0.1", port=0) as server:
        ask(server, "/livez")

    assert not server._thread.is_alive()
    Server([], host="127.0.0.1", port=server.port)._socket.close()
    assert caplog.records == []
