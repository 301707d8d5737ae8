"""What a service answers to those who look after it: /metrics, /livez, /readyz."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

Page = Callable[[str], tuple[bytes, str]]
"""Of an Accept header: the page of metrics, and its content type."""


def metrics_route(page: Page) -> Route:
    """Return the route at which Prometheus reads a page."""

    def show_metrics(request: Request) -> Response:
        content, content_type = page(request.headers.get("accept", ""))
        return Response(content, headers={"content-type": content_type})

    return Route("/metrics", show_metrics, methods=["GET"])


def routes(page: Page, checks: Callable[[], Mapping[str, bool]]) -> list[Route]:
    """Return the three routes; `checks` tell by name what has to be true to be ready."""

    def livez(_: Request) -> Response:
        return PlainTextResponse("ok\n")

    def readyz(request: Request) -> Response:
        found = checks()
        ready = all(found.values())
        text = "".join(
            f"[{'+' if fine else '-'}] {check}\n"
            for check, fine in found.items()
            if "verbose" in request.query_params
        )
        return PlainTextResponse(
            text + ("ready\n" if ready else "not ready\n"), status_code=200 if ready else 503
        )

    return [
        metrics_route(page),
        Route("/livez", livez, methods=["GET"]),
        Route("/readyz", readyz, methods=["GET"]),
    ]
