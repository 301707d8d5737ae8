"""The command line: which commands there are, and where their settings come from.

Flags go before environment, environment before `driftline.toml`. Nothing heavy is imported
until a command that needs it runs.
"""

from __future__ import annotations

from cyclopts import App, Parameter

from driftline.sources import sources

app = App(
    name="driftline",
    help="Learn from a stream, score every guess first, and answer when the world changes.",
    default_parameter=Parameter(negative=()),
    version_flags=("--version",),
    help_format="plaintext",
    print_error=False,
    exit_on_error=False,
)
app.config = sources(app)
_checkpoints = App(
    name="checkpoints", help="List, show or verify a learner's checkpoints, or make a key."
)
_config = App(name="config", help="Write, show or describe the settings file.")

for _name, _help in (
    ("demo", "Run it all in one process, on data with three known drifts."),
    ("produce", "Bring a data set or another topic into the stream."),
    ("learn", "Guess, score and learn the samples of the stream."),
    ("monitor", "Show a learner's figures: a live page, and metrics for Prometheus."),
    ("compare", "Compare models and policies over the same records."),
    ("report", "Write a page, a picture or a table of what a learner has come to."),
    ("outcomes", "Write every scored guess, one line each."),
    ("predictions", "Write every answer to a question, one line each."),
    ("dead", "Write every refused record and why, one line each."),
    ("promote", "Have a learner serve another of its models."),
    ("models", "List the models there are by name, and what each is made of."),
    ("policies", "List the answers to a drift there are by name, and what they take."),
    ("detectors", "List the drift detectors there are by name, and what they take."),
    ("datasets", "List the data sets and generators there are by name."),
    ("doctor", "Look at everything a stream needs, and say what is wrong."),
    ("health", "Ask a running service whether it is alive, or ready."),
):
    app.command(f"driftline.commands.{_name}:{_name}", name=_name, help=_help)
for _name, _help in (
    ("list", "List the checkpoints of a learner."),
    ("show", "Show what a checkpoint, the newest if none is named, says of itself."),
    ("key", "Make a key for learners that share their checkpoints."),
    ("verify", "Check the signature and the digest of every checkpoint."),
):
    _checkpoints.command(f"driftline.commands.checkpoints:{_name}_", name=_name, help=_help)
for _name, _help in (
    ("init", "Write a settings file with every setting there is, at its default."),
    ("show", "Show what each setting is, and who set it."),
    ("schema", "Write a JSON schema of the settings file."),
):
    _config.command(f"driftline.commands.config:{_name}", name=_name, help=_help)
app.command(_checkpoints)
app.command(_config)
