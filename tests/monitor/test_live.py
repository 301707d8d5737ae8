import asyncio
import json

import pytest

from monitor import live
from monitor.live import Live


class Painter:
    """Counts how often it is asked for a picture, which changes only when told to.

    It fails as long as there is a `fault`.
    """

    def __init__(self):
        self.asked, self.picture, self.fault = 0, "first", None

    def __call__(self):
        self.asked += 1
        if self.fault:
            raise self.fault
        return self.picture


@pytest.fixture
def painter(monkeypatch):
    """Give a painter that is asked without much waiting."""
    monkeypatch.setattr(live, "OFTEN", 0.01)
    monkeypatch.setattr(live, "BEAT", 0.1)
    return Painter()


def parts(message):
    """Return kind, hour and content of a message."""
    kind, data = message.decode().removesuffix("\n\n").split("\n")
    told = json.loads(data.removeprefix("data: "))
    return kind.removeprefix("event: "), told["now"], told["body"]


async def next_of(follower, kind="state"):
    """Return the content of the next message of a kind."""
    async for message in follower:
        if message.startswith(f"event: {kind}".encode()):
            return parts(message)[2]
    return None


def test_all_pages_share_one_picture(painter):
    """Fifty who look cost as much painting as one, and all see the same."""

    async def look():
        lively = Live(painter, painter)
        followers = [lively.follow() for _ in range(50)]
        first = await asyncio.gather(*map(next_of, followers))
        asked = painter.asked
        painter.picture = "second"
        second = await asyncio.gather(*map(next_of, followers))
        lively.close()
        for each in followers:
            await each.aclose()
        return first, asked, second

    first, asked, second = asyncio.run(look())
    assert (first, second) == (["first"] * 50, ["second"] * 50)
    assert asked < 10


def test_what_does_not_change_is_not_sent_again(painter):
    """Only a beat tells that the line is alive, and who comes later is shown all at once."""

    async def look():
        lively = Live(painter, painter)
        early, late = lively.follow(), lively.follow()
        seen = [await next_of(early), await next_of(early, "beat"), await next_of(late)]
        for each in (early, late):
            await each.aclose()
        return seen

    assert asyncio.run(look()) == ["first", None, "first"]


def test_who_comes_later_is_told_the_hour_at_which_they_come(painter):
    """However old the picture is: by that hour a page tells how old the last news is."""
    hours = [1000.0]

    async def look():
        lively = Live(painter, painter, hour=lambda: hours[-1])
        early, late = lively.follow(), lively.follow()
        await next_of(early)
        hours.append(4600.0)
        await anext(late)
        kind, hour, _ = parts(await anext(late))
        for each in (early, late):
            await each.aclose()
        return kind, hour

    assert asyncio.run(look()) == ("state", 4600.0)


def test_nobody_looks_nothing_is_painted(painter, monkeypatch):
    """The last to leave ends the painting; who asked once, or left, counts for a while."""
    monkeypatch.setattr(live, "STAYS", 0.2)

    async def look():
        lively = Live(painter, painter)
        states = [lively.watched]
        follower = lively.follow()
        await next_of(follower)
        states.append(lively.watched)
        await follower.aclose()
        states.append(lively.watched)
        await asyncio.sleep(0.1)
        asked = painter.asked
        await asyncio.sleep(0.3)
        states.append(lively.watched)
        lively.ask()
        return states, painter.asked - asked, lively.watched

    assert asyncio.run(look()) == ([False, True, True, False], 0, True)


def test_who_comes_as_the_last_one_leaves_is_shown_all(painter, monkeypatch):
    """Even where the painter has not yet seen that nobody looked, and nothing has changed."""
    monkeypatch.setattr(live, "OFTEN", 0.2)

    async def look():
        lively = Live(painter, painter)
        seen = []
        for _ in range(3):
            follower = lively.follow()
            seen.append(await asyncio.wait_for(next_of(follower), 2.0))
            await follower.aclose()
        return seen

    assert asyncio.run(look()) == ["first"] * 3


def test_a_picture_that_fails_is_tried_again(painter, monkeypatch, caplog):
    """A page is shown the next one as soon as there is one; one line tells why none came."""
    monkeypatch.setattr(live, "BEAT", 60.0)

    async def fail(times):
        painter.fault, until = ValueError("a\nb"), painter.asked + times
        while painter.asked < until:
            await asyncio.sleep(0.01)
        painter.picture, painter.fault = "second", None

    async def look():
        follower = Live(painter, painter).follow()
        await next_of(follower)
        async with asyncio.timeout(5.0):
            seen, _ = await asyncio.gather(next_of(follower), fail(5))
        await follower.aclose()
        return seen

    assert asyncio.run(look()) == "second"
    assert caplog.messages == [r"picture=none why=ValueError('a\nb')"]


def test_closing_ends_every_page(painter, monkeypatch):
    """A monitor that ends keeps no page waiting, not even for the next beat."""
    monkeypatch.setattr(live, "BEAT", 60.0)

    async def look():
        lively = Live(painter, painter)
        follower = lively.follow()
        await next_of(follower)
        waiting = asyncio.create_task(next_of(follower))
        await asyncio.sleep(0.05)
        await asyncio.to_thread(lively.close)
        return await asyncio.wait_for(waiting, 5.0)

    assert asyncio.run(look()) is None


def test_a_picture_is_followed_by_a_rest(monkeypatch):
    """However many ask, one that takes long is not painted all the time."""
    monkeypatch.setattr(live, "OFTEN", 0.0)
    painter = Painter()

    async def ask():
        state = Live(painter, painter).state
        for _ in range(50):
            assert await state.get() == b'"first"'

    asyncio.run(ask())
    assert painter.asked < 50
