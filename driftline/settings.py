"""From what a user wrote to what the services take."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, Literal, Union, get_args, get_origin, get_type_hints

from stream.errors import SettingError

if TYPE_CHECKING:
    from learner.config import Config
    from learner.run import Run
    from learner.state import State
    from stream.mapping import FieldMap
    from stream.records import Label
    from stream.topic import Log

_WORDS = {
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "True or False",
    NoneType: "None",
    Path: "a path",
    Mapping: "a table",
}

FILE = Path("driftline.toml")
"""Settings of all commands, each in a table of its name; `[common]` is for all of them."""


def state_folder(stream: str, state: str | Path | None) -> State:
    """Return where checkpoints lie: beside an embedded log, else in the working folder.

    >>> state_folder("sqlite:s.db", None), state_folder("sqlite:s.db", "s3://bucket/models")
    (PosixPath('s.db.state'), 's3://bucket/models')
    """
    if state is not None:
        return state if isinstance(state, str) and "://" in state else Path(state)
    scheme, _, path = stream.partition(":")
    return Path(f"{path}.state" if scheme == "sqlite" else "driftline.state")


def config_and_run(
    stream: str,
    *,
    name: str,
    state: str | Path | None,
    until_end: bool,
    settings: dict[str, Any],
) -> tuple[Config, Run]:
    """Return what enters a learner's state, and what does not, from one set of settings."""
    from learner.config import Config
    from learner.run import Run

    how: dict[str, Any] = {
        "name": name,
        "until_end": until_end,
        "state": state_folder(stream, state),
    }
    if settings.get("mapping") is not None:
        settings = {**settings, "mapping": field_map("mapping", settings["mapping"])}
    if isinstance(settings.get("key_file"), str):
        settings = {**settings, "key_file": Path(settings["key_file"])}
    if "challengers" in settings:
        settings = {**settings, "challengers": challengers(settings["challengers"])}
    check("learn", settings | how, Config, Run)
    known = {field.name for field in fields(Config)}
    chosen = {key: value for key, value in settings.items() if key in known}
    rest = {key: value for key, value in settings.items() if key not in known}
    if chosen.get("classes") is not None:
        chosen["classes"] = tuple(chosen["classes"])
    return Config(**chosen), Run(**how, **rest)


def check(what: str, settings: Mapping[str, object], *kinds: type) -> None:
    """Refuse settings that are no field of `kinds`, or not of its type.

    Raises `SettingError`, with the name that was perhaps meant.
    """
    hints: dict[str, Any] = {}
    for kind in kinds:
        hints |= get_type_hints(kind)
    for name, value in settings.items():
        if name not in hints:
            from producer.sources.source import unknown

            raise unknown(f"setting of {what} called", name, hints)
        if not fits(value, hints[name]):
            raise SettingError(f"{name} must be {words_of(hints[name])}, got {value!r}")


def fits(value: object, hint: Any) -> bool:
    """Whether a value is of a type: a whole number is a number too, a truth is neither."""
    kind, parts = get_origin(hint) or hint, get_args(hint)
    if kind is Any:
        return True
    if kind in (Union, UnionType):
        return any(fits(value, part) for part in parts)
    if kind is Literal:
        return value in parts
    if kind in (int, float):
        return isinstance(value, int | kind) and not isinstance(value, bool)
    if kind in (tuple, list, Sequence):
        return (
            isinstance(value, Sequence)
            and not isinstance(value, str | bytes)
            and all(fits(each, parts[0]) for each in value)
        )
    if kind is Mapping:
        return isinstance(value, Mapping) and all(
            fits(each, part)
            for pair in value.items()
            for each, part in zip(pair, parts, strict=True)
        )
    return isinstance(value, kind)


def words_of(hint: Any) -> str:
    """Return what a type is called in a sentence.

    >>> words_of(int | None), words_of(Sequence[str])
    ('a whole number or None', 'a list (each a text)')
    """
    kind, parts = get_origin(hint) or hint, get_args(hint)
    if kind in (Union, UnionType):
        return " or ".join(map(words_of, parts))
    if kind is Literal:
        return " or ".join(map(str, parts))
    if kind in (tuple, list, Sequence):
        return f"a list (each {words_of(parts[0])})"
    return _WORDS.get(kind) or f"a {kind.__name__}"


