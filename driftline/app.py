"""The command line: which commands there are, and where their settings come from.

Flags go before environment, environment before `driftline.toml`. Nothing heavy is imported
until a command that needs it runs.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cyclopts import App, CycloptsError, Parameter
from cyclopts.config import Env, Toml

from driftline.settings import FILE, read_toml
from stream.errors import SettingError


class _Settings(Toml):
    """A settings file in which a model, detector or mapping may be a table or a list."""

    def _load_config(self, path: Path) -> dict[str, Any]:
        try:
            found = read_toml(path)
        except SettingError as error:
            raise CycloptsError(msg=str(error)) from error
        found.pop("kafka", None)  # kafka-python's own settings are read where they are used
        for table in found.values():
            for key in ("model", "detector", "mapping", "labels_mapping"):
                if isinstance(table, dict) and isinstance(table.get(key), dict | list):
                    table[key] = json.dumps(table[key])
        return found


app = App(
    name="driftline",
    help="Learn from a stream, score every guess first, and answer when the world changes.",
    config=[
        Env("DRIFTLINE_"),
        _Settings(FILE, must_exist=False, search_parents=False),
        _Settings(
            FILE,
            must_exist=False,
            search_parents=False,
            root_keys=("common",),
            use_commands_as_keys=False,
            allow_unknown=True,
        ),
    ],
    default_parameter=Parameter(negative=()),
    version_flags=("--version",),
    help_format="plaintext",
)
_checkpoints = App(name="checkpoints", help="List, show or verify a learner's checkpoints.")

for _name, _help in (
    ("demo", "Run it all in one process, on data with three known drifts."),
    ("produce", "Bring a data set or another topic into the stream."),
    ("learn", "Guess, score and learn the samples of the stream."),
    ("monitor", "Show the learner's figures to Prometheus."),
    ("outcomes", "Write every scored guess, one line each."),
    ("models", "List the models there are by name, and what each is made of."),
    ("datasets", "List the data sets and generators there are by name."),
    ("health", "Ask a running service whether it is alive, or ready."),
):
    app.command(f"driftline.commands.{_name}:{_name}", name=_name, help=_help)
for _name, _help in (
    ("list", "List the checkpoints of a learner."),
    ("show", "Show what a checkpoint says of itself."),
    ("verify", "Check the signature and the digest of every checkpoint."),
):
    _checkpoints.command(f"driftline.commands.checkpoints:{_name}_", name=_name, help=_help)
app.command(_checkpoints)
