"""Sources that take parameters, written like a call."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import Any

from producer.sources.source import suggestion
from stream.errors import SettingError


def call_of(scheme: str, text: str, example: str) -> tuple[str, dict[str, Any]]:
    """Return the name and the parameters written as `NAME` or `NAME(parameter=value, …)`.

    Raises `SettingError`, with the example, when the text reads otherwise.

    >>> call_of("synth", "SEA(seed=7)", "SEA")
    ('SEA', {'seed': 7})
    """
    try:
        call = ast.parse(text, mode="eval").body
        if isinstance(call, ast.Name):
            return call.id, {}
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and not call.args:
            return call.func.id, {str(k.arg): ast.literal_eval(k.value) for k in call.keywords}
    except (SyntaxError, ValueError):
        pass
    short = example.partition("(")[0]
    raise SettingError(f"{scheme}:{text} must read like {scheme}:{short} or {scheme}:{example}")


def check_parameters(what: str, given: Iterable[str], known: list[str]) -> None:
    """Refuse a parameter that is not known, with the one that was perhaps meant."""
    for parameter in given:
        if parameter not in known:
            hint = suggestion(parameter, known) if known else "; it has none"
            raise SettingError(f"{what} has no parameter {parameter!r}{hint}")
