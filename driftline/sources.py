"""Where settings come from besides flags: the environment, and driftline.toml.

Both are checked as a whole before a command runs: a table, key or variable of a wrong name
would otherwise be silence, and its setting the default.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from cyclopts import App, CycloptsError
from cyclopts.config import Env, Toml

from driftline.catalog import (
    COMMON,
    KAFKA,
    PREFIX,
    Command,
    Setting,
    catalog,
    commands,
    settings,
)
from driftline.settings import FILE, fits, read_toml, words_of
from stream.errors import SettingError

STRUCTURED = (
    *("model", "policy", "detector", "classes", "mapping", "labels_mapping"),
    *("challengers", "promotion"),
)
"""Settings that are text on the command line and may be a table or a list in the file."""
_BESIDES = {"DRIFTLINE_ALLOWED_HOSTS"}
"""No setting of one command: `stream.web` reads it, which is too large to be imported here."""
_NOT_OURS = ("DRIFTLINE_KAFKA_", "DRIFTLINE_SERVICE_", "DRIFTLINE_PORT")
"""Variables that no command has: the broker's client's, and those that Kubernetes sets."""


def strangers(app: App, environment: Iterable[str]) -> list[str]:
    """Return a sentence for each variable that looks like a setting and is none."""
    from producer.sources.source import suggestion

    asked = [n for n in environment if n.startswith(PREFIX) and not n.startswith(_NOT_OURS)]
    if not asked:
        return []
    known = {s.variable for words, command in commands(app) for s in settings(words, command)}
    return [
        f"environment variable {name} is no setting{_near(suggestion(name, known))}"
        for name in asked
        if name not in known and name not in _BESIDES
    ]


def _near(end: str) -> str:
    return end if "did you mean" in end else "; 'driftline config show' lists those there are"


class SettingsFile(Toml):
    """The settings file, refused whole when anything in it is of no use."""

    root: App

    def _load_config(self, path: Path) -> dict[str, Any]:
        try:
            found = read_toml(path)
            check_file(self.root, found, path)
        except SettingError as error:
            raise CycloptsError(msg=str(error)) from error
        found.pop(KAFKA, None)  # kafka-python's own settings are read where they are used
        _as_text(found)
        return found


def _as_text(tables: dict[str, Any]) -> None:
    """Write what is a table or a list in the file as the JSON that a flag would have."""
    for key, value in tables.items():
        if key in STRUCTURED and isinstance(value, dict | list):
            tables[key] = json.dumps(value)
        elif isinstance(value, dict):
            _as_text(value)


def check_file(app: App, tables: Mapping[str, Any], path: Path) -> None:
    """Refuse a settings file with a table, key or value that no command takes.

    Raises `SettingError`.
    """
    known = catalog(app)
    _check_names(tables, {words[0] for words in known} | {COMMON, KAFKA}, "table", str(path))
    for name, table in tables.items():
        if not isinstance(table, dict):
            raise SettingError(f"{name} in {str(path)!r} must be a table, got {table!r}")
        if name == COMMON:
            _check_common(table, known, path)
        elif name != KAFKA:
            _check_table((name,), table, known, path)


def _check_common(
    table: Mapping[str, Any], known: Mapping[Command, list[Setting]], path: Path
) -> None:
    takers: dict[str, list[Setting]] = {}
    for own in known.values():
        for each in own:
            takers.setdefault(each.key, []).append(each)
    _check_names(table, takers, "setting", f"[{COMMON}] of {str(path)!r}")
    for key, value in table.items():
        if not any(_taken(value, each) for each in takers[_plain(key)]):
            raise _misfit(key, value, takers[_plain(key)][0], COMMON, path)


def _check_table(
    words: Command,
    table: Mapping[str, Any],
    known: Mapping[Command, list[Setting]],
    path: Path,
) -> None:
    own = {each.key: each for each in known.get(words, ())}
    below = {other[len(words)] for other in known if other[: len(words)] == words != other}
    place = ".".join(words)
    _check_names(table, own.keys() | below, "setting", f"[{place}] of {str(path)!r}")
    for key, value in table.items():
        if key in below:
            if not isinstance(value, dict):
                raise SettingError(
                    f"{place}.{key} in {str(path)!r} must be a table, got {value!r}"
                )
            _check_table((*words, key), value, known, path)
        elif not _taken(value, own[_plain(key)]):
            raise _misfit(key, value, own[_plain(key)], place, path)


def _check_names(names: Iterable[str], known: Iterable[str], what: str, where: str) -> None:
    from producer.sources.source import suggestion

    known = set(known)
    for name in names:
        if _plain(name) not in known:
            raise SettingError(f"{where} has no {what} {name!r}{suggestion(name, known)}")


def _plain(key: str) -> str:
    return key.replace("-", "_")


def _taken(value: object, setting: Setting) -> bool:
    if setting.key in STRUCTURED and isinstance(value, dict | list):
        return True
    # One of what a list would hold is such a list.
    return any(fits(each, setting.hint) for each in (_as_path(value, setting), [value]))


def _as_path(value: object, setting: Setting) -> object:
    return Path(value) if isinstance(value, str) and "Path" in str(setting.hint) else value


def _misfit(key: str, value: object, setting: Setting, table: str, path: Path) -> SettingError:
    # A settings file has no None: what is not set stands not in it.
    wanted = words_of(setting.hint).removesuffix(" or None")
    return SettingError(f"{key} in [{table}] of {str(path)!r} must be {wanted}, got {value!r}")


def sources(app: App) -> list[Any]:
    """Return the sources of settings of an app, those that overrule first."""
    files = [
        SettingsFile(FILE),
        SettingsFile(FILE, root_keys=(COMMON,), use_commands_as_keys=False, allow_unknown=True),
    ]
    for source in files:
        source.root = app
    return [Env(PREFIX), *files]
