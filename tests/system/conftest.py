"""What the tests of whole processes share."""

import random
import uuid

import pytest

from tests.system.browsing import Visit, browsing
from tests.system.campaigns import Campaign
from tests.system.lives import SEED, Nursery
from tests.system.streams import produce, seen


@pytest.fixture(scope="session")
def nursery(tmp_path_factory):
    """Give a place from which processes start without importing everything again."""
    nursery = Nursery(tmp_path_factory.mktemp("nursery"))
    yield nursery
    nursery.close()


@pytest.fixture
def kafka_stream(kafka):
    """Give the address of a stream on Kafka that nobody else has."""
    return f"kafka://{kafka}/t-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def campaign(nursery, tmp_path):
    """Give a function that kills a learner of a stream again and again."""

    def campaign(
        url, settings, turn, *, seed, kills, end, exactly_once=True, plants=(), beside=None
    ):
        state, key = tmp_path / "state", tmp_path / "key"
        key.write_text("k" * 40)

        def learn(name, *more):
            common = ["--stream", url, "--state", state, "--turn", turn, "--name", name]
            # Who has a name of its own need not wait for its last life's session to run out.
            common += ["--member", "a", "--key-file", key]
            # Nobody plants a bug in the oracle.
            planted = plants if name == "main" else ()
            return nursery.start(
                "learn", *common, *settings, *more, cwd=tmp_path, plants=planted
            )

        killing = Campaign(
            url,
            state,
            learn,
            lambda name: seen(nursery, url, name, cwd=tmp_path),
            exactly_once=exactly_once,
            beside=beside,
        )
        return killing.run(random.Random(SEED + seed), kills, end)

    return campaign


@pytest.fixture(scope="module")
def late(nursery, tmp_path_factory):
    """Give an embedded log in which labels come late and the world changes five times."""
    folder = tmp_path_factory.mktemp("late")
    url = f"sqlite:{folder / 's.db'}"
    more = ("--label-delay", 30, "--stream", url)
    nursery.run(*produce(3000, *more), cwd=folder)
    return url


@pytest.fixture(scope="module")
def browser():
    """Give one browser to all tests."""
    with browsing() as browser:
        yield browser


@pytest.fixture
def visit(browser):
    """Give a function that opens a page, and hold each page to what it must never do."""
    visits = []

    def open_page(url, **size):
        visits.append(Visit(browser, url, **size))
        return visits[-1]

    yield open_page
    for each in visits:
        each.close()
    assert [each.faults for each in visits] == [[] for _ in visits]
