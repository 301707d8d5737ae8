"""The live page over HTTP: its files, the picture now, and the pictures that follow."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files

from sse_starlette import EventSourceResponse
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from monitor.live import Live

SAFE = {
    # What the page is made of comes from here and is a file; nothing else may run or load.
    "content-security-policy": "default-src 'self'; object-src 'none'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-cache",
}
"""Headers of everything a browser is given."""


def pages(lives: Mapping[str, Live]) -> list[BaseRoute]:
    """Return the routes of the page, for the learners by name; the first is shown unasked."""
    static = str(files("monitor") / "static")

    def page(_: Request) -> Response:
        return FileResponse(f"{static}/page.html", headers=SAFE)

    async def state(request: Request) -> Response:
        return await _told(lives, request, "state")

    async def history(request: Request) -> Response:
        return await _told(lives, request, "past")

    async def events(request: Request) -> Response:
        live = _live(lives, request)
        return _unknown() if live is None else EventSourceResponse(live.follow(), headers=SAFE)

    return [
        Route("/", page, methods=["GET"]),
        Route("/api/state", state, methods=["GET"]),
        Route("/api/history", history, methods=["GET"]),
        Route("/events", events, methods=["GET"]),
        Mount("/static", _Files(directory=static)),
    ]


class _Files(StaticFiles):
    """Files with our headers; a browser asks each time whether its copy is the newest."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return the file, or why not."""
        response = await super().get_response(path, scope)
        response.headers.update(SAFE)
        return response


async def _told(lives: Mapping[str, Live], request: Request, what: str) -> Response:
    if (live := _live(lives, request)) is None:
        return _unknown()
    live.ask()
    return _json(await getattr(live, what).get())


def _live(lives: Mapping[str, Live], request: Request) -> Live | None:
    return lives.get(request.query_params.get("learner", next(iter(lives))))


def _json(body: bytes) -> Response:
    return Response(body, media_type="application/json", headers=SAFE)


def _unknown() -> Response:
    return PlainTextResponse("no such learner is followed here\n", 404, headers=SAFE)
