"""A door to the network: serves routes over HTTP from a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import os
import socket
import sys
import threading
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from stream.errors import SettingError

lines = logging.getLogger(__name__)

ALLOWED_HOSTS = "DRIFTLINE_ALLOWED_HOSTS"
"""Environment variable: names, with commas between, by which a service off loopback may
be called, besides addresses, names without a dot, its machine's own and private ones."""
PRIVATE_NAMES = (
    ".local",
    ".internal",
    ".localdomain",
    ".svc",
    ".svc.cluster.local",
    ".home.arpa",
)
"""Ends of names that no public DNS server gives out."""
LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]", "::1")
"""What a browser may call this host; any other name would be a page that rebinds DNS."""


MOST = 256
"""Connections that may be open at once, if the process may have that many files."""
PATIENCE = 10.0
"""Seconds in which the head of a request must have come."""
_HELD = 2048
"""Connections that the kernel holds until they are accepted."""
_SAY = 60.0
"""Seconds between two lines that say that connections are refused."""


def room() -> int:
    """Return how many connections may be open: at most a quarter of the files there may be.

    The others are those of the log and of whatever else the process does.
    """
    if sys.platform == "win32":  # it sets no such limit
        return MOST
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST if soft == resource.RLIM_INFINITY else max(1, min(MOST, soft // 4))


class _SameOrigin:
    """Lets no page of another site ask in a browser's name.

    Such a page may send what it likes to any address; only its answer is kept from it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        origin = headers.get("origin")
        if origin is not None and origin.partition("//")[2] != headers.get("host"):
            answer = PlainTextResponse("a page of another site may not ask here\n", 403)
            await answer(scope, receive, send)
        else:
            await self._app(scope, receive, send)


class _KnownNames:
    """Answers nobody who calls this host by a name that anyone in the world could own.

    A page that rebinds the DNS name of its own site to our address would be of one origin
    with us. An address is no name, a name without a dot is of a network of one's own, and so
    are those under `PRIVATE_NAMES`.
    """

    def __init__(self, app: ASGIApp, allowed: Sequence[str]) -> None:
        self._app, self._allowed = app, {name.lower() for name in allowed}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        name = Headers(scope=scope).get("host", "").lower()
        name = name.removesuffix(f":{name.rpartition(':')[2]}") if _has_port(name) else name
        if self._knows(name.strip("[]").removesuffix(".")):
            await self._app(scope, receive, send)
            return
        answer = PlainTextResponse(
            f"this host goes by another name; list it in {ALLOWED_HOSTS} where it is started\n",
            400,
        )
        await answer(scope, receive, send)

    def _knows(self, name: str) -> bool:
        if "." not in name or name in self._allowed or name.endswith(PRIVATE_NAMES):
            return True
        with contextlib.suppress(ValueError):
            return bool(ipaddress.ip_address(name))
        return False


def _has_port(host: str) -> bool:
    return host.rpartition(":")[2].isdigit() and not host.endswith("]")


class _Guarded(H11Protocol):
    """A connection that is closed when there are too many, or when it keeps us waiting."""

    _said = -_SAY
    _waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        if len(self.connections) > room():
            self._say()
            transport.abort()
        else:
            self._watch()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._let_be()

    def _watch(self) -> None:
        """Wait, but not for ever, wherever no request is under way."""
        if self.cycle is not None and not self.cycle.response_complete:
            self._let_be()
        elif self._waiting is None:
            self._waiting = self.loop.call_later(PATIENCE, self.transport.abort)

    def _let_be(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    @classmethod
    def _say(cls) -> None:
        now = time.monotonic()
        if now - cls._said >= _SAY:
            cls._said = now
            lines.warning("refused_connection why='%d are open, as many as may be'", room())


class _Server(uvicorn.Server):
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and let the kernel hold more than are accepted in one go.

        asyncio accepts as many at once as its backlog has, before any is seen to be too
        many; but a kernel with so little room would make honest ones wait for a second.
        """
        await super().startup(sockets)
        for listening in sockets or ():
            listening.listen(_HELD)


class Server:
    """Serves routes from a thread of its own, between `with` and its end.

    Listens once made: raises `SettingError` when it cannot. Port 0 takes a free one. On a
    loopback address only requests to a loopback name are answered, and nowhere those that a
    page of another site sends. Anywhere else the name must be
    one of a private network, or of `ALLOWED_HOSTS`, and a line warns that everyone who can
    reach the port can read it.
    """

    def __init__(self, routes: Sequence[BaseRoute], *, host: str, port: int) -> None:
        self._socket = _listen(host, port)
        address: str = self._socket.getsockname()[0]
        self.port: int = self._socket.getsockname()[1]
        self.url = f"http://{f'[{address}]' if ':' in address else address}:{self.port}"
        middleware = [Middleware(_SameOrigin)]
        if ipaddress.ip_address(address).is_loopback:
            middleware += [
                Middleware(
                    TrustedHostMiddleware, allowed_hosts=LOOPBACK_NAMES, www_redirect=False
                )
            ]
        else:
            allowed = os.environ.get(ALLOWED_HOSTS, "").replace(",", " ").split()
            names = [*allowed, socket.gethostname()]
            middleware += [Middleware(_KnownNames, allowed=names)]
            lines.warning(
                "open_to=%s why='--host is not loopback; whoever reaches it can read it'",
                self.url,
            )
        self._server = _Server(
            uvicorn.Config(
                Starlette(routes=routes, middleware=middleware),
                http=_Guarded,
                ws="none",
                loop="asyncio",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=1,
                backlog=max(1, room() // 4),
            )
        )
        self._thread = threading.Thread(
            target=self._server.run, args=([self._socket],), name="web", daemon=True
        )

    def __enter__(self) -> Server:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.should_exit = True
        self._thread.join(timeout=5.0)
        self._socket.close()


def _listen(host: str, port: int) -> socket.socket:
    if not 0 <= port <= 65535:
        raise SettingError(f"--port must be a whole number from 0 to 65535, got {port!r}")
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except socket.gaierror as error:
        raise SettingError(f"--host {host!r} is no address of this machine: {error}") from error
    try:
        listening = socket.create_server(address[:2], family=family)
    except OSError as error:
        raise SettingError(
            f"cannot listen on {host} port {port} ({error.strerror}); "
            "choose another with --port, or 0 for a free one"
        ) from error
    # Head and body of an answer leave apart; the kernel would hold the body back for 40 ms.
    # What is accepted inherits this.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening
