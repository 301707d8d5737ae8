import pytest

from stream.pages import routes
from stream.web import Server
from tests.stream.asking import ask


def page(accept):
    """Return a page that tells what was asked for."""
    return f"asked for {accept}\n".encode(), "text/plain; version=0.0.4"


@pytest.fixture
def ready():
    """Give the checks that the server shows; a test may change them."""
    return {"started": True}


@pytest.fixture
def server(ready):
    """Serve the three routes on a free loopback port."""
    with Server(routes(page, lambda: ready), host="127.0.0.1", port=0) as server:
        yield server


def test_metrics_are_given_as_asked_for(server):
    """The page and its type are for the format that was asked for."""
    assert ask(server, "/metrics", Accept="text/plain") == (200, "asked for text/plain\n")


def test_readiness_waits_for_every_check_and_liveness_for_none(server, ready):
    """One check that fails makes the whole not ready; asked verbosely, it is named."""
    assert ask(server, "/readyz") == (200, "ready\n")
    ready["goes on"] = False

    assert ask(server, "/livez") == (200, "ok\n")
    assert ask(server, "/readyz") == (503, "not ready\n")
    assert ask(server, "/readyz?verbose") == (
        503,
        "[+] started\n[-] goes on\nnot ready\n",
    )


@pytest.mark.parametrize("path", ["/metrics", "/livez", "/readyz"])
def test_there_is_nothing_to_post(server, path):
    """The pages are only ever read."""
    assert ask(server, path, method="POST")[0] == 405
