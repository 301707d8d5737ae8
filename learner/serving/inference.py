"""The Open Inference Protocol, version 2, over HTTP: what many clients of models speak.

Source: KServe, "Open Inference Protocol", inference_rest.md.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from learner.serving.desk import About, Desk, Refused
from learner.serving.http import Endpoint, answering, as_json, body_of
from learner.serving.questions import place_of
from learner.serving.tensors import decode_inference, kind_of, outputs, samples
from stream.errors import RecordError

PLATFORM = "driftline"


def inference_routes(desk: Desk) -> list[Route]:
    """Return the routes of the protocol; the model has the name of the learner."""

    async def server(_: Request) -> Response:
        return as_json({"name": PLATFORM, "version": _version(), "extensions": []})

    async def live(_: Request) -> Response:
        return as_json({"live": True})

    async def ready(_: Request) -> Response:
        fine = all(desk.checks.values())
        return as_json({"live": True, "ready": fine}, status=200 if fine else 503)

    async def model(request: Request) -> Response:
        return as_json(_model(desk, _known(desk, request)))

    async def model_ready(request: Request) -> Response:
        if desk.about is not None:
            _known(desk, request)
        fine = all(desk.checks.values())
        return as_json({"name": desk.name, "ready": fine}, status=200 if fine else 503)

    async def infer(request: Request) -> Response:
        try:
            return as_json(await inferred(request))
        except RecordError as error:
            status = 413 if error.reason == "too_large" else 400
            raise Refused(status, error.reason, str(error)) from None

    async def inferred(request: Request) -> dict[str, Any]:
        known = _known(desk, request)
        asked = decode_inference(await body_of(request))
        partition = asked.parameters.get("partition")
        if partition is not None and type(partition) is not int:
            raise RecordError("wrong_type", "the parameter 'partition' must be a whole number")
        # The protocol's id is the request's, not a sample's: it says nothing of a partition.
        key = asked.parameters.get("key")
        p = place_of(known.partitions, partition=partition, key=key, id=None)
        served = await desk.ask(p, samples(asked))
        found = {
            "model_name": desk.name,
            "model_version": known.config,
            "outputs": outputs(asked, served, known.task),
        }
        return found if asked.id is None else {**found, "id": asked.id}

    plain = [("", server), ("/", server), ("/health/live", live), ("/health/ready", ready)]
    found = [Route(f"/v2{path}", endpoint, methods=["GET"]) for path, endpoint in plain]
    for path in ("/v2/models/{name}", "/v2/models/{name}/versions/{version}"):
        found += [
            Route(path, _or_said(model), methods=["GET"]),
            Route(f"{path}/ready", _or_said(model_ready), methods=["GET"]),
            Route(f"{path}/infer", answering(desk, infer, _said), methods=["POST"]),
        ]
    return found


def _said(refused: Refused) -> dict[str, str]:
    """Return a refusal as the protocol has it."""
    return {"error": str(refused)}


def _or_said(endpoint: Endpoint) -> Endpoint:
    """Return an endpoint that says why it has no answer."""

    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except Refused as refused:
            return as_json(_said(refused), status=refused.status)

    return answer


def _known(desk: Desk, request: Request) -> About:
    """Return what is known of the model that a path names."""
    name, known = request.path_params["name"], desk.known()
    if name != desk.name:
        raise Refused(
            404, "unknown_model", f"model {name!r} is not here; this is {desk.name!r}"
        )
    wanted = request.path_params.get("version", known.config)
    if wanted != known.config:
        raise Refused(
            404, "unknown_version", f"version {wanted!r} is not here; it is {known.config!r}"
        )
    return known


def _model(desk: Desk, known: About) -> dict[str, Any]:
    """Return what can be told of the model; of its features those of the newest sample."""
    kind = "FP64"
    outputs = []
    if known.task == "classification":
        label = None if desk.newest is None else desk.newest.y
        kind = "BYTES" if label is None else kind_of(label)
        outputs = [{"name": "probabilities", "datatype": "FP64", "shape": [-1, -1]}]
    return {
        "name": desk.name,
        "versions": [known.config],
        "platform": PLATFORM,
        "inputs": [
            {"name": name, "datatype": kind_of(value), "shape": [-1]}
            for name, value in desk.features.items()
        ],
        "outputs": [{"name": "y_pred", "datatype": kind, "shape": [-1]}, *outputs],
    }


def _version() -> str:
    try:
        return version(PLATFORM)
    except PackageNotFoundError:
        return "0"
