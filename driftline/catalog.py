"""Every setting of every command, read from the commands' own signatures and docstrings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cyclopts import App
from cyclopts.argument import Argument

PREFIX = "DRIFTLINE_"
"""What the environment variables of settings begin with."""
COMMON = "common"
"""The table of the settings file whose keys are for every command that takes them."""
KAFKA = "kafka"
"""The table of the settings file with kafka-python's settings."""
_ITSELF = "config"
"""The command that is about the settings file, and has no table in it."""

Command = tuple[str, ...]
"""The words of a command, as ("checkpoints", "list")."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting of one command: its names, and what may be set.

    `key` stands in the settings file, `flag` on the command line, `variable` in the
    environment. `hint` is its type. `default` is None where the command decides, and where
    it is `required`.
    """

    command: Command
    key: str
    flag: str
    hint: Any
    default: Any
    required: bool
    help: str

    @property
    def variable(self) -> str:
        """Return the name of its environment variable.

        >>> Setting(("learn",), "turn", "--turn", int, 2000, False, "").variable
        'DRIFTLINE_LEARN_TURN'
        """
        return PREFIX + "_".join((*self.command, self.key)).upper()


def commands(app: App) -> Iterator[tuple[Command, App]]:
    """Yield every command that does something, with its words."""
    for name in app:
        if name.startswith("-"):
            continue
        found = app[name]
        if found.default_command is not None:
            yield (name,), found
        yield from (((name, *rest), each) for rest, each in commands(found))


def catalog(app: App) -> dict[Command, list[Setting]]:
    """Return the settings of every command, in the order of its signature."""
    return {
        words: settings(words, each) for words, each in commands(app) if words[0] != _ITSELF
    }


def settings(words: Command, command: App) -> list[Setting]:
    """Return the settings of one command."""
    found = command.assemble_argument_collection(parse_docstring=True)
    return [_setting(words, each) for each in leaves(found)]


def leaves(arguments: list[Argument]) -> list[Argument]:
    """Return the arguments that take a value themselves, and have a flag."""
    return [
        each
        for each in arguments
        if not each.children and any(name.startswith("--") for name in each.names)
    ]


def flag_of(argument: Argument) -> str:
    """Return the flag under which an argument is known."""
    return next(name for name in argument.names if name.startswith("--"))


def _setting(words: Command, argument: Argument) -> Setting:
    flag = flag_of(argument)
    default = None if argument.required else argument.field_info.default
    return Setting(
        command=words,
        key=flag.removeprefix("--").replace("-", "_"),
        flag=flag,
        hint=argument.hint,
        default=default,
        required=argument.required,
        help=" ".join(str(argument.parameter.help or "").split()),
    )
