"""A JSON schema of the settings file, for editors that complete and check it.

Source: JSON Schema, draft 2020-12, "JSON Schema Validation: A Vocabulary for Structural
Validation of JSON".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from driftline.catalog import COMMON, KAFKA, Command, Setting
from driftline.sources import STRUCTURED

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_TYPES = {str: "string", Path: "string", int: "integer", float: "number", bool: "boolean"}

Schema = dict[str, Any]


def schema(known: Mapping[Command, list[Setting]]) -> Schema:
    """Return the schema of a settings file with these commands' tables."""
    root = _table([])
    for words, settings in known.items():
        place = root
        for word in words[:-1]:
            place = place["properties"].setdefault(word, _table([]))
        place["properties"][words[-1]] = _table(settings)
    every = [each for settings in known.values() for each in settings]
    root["properties"] |= {COMMON: _common(every), KAFKA: {"type": "object"}}
    return {"$schema": DIALECT, "title": "Settings of driftline", **root}


def _table(settings: Sequence[Setting]) -> Schema:
    properties = {each.key: _of_setting(each) for each in settings}
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _common(settings: Sequence[Setting]) -> Schema:
    """Return the schema of the table for all: a value is right where one command takes it."""
    table = _table([])
    for each in settings:
        found = _of_setting(each)
        found.pop("default", None)
        before = table["properties"].setdefault(each.key, found)
        table["properties"][each.key] = _either(before, found)
    return table


def _either(one: Schema, other: Schema) -> Schema:
    kinds = one.get("anyOf", [_kind(one)])
    kinds = [*kinds, *(k for k in other.get("anyOf", [_kind(other)]) if k not in kinds)]
    text = {"description": one["description"]} if "description" in one else {}
    return {**text, **(kinds[0] if len(kinds) == 1 else {"anyOf": kinds})}


def _kind(schema: Schema) -> Schema:
    return {
        key: value for key, value in schema.items() if key not in ("description", "default")
    }


def _of_setting(setting: Setting) -> Schema:
    found = _of_type(setting.hint)
    if setting.key in STRUCTURED:
        found = {"anyOf": [found, {"type": "object"}, {"type": "array"}]}
    if setting.help:
        found["description"] = setting.help
    if setting.default is not None:
        default = setting.default
        found["default"] = str(default) if isinstance(default, Path) else default
    return found


def _of_type(hint: Any) -> Schema:
    """Return the schema of a type.

    >>> _of_type(int | None), _of_type(Literal["csv", "jsonl"])
    ({'type': 'integer'}, {'enum': ['csv', 'jsonl']})
    """
    kind, parts = get_origin(hint) or hint, [p for p in get_args(hint) if p is not NoneType]
    if kind is Literal:
        return {"enum": parts}
    if kind in (Union, UnionType):
        found = [_of_type(part) for part in parts]
        return found[0] if len(found) == 1 else {"anyOf": found}
    if kind in (list, tuple):
        item = _of_type(parts[0])
        # One alone stands for a list of one.
        return {"anyOf": [{"type": "array", "items": item}, item]}
    return {"type": _TYPES[kind]}
