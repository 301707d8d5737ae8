"""Lists as a person writes them on a command line."""

from __future__ import annotations

import json
from typing import Any

from producer.settings import MAX_SEED
from stream.errors import SettingError


def specs(text: str, setting: str) -> list[Any]:
    """Return names and JSON, with commas between. Raises `SettingError`.

    >>> specs('logistic, {"class": "a.B", "c": [1, 2]},none', "--models")
    ['logistic', {'class': 'a.B', 'c': [1, 2]}, 'none']
    """
    found, rest = [], text.strip()
    while rest:
        each, rest = _one(rest, setting)
        if rest and not rest.startswith(","):
            raise SettingError(
                f"{setting} {text!r} has {rest!r} behind {each!r}; put a comma between"
            )
        rest = rest[1:].lstrip()
        if each not in found:
            found.append(each)
    if not found or "" in found:
        raise SettingError(f"{setting} {text!r} must be names with commas between")
    return found


def _one(text: str, setting: str) -> tuple[Any, str]:
    if text[0] not in "[{":
        name, comma, rest = text.partition(",")
        return name.strip(), comma + rest
    try:
        found, end = json.JSONDecoder().raw_decode(text)
    except ValueError as error:
        raise SettingError(f"{setting} {text!r} is no JSON: {error}") from error
    return found, text[end:].lstrip()


def seeds(text: str) -> list[int]:
    """Return whole numbers with commas between. Raises `SettingError`.

    >>> seeds("1,2, 3")
    [1, 2, 3]
    """
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() and int(part) <= MAX_SEED for part in parts):
        raise SettingError(
            f"--seeds {text!r} must be whole numbers up to {MAX_SEED} with commas between, as "
            "1,2,3"
        )
    return list(dict.fromkeys(map(int, parts)))
