"""Requests and responses: bodies that are bounded, refusals that are JSON."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from learner.serving.desk import AGAIN, ROOM, Desk, Refused, refusal_of
from learner.serving.questions import MAX_BODY
from stream.errors import RecordError
from stream.records import encode

_PATIENCE = 5.0
"""Seconds in which a body must have come."""
_THROWN_AWAY = 16 * MAX_BODY
"""Bytes of a body too large that are read before it is refused, at most."""
_MOMENT = 1.0
"""Seconds in which that is done."""

Endpoint = Callable[[Request], Awaitable[Response]]
Said = Callable[[Refused], dict[str, str]]


def in_full(refused: Refused) -> dict[str, str]:
    """Return what is said of a refusal: its code, and a sentence."""
    return {"error": refused.reason, "message": str(refused)}


def answering(desk: Desk, endpoint: Endpoint, say: Said = in_full) -> Endpoint:
    """Return an endpoint that counts what it answers, and says why where it does not."""

    async def answer(request: Request) -> Response:
        try:
            with _Room(desk):
                response = await endpoint(request)
        except RecordError as error:
            return _refuse(desk, refusal_of(error), say)
        except Refused as refused:
            return _refuse(desk, refused, say)
        except ClientDisconnect:
            desk.refused += 1
            return Response(status_code=400)  # nobody is there to read it
        desk.asked += 1
        return response

    return answer


class _Room:
    """A place among those that are under way. Raises `Refused` where there is none."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def __enter__(self) -> None:
        if self._desk.under_way >= ROOM:
            raise Refused(503, "busy", f"{ROOM} requests are under way; ask again soon")
        self._desk.under_way += 1

    def __exit__(self, *_: object) -> None:
        self._desk.under_way -= 1


def _refuse(desk: Desk, refused: Refused, say: Said) -> Response:
    desk.refused += 1
    headers = {}
    if refused.status == 503:
        headers["retry-after"] = str(AGAIN)
    if refused.status in (408, 413, 415):
        headers["connection"] = "close"  # what is left of the body is not read
    return as_json(say(refused), status=refused.status, headers=headers)


def as_json(
    content: Any, *, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    """Return a response of JSON; bytes are JSON already."""
    text = content if isinstance(content, bytes) else encode(content)
    return Response(text, status, headers, media_type="application/json")


async def body_of(request: Request) -> bytes:
    """Return the body of a request. Raises `Refused` for one too large, slow or of no JSON."""
    kind = request.headers.get("content-type", "application/json")
    if kind.partition(";")[0].strip().lower() != "application/json":
        raise Refused(
            415, "content_type", f"Content-Type must be application/json, got {kind!r}"
        )
    length = request.headers.get("content-length", "")
    large, body = length.isdecimal() and int(length) > MAX_BODY, bytearray()
    pieces = request.stream()
    try:
        async with asyncio.timeout(_PATIENCE):
            while not large and (piece := await anext(pieces, None)) is not None:
                body += piece
                large = len(body) > MAX_BODY
    except TimeoutError:
        raise Refused(408, "slow", f"the body did not come within {_PATIENCE:g} s") from None
    if large:
        await _let_go(pieces)
        raise _too_large()
    return bytes(body)


async def _let_go(pieces: AsyncIterator[bytes]) -> None:
    """Throw away a good deal of a body that is too large.

    Who is still sending when the connection is closed never reads why.
    """
    left = _THROWN_AWAY
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_MOMENT):
            while left > 0 and (piece := await anext(pieces, None)) is not None:
                left -= len(piece)


def _too_large() -> Refused:
    return Refused(
        413, "too_large", f"a body may have {MAX_BODY} bytes; ask in several requests"
    )
