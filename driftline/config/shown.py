"""Which value each setting has, and who set it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cyclopts import App

from driftline.catalog import KAFKA, Command, commands, flag_of, leaves
from driftline.options import MODEL, STREAM
from driftline.settings import (
    FILE,
    challengers,
    field_map,
    kafka_settings,
    labels,
    spec,
    state_folder,
)
from producer.sources.source import unknown
from stream.connect import KAFKA_SETTING

if TYPE_CHECKING:
    from learner.config import Config

HIDDEN = "***"
"""Stands where a secret is."""
DEFAULT = "default"
"""The origin of what nobody has set."""
_SECRET = re.compile(r"password|passphrase|secret|token|credential", re.IGNORECASE)
_IN_ADDRESS = re.compile(r"//[^/@]*@")


@dataclass(frozen=True, slots=True)
class Shown:
    """A setting as a command would get it: its value, and where that came from."""

    command: str
    key: str
    value: Any
    origin: str


def shown(app: App, words: Command = ()) -> list[Shown]:
    """Return the settings of a command, of all where none is named, as they now stand.

    Secrets are masked. Raises `SettingError` for a command that does not exist.
    """
    there = {each: command for each, command in commands(app) if each[0] != "config"}
    chosen = [each for each in there if each[: len(words)] == words]
    found = [row for each in chosen for row in _of_command(app, each, there[each])]
    if not words or words == (KAFKA,):
        found += _of_kafka(os.environ)
    elif not chosen:
        names = [" ".join(each) for each in there]
        raise unknown("command", " ".join(words), [*names, KAFKA])
    return found


def _of_command(app: App, words: Command, command: App) -> list[Shown]:
    arguments = command.assemble_argument_collection()
    with app.app_stack([app, *(app[words[0]] for _ in words[1:]), command]):
        for source in app.config:
            source(command, words, arguments)
    name, found = " ".join(words), []
    for each in leaves(arguments):
        key = flag_of(each).removeprefix("--").replace("-", "_")
        if not each.tokens:
            default = None if each.required else each.field_info.default
            found.append(Shown(name, key, default, DEFAULT))
            continue
        token = each.tokens[0]
        origin = _origin(token.source, token.keyword or "", words)
        found.append(Shown(name, key, _masked(key, each.convert()), origin))
    return found


def _origin(source: str, keyword: str, words: Command) -> str:
    if source == "env":
        return f"environment {keyword}"
    table = "common" if keyword.startswith("[common]") else ".".join(words)
    return f"{FILE} [{table}]"


def _of_kafka(environment: Mapping[str, str]) -> Iterable[Shown]:
    """Yield the settings of the broker's client; those in the environment overrule."""
    found = {
        key: Shown(KAFKA, key, _masked(key, value), f"{FILE} [{KAFKA}]")
        for key, value in kafka_settings().items()
    }
    for variable, value in sorted(environment.items()):
        if variable.startswith(KAFKA_SETTING):
            key = variable.removeprefix(KAFKA_SETTING).lower()
            masked = _masked(key, value)
            if key.endswith("_file"):
                key, masked = key.removesuffix("_file"), HIDDEN
            found[key] = Shown(KAFKA, key, masked, f"environment {variable}")
    return found.values()


def _masked(key: str, value: Any) -> Any:
    if _SECRET.search(key):
        return HIDDEN
    return _IN_ADDRESS.sub(f"//{HIDDEN}@", value) if isinstance(value, str) else value


def resolved(rows: list[Shown]) -> list[Shown]:
    """Return the settings of commands with what they come to where none was given.

    Only what follows from the settings alone is filled in; the rest stays unset. Raises
    `SettingError` for a model or detector that cannot be.
    """
    found = []
    for command in dict.fromkeys(row.command for row in rows):
        own = [row for row in rows if row.command == command]
        comes_to = _comes_to(command, {row.key: row.value for row in own})
        for row in own:
            value = comes_to.pop(row.key, None) if row.value is None else None
            found.append(row if value is None else replace(row, value=value))
        if "config" in comes_to:
            found.append(Shown(command, "config", comes_to["config"], "its hash"))
    return found


def _comes_to(command: str, values: Mapping[str, Any]) -> dict[str, Any]:
    known: dict[str, Any] = {}
    if "stream" in values and command != "demo":
        known["stream"] = address = values["stream"] or STREAM
        if "state" in values:
            known["state"] = state = state_folder(address, values["state"])
            # A store that others reach as well holds no key.
            known["key_file"] = state / "key" if isinstance(state, Path) else None
    if command == "monitor":
        from monitor.run import WINDOWS

        known |= {"name": ["main"], "window": list(WINDOWS)}
    return known | (_of_learner(values) if command == "learn" else {})


def learner_config(app: App) -> Config:
    """Return the configuration that 'driftline learn' would have now, without flags."""
    return _config({row.key: row.value for row in shown(app, ("learn",))})


def copied(app: App) -> list[str]:
    """Return the topics that 'driftline produce' would follow now, without flags."""
    values = {row.key: row.value for row in shown(app, ("produce",))}
    urls = [str(values[key]) for key in ("source", "labels") if values.get(key)]
    return [url for url in urls if url.startswith("kafka:")]


def _config(values: Mapping[str, Any]) -> Config:
    from learner.config import Config

    chosen = {
        field.name: values[field.name] for field in fields(Config) if field.name in values
    }
    chosen |= {
        "model": spec(values["model"] or MODEL),
        "policy": spec(values["policy"]),
        "detector": spec(values["detector"]),
        "challengers": challengers(values["challengers"]),
        "promotion": spec(values["promotion"]),
        "classes": tuple(labels(values["classes"]) or ()) or None,
        "mapping": field_map("mapping", values["mapping"]),
    }
    return Config(**chosen)


def _of_learner(values: Mapping[str, Any]) -> dict[str, Any]:
    from learner.learner import Learner

    config = _config(values)
    grain = Learner(config, 0, 0).policy.model.grain
    return {
        "model": config.model,
        "detector": config.detector,
        "grain": config.grain or grain,
        "config": config.hash,
    }
