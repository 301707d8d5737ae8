"""A door to the network: serves routes over HTTP from a thread of its own."""

from __future__ import annotations

import ipaddress
import logging
import socket
import threading
from collections.abc import Sequence
from types import TracebackType

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.routing import BaseRoute

from stream.errors import SettingError

lines = logging.getLogger(__name__)

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]", "::1")
"""What a browser may call this host; any other name would be a page that rebinds DNS."""


class Server:
    """Serves routes from a thread of its own, between `with` and its end.

    Listens once made: raises `SettingError` when it cannot. Port 0 takes a free one. On a
    loopback address only requests to a loopback name are answered; anywhere else a line
    warns that everyone who can reach the port can read it.
    """

    def __init__(self, routes: Sequence[BaseRoute], *, host: str, port: int) -> None:
        self._socket = _listen(host, port)
        address: str = self._socket.getsockname()[0]
        self.port: int = self._socket.getsockname()[1]
        self.url = f"http://{f'[{address}]' if ':' in address else address}:{self.port}"
        middleware = []
        if ipaddress.ip_address(address).is_loopback:
            middleware = [
                Middleware(
                    TrustedHostMiddleware, allowed_hosts=LOOPBACK_NAMES, www_redirect=False
                )
            ]
        else:
            lines.warning(
                "open_to=%s why='--host is not loopback; whoever reaches it can read it'",
                self.url,
            )
        self._server = uvicorn.Server(
            uvicorn.Config(
                Starlette(routes=routes, middleware=middleware),
                http="h11",
                ws="none",
                loop="asyncio",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=1,
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
