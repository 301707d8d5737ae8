"""What the monitor answers over HTTP: /metrics, /livez, /readyz."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route


def routes(
    metrics: Callable[[str], tuple[bytes, str]], checks: Callable[[], Mapping[str, bool]]
) -> list[Route]:
    """Return the three routes, for an app of one's own.

    `metrics` gives page and content type for an Accept header. `checks` tell by name what
    has to be true before anyone should rely on the figures.
    """

    def show_metrics(request: Request) -> Response:
        content, content_type = metrics(request.headers.get("accept", ""))
        return Response(content, headers={"content-type": content_type})

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
        Route(path, endpoint, methods=["GET"])
        for path, endpoint in (
            ("/metrics", show_metrics),
            ("/livez", livez),
            ("/readyz", readyz),
        )
    ]
