"""What a learner answers over HTTP: /predict, /predictions/ID, /livez, /readyz."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from learner.serving.desk import Desk, Refused
from learner.serving.http import answering, as_json, body_of
from learner.serving.inference import inference_routes
from learner.serving.questions import decode_question, place_of


def routes(desk: Desk) -> list[Route]:
    """Return all routes of a learner, its answers coming over a desk."""

    async def predict(request: Request) -> Response:
        asked = decode_question(await body_of(request))
        known = desk.known()
        p = place_of(known.partitions, partition=asked.partition, key=asked.key, id=asked.id)
        served = await desk.ask(p, asked.xs)
        for each, x in zip(served, asked.xs, strict=True):
            each.id = asked.id
            each.compare(x, desk.features)
        return as_json({"predictions": served} if asked.many else served[0])

    async def prediction(request: Request) -> Response:
        id, key = request.path_params["id"], request.query_params.get("key")
        partition = _whole(request.query_params.get("partition"))
        known = desk.known()
        p = place_of(known.partitions, partition=partition, key=key, id=id)
        return as_json(await desk.ask(p, None, id))

    async def livez(_: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(request: Request) -> Response:
        checks = desk.checks
        ready = all(checks.values())
        why = f": {desk.paused}" if desk.paused else ""
        text = "".join(
            f"[{'+' if fine else '-'}] {check}\n"
            for check, fine in checks.items()
            if "verbose" in request.query_params
        )
        return PlainTextResponse(
            text + ("ready\n" if ready else f"not ready{why}\n"), 200 if ready else 503
        )

    plain: list[tuple[str, str, Any]] = [
        ("GET", "/livez", livez),
        ("GET", "/readyz", readyz),
        ("POST", "/predict", answering(desk, predict)),
        ("GET", "/predictions/{id:path}", answering(desk, prediction)),
    ]
    return [
        *(Route(path, endpoint, methods=[method]) for method, path, endpoint in plain),
        *inference_routes(desk),
    ]


def _whole(text: str | None) -> int | None:
    if text is None:
        return None
    if not text.isdecimal() or len(text) > 9:
        raise Refused(400, "wrong_type", f"partition must be a whole number, got {text!r}")
    return int(text)
