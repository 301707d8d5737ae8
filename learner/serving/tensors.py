"""Between tensors, as the Open Inference Protocol has them, and samples and guesses."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import msgspec

from learner.serving.questions import MOST, Served, features_of
from stream.errors import RecordError
from stream.records import Features, Label, Value, reader

_BITS = (8, 16, 32, 64)
INTS = {f"INT{n}": (-(2 ** (n - 1)), 2 ** (n - 1) - 1) for n in _BITS} | {
    f"UINT{n}": (0, 2**n - 1) for n in _BITS
}
"""The range of each kind of whole numbers."""
FLOATS = ("FP16", "FP32", "FP64")
_LONGEST = 1_000_000
"""What a number of a shape may be; no body holds as many values."""


class Tensor(msgspec.Struct):
    """An array with a name: a feature of all samples, or all features of them."""

    name: str
    shape: list[int]
    datatype: str
    data: list[Any]
    parameters: dict[str, Any] = {}


class _Output(msgspec.Struct):
    name: str


class Inference(msgspec.Struct):
    """What one request asks of a model."""

    inputs: list[Tensor]
    id: str | None = None
    parameters: dict[str, Any] = {}
    outputs: list[_Output] | None = None


_read = reader(Inference)


def decode_inference(body: bytes) -> Inference:
    """Return what a body asks. Raises `RecordError`."""
    asked: Inference = _read(body)
    return asked


def samples(asked: Inference) -> list[Features]:
    """Return the samples that some tensors are. Raises `RecordError`.

    Either one tensor of shape `[n, k]`, its parameter `features` naming the k columns; or a
    tensor of shape `[n]` or `[n, 1]` for each feature. Of floating point numbers null is a
    missing one.
    """
    for tensor in asked.inputs:
        _check_shape(tensor)
    if len(asked.inputs) == 1 and "features" in asked.inputs[0].parameters:
        (table,) = asked.inputs
        names = _names(table)
        flat, k = _flat(table), len(names)
        rows = [flat[i : i + k] for i in range(0, len(flat), k)]
    else:
        names = [tensor.name for tensor in asked.inputs]
        if len(set(names)) < len(names) or not names:
            raise RecordError(
                "shape", "inputs must be one tensor a feature, each of its own name"
            )
        rows = [list(row) for row in _side_by_side([_flat(each) for each in asked.inputs])]
    if not 1 <= len(rows) <= MOST:
        raise RecordError("shape", f"there are {len(rows)} samples, 1 to {MOST} are allowed")
    return [features_of(dict(zip(names, row, strict=True))) for row in rows]


def _side_by_side(columns: list[list[Value]]) -> list[tuple[Value, ...]]:
    if len({*map(len, columns)}) > 1:
        raise RecordError("shape", "the tensors of features must have one length")
    return [*zip(*columns, strict=True)]


def _check_shape(tensor: Tensor) -> None:
    """Raise `RecordError` for a shape that no body can fill, before it is computed with."""
    if not 1 <= len(tensor.shape) <= 2:
        raise RecordError(
            "shape",
            f"tensor {tensor.name!r} has {len(tensor.shape)} dimensions; its shape must be "
            "[samples], [samples, 1] or, with 'features', [samples, features]",
        )
    if not all(0 <= n <= _LONGEST for n in tensor.shape):
        raise RecordError(
            "number_range",
            f"the numbers of the shape of tensor {tensor.name!r} must be 0 to {_LONGEST}",
        )


def _names(table: Tensor) -> list[str]:
    names = table.parameters["features"]
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise RecordError("wrong_type", "the parameter 'features' must be a list of names")
    if len(table.shape) != 2 or table.shape[1] != len(names) or not names:
        raise RecordError(
            "shape",
            f"tensor {table.name!r} of shape {table.shape} has {len(names)} names of features; "
            "it must have the shape [samples, features]",
        )
    if len(set(names)) < len(names):
        raise RecordError("shape", "the names of features must differ")
    return names


def _flat(tensor: Tensor) -> list[Value]:
    """Return the values of a tensor in order of rows, each of its datatype."""
    name, shape, data = tensor.name, tensor.shape, tensor.data
    wide = "features" in tensor.parameters
    if (len(shape) == 2 and shape[1] != 1) > wide:
        raise RecordError(
            "shape", f"tensor {name!r} has shape {shape}; it must be [samples] or [samples, 1]"
        )
    if data and len(shape) == 2 and all(isinstance(row, list) for row in data):
        if len(data) != shape[0] or any(len(row) != shape[1] for row in data):
            raise RecordError("shape", f"the data of tensor {name!r} are not of shape {shape}")
        data = [value for row in data for value in row]
    if len(data) != prod(shape):
        raise RecordError(
            "shape", f"tensor {name!r} has {len(data)} values, its shape {shape} {prod(shape)}"
        )
    return [_value(value, tensor) for value in data]


def _value(value: Any, tensor: Tensor) -> Value:
    kind = tensor.datatype
    found: Value = None
    if kind == "BOOL":
        found = value if isinstance(value, bool) else None
    elif kind == "BYTES":
        found = value if isinstance(value, str) else None
    elif kind in INTS:
        low, high = INTS[kind]
        found = value if type(value) is int and low <= value <= high else None
    elif kind in FLOATS:
        if value is None:
            return None
        found = _float(value, tensor) if type(value) in (int, float) else None
    else:
        kinds = ", ".join(("BOOL", "BYTES", *INTS, *FLOATS))
        raise RecordError(
            "datatype", f"tensor {tensor.name!r} has datatype {kind!r}; it must be of {kinds}"
        )
    if found is None:
        raise RecordError("wrong_type", f"tensor {tensor.name!r} has a value that is no {kind}")
    return found


def _float(value: float, tensor: Tensor) -> float:
    try:
        return float(value)
    except OverflowError:
        raise RecordError(
            "number_range", f"tensor {tensor.name!r} has a number beyond what a float can hold"
        ) from None


def outputs(asked: Inference, served: Sequence[Served], task: str) -> list[dict[str, Any]]:
    """Return the output tensors that were asked for. Raises `RecordError`.

    `y_pred` is of shape `[n]`; `probabilities` of `[n, classes]`, its parameter `classes`
    saying which, is there where the model has probabilities.
    """
    found = {"y_pred": _y_pred([each.y_pred for each in served], task)}
    if probabilities := _probabilities(served):
        found["probabilities"] = probabilities
    names = [*found] if asked.outputs is None else [each.name for each in asked.outputs]
    for name in names:
        if name not in found:
            raise RecordError(
                "unknown_output", f"output {name!r} is none of {', '.join(found)}"
            )
    return [found[name] for name in names]


def _y_pred(labels: Sequence[Label | None], task: str) -> dict[str, Any]:
    if any(label is None or label != label for label in labels):
        raise RecordError(
            "no_guess", "the model has no guess yet, or none that is finite; /predict says null"
        )
    data: list[Any] = [*labels]
    if task != "classification":
        data = [float(number) for number in data]
    kinds = {kind_of(label) for label in data}
    if len(kinds) > 1:
        kinds, data = {"BYTES"}, [x if isinstance(x, str) else _text(x) for x in data]
    (kind,) = kinds
    return {"name": "y_pred", "datatype": kind, "shape": [len(data)], "data": data}


def _text(label: Any) -> str:
    return msgspec.json.encode(label).decode()


def _probabilities(served: Sequence[Served]) -> dict[str, Any] | None:
    rows = [each.p for each in served if each.p]
    classes = [*dict.fromkeys(text for row in rows for text in row)]
    if len(rows) < len(served) or any(p != p for row in rows for p in row.values()):
        return None
    return {
        "name": "probabilities",
        "datatype": "FP64",
        "shape": [len(rows), len(classes)],
        "data": [row.get(text, 0.0) for row in rows for text in classes],
        "parameters": {"classes": [msgspec.json.decode(text) for text in classes]},
    }


def kind_of(value: Value) -> str:
    """Return the datatype of a value; what is missing is taken for a number."""
    kinds: list[tuple[Any, str]] = [(bool, "BOOL"), (int, "INT64"), (str, "BYTES")]
    return next((text for type_, text in kinds if isinstance(value, type_)), "FP64")