def spec(text: str | None) -> Any:
    """Return a model or detector as it was meant: a name, or JSON for anything with arguments.

    >>> spec("logistic")
    'logistic'
    >>> spec('{"class": "river.drift.ADWIN", "delta": 0.01}')
    {'class': 'river.drift.ADWIN', 'delta': 0.01}
    """
    if text is None or not text.lstrip().startswith(("[", "{")):
        return text
    try:
        return json.loads(text)
    except ValueError as error:
        raise SettingError(f"{text!r} is no JSON: {error}") from error


def challengers(given: Any) -> tuple[dict[str, Any], ...] | None:
    """Return the models that learn beside, from JSON or as they are: a list of tables, or one.

    Raises `SettingError`.
    """
    found = spec(given) if isinstance(given, str) else given
    if found is None or found in ([], ()):
        return None
    tables = found if isinstance(found, list | tuple) else [found]
    # Of one alone it shows by its name that it is no table of tables.
    alone = isinstance(found, dict) and "name" not in found
    if alone or not all(isinstance(each, dict) for each in tables):
        raise SettingError(
            f'challengers must be a list of tables, as [{{"name": "tree", "model": '
            f'"hoeffding-tree"}}], got {given!r}'
        )
    return tuple(tables)


def field_map(
    setting: str, given: str | Mapping[str, Any] | FieldMap | None
) -> FieldMap | None:
    """Return a mapping from what a settings file or a flag says of it, JSON or a table.

    Raises `SettingError` for what is no mapping.
    """
    from stream.mapping import FieldMap

    table = spec(given) if isinstance(given, str) else given
    if table is None or isinstance(table, FieldMap):
        return table
    if not isinstance(table, Mapping):
        raise SettingError(
            f'{setting} must be a table, as {{"id": "order.id", "y": "paid"}}, got {given!r}'
        )
    check(setting, table, FieldMap)
    return FieldMap(**table)


def labels_map(
    setting: str, given: str | Mapping[str, Any] | FieldMap | None
) -> FieldMap | None:
    """Return the mapping of labels, which have no features. Raises as `field_map`."""
    mapping = field_map(setting, given)
    if mapping is None:
        return None
    if mapping.x or mapping.drop or mapping.rename or mapping.y is None:
        raise SettingError(
            f'{setting} takes the paths of id and y, as {{"id": "order.id", "y": "paid"}}, '
            f"got {given!r}"
        )
    return replace(mapping, x=())


def labels(text: str | None) -> list[Label] | None:
    """Return classes from a list with commas, or from JSON where their type is not plain.

    >>> labels("UP,DOWN"), labels("0,1,2"), labels("true,false"), labels('["1", "2"]')
    (['UP', 'DOWN'], [0, 1, 2], [True, False], ['1', '2'])
    """
    if text is None:
        return None
    if text.lstrip().startswith("["):
        found: list[Label] = spec(text)
        for label in found:
            if not isinstance(label, str | int):
                raise SettingError(
                    f"classes must be texts, whole numbers, true or false, got {label!r}"
                )
        return found
    return [_label(part.strip()) for part in text.split(",") if part.strip()]


def _label(text: str) -> Label:
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    try:
        return int(text)
    except ValueError:
        return text


def types_of(given: list[str]) -> dict[str, str]:
    """Return types by column, of COLUMN=TYPE each."""
    found = {}
    for text in given:
        column, equals, kind = text.rpartition("=")
        if not equals:
            raise SettingError(f"--type {text!r} must be COLUMN=TYPE, as --type zip=category")
        found[column] = kind
    return found


def read_toml(file: Path) -> dict[str, Any]:
    """Return what a settings file holds. Raises `SettingError` where it cannot be read."""
    try:
        return tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingError(f"{str(file)!r} is no TOML: {error}; mend it") from error
    except OSError as error:
        raise SettingError(f"{str(file)!r} cannot be read: {error}") from error


def kafka_settings(file: Path = FILE) -> Mapping[str, object]:
    """Return the `[kafka]` table of the settings file: kafka-python's, by its own names."""
    if not file.is_file():
        return {}
    table = read_toml(file).get("kafka", {})
    if not isinstance(table, dict):
        raise SettingError(f"kafka in {str(file)!r} must be a table, got {table!r}")
    return table


def open_stream(url: str, *, create: bool = True) -> Log:
    """Return the log at an address, with the settings file's and the environment's settings.

    Without `create` an embedded log must be there already.
    """
    from stream.connect import connect

    return connect(url, kafka=kafka_settings(), create=create)
