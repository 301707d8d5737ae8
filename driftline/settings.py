"""From what a user wrote to what the services take."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stream.errors import SettingError

if TYPE_CHECKING:
    from learner.config import Config
    from learner.loop import Run
    from stream.records import Label
    from stream.topic import Log

FILE = Path("driftline.toml")
"""Settings of all commands, each in a table of its name; `[common]` is for all of them."""


def state_folder(stream: str, state: str | Path | None) -> Path:
    """Return where checkpoints lie: beside an embedded log, else in the working folder."""
    if state is not None:
        return Path(state)
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
    from learner.loop import Run

    known = {field.name for field in fields(Config)}
    chosen = {key: value for key, value in settings.items() if key in known}
    rest = {key: value for key, value in settings.items() if key not in known}
    if chosen.get("classes") is not None:
        chosen["classes"] = tuple(chosen["classes"])
    try:
        run = Run(name=name, state=state_folder(stream, state), until_end=until_end, **rest)
    except TypeError as error:
        raise SettingError(f"learn has no such setting: {error}") from error
    return Config(**chosen), run


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


def labels(text: str | None) -> list[Label] | None:
    """Return classes from a list with commas, or from JSON where their type is not plain.

    >>> labels("UP,DOWN"), labels("0,1,2"), labels("true,false"), labels('["1", "2"]')
    (['UP', 'DOWN'], [0, 1, 2], [True, False], ['1', '2'])
    """
    if text is None:
        return None
    if text.lstrip().startswith("["):
        found: list[Label] = spec(text)
        return found
    return [_label(part.strip()) for part in text.split(",") if part.strip()]


def _label(text: str) -> Label:
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    try:
        return int(text)
    except ValueError:
        return text


def kafka_settings(file: Path = FILE) -> Mapping[str, object]:
    """Return the `[kafka]` table of the settings file: kafka-python's, by its own names."""
    if not file.is_file():
        return {}
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8")).get("kafka", {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingError(f"{str(file)!r} is no TOML: {error}") from error
    if not isinstance(table, dict):
        raise SettingError(f"kafka in {str(file)!r} must be a table, got {table!r}")
    return table


def open_stream(url: str) -> Log:
    """Return the log at an address, with the settings file's and the environment's settings."""
    from stream.connect import connect

    return connect(url, kafka=kafka_settings())
