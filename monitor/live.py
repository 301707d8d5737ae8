"""One picture for all who look, rendered once however many they are, and sent as it changes."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

from stream.records import encode

lines = logging.getLogger(__name__)

OFTEN = 0.5
"""Seconds between two pictures, at least."""
SHARE = 10
"""A picture is followed by a rest of so many times what it took."""
BEAT = 5.0
"""Seconds after which a word is sent where nothing has changed."""
STAYS = 10.0
"""Seconds for which somebody who asked, or who has just left, counts as looking."""
RETRY = 1000
"""Milliseconds after which a browser that lost us asks again."""

_SAY = 60.0
"""Seconds between two lines that say why there is no picture."""

Render = Callable[[], Any]


class Once:
    """What `render` gives as JSON, from a thread, at most so often and once for all who ask."""

    def __init__(self, render: Render) -> None:
        self._render, self._lock = render, asyncio.Lock()
        self._body, self._until = b"", 0.0

    async def get(self) -> bytes:
        """Return the JSON text, a fresh one where the last is too old."""
        async with self._lock:
            if time.monotonic() >= self._until:
                began = time.monotonic()
                self._body = await asyncio.to_thread(lambda: encode(self._render()))
                ended = time.monotonic()
                self._until = ended + max(OFTEN, SHARE * (ended - began))
            return self._body


class Live:
    """The pictures of one learner, for every page that is open.

    All but `watched` belongs to the server's own loop. `hour` is in seconds of the epoch.
    """

    def __init__(
        self, state: Render, past: Render, hour: Callable[[], float] = time.time
    ) -> None:
        self.state, self.past = Once(state), Once(past)
        self._hour = hour
        self._watchers, self._asked = 0, -STAYS
        self._painted, self._version = b"", 0
        self._changed: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._painter: asyncio.Task[None] | None = None
        self._said_why = -_SAY
        self._closed = False

    @property
    def watched(self) -> bool:
        """Whether somebody looks."""
        return self._watchers > 0 or time.monotonic() - self._asked < STAYS

    def ask(self) -> None:
        """Count somebody who asks once as looking, for a while."""
        self._asked = time.monotonic()

    async def follow(self) -> AsyncIterator[bytes]:
        """Yield messages of server-sent events: the picture now, then each that differs.

        Who reads slowly is given the newest one and misses those between; who comes again
        needs nothing of the past. Ends when this is closed.
        """
        if not self._watchers:
            # What was painted when somebody last looked is no news by now. Its painter may
            # still be at work, and is to tell the newcomer even what has not changed since.
            self._painted, self._version = b"", 0
        seen = 0
        self._watchers += 1
        try:
            yield f"retry: {RETRY}\n\n".encode()
            while not self._closed:
                changed = self._paint()
                if self._version == seen:
                    try:
                        await asyncio.wait_for(changed.wait(), BEAT)
                    except TimeoutError:
                        yield self._said(b"beat", b"null")
                    continue
                seen = self._version
                yield self._said(b"state", self._painted)
        finally:
            self._watchers -= 1
            self.ask()  # a page that is loaded anew is away for a moment

    def close(self) -> None:
        """End all that is being followed; may be called from any thread."""
        self._closed = True
        if self._loop is not None and self._changed is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._changed.set)

    def _paint(self) -> asyncio.Event:
        """Return what will be set at the next change, which somebody is now looking for."""
        if self._changed is None or self._changed.is_set():
            self._changed = asyncio.Event()
        if self._painter is None or self._painter.done():
            self._loop = asyncio.get_running_loop()
            self._painter = self._loop.create_task(self._painting())
        return self._changed

    async def _painting(self) -> None:
        """Render as long as somebody looks."""
        while self._watchers and not self._closed:
            try:
                self._show(await self.state.get())
            except Exception as error:  # noqa: BLE001 - what fails now may well not the next time
                self._say(error)
            await asyncio.sleep(OFTEN)

    def _show(self, body: bytes) -> None:
        """Wake all who look, where a picture is another one than before."""
        if body != self._painted:
            self._painted = body
            self._version += 1
            if self._changed is not None:
                self._changed.set()

    def _say(self, error: Exception) -> None:
        """Say why there is no picture; seldom, as the next one may fail too, and the next."""
        now = time.monotonic()
        if now - self._said_why >= _SAY:
            self._said_why = now
            lines.warning("picture=none why=%r", error)

    def _said(self, kind: bytes, body: bytes) -> bytes:
        """Return a message: the hour at which it is sent, and the body, as a line of JSON."""
        now = encode(self._hour())
        return b'event: %b\ndata: {"now":%b,"body":%b}\n\n' % (kind, now, body)
