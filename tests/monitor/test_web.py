import pytest

from monitor.web import routes
from stream.web import Server
from tests.stream.asking import ask


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
