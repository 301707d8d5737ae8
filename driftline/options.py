"""Options that several commands share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

STREAM = "sqlite:driftline.db"
"""The stream of every command but the demo, where none is named."""
MODEL = "logistic"
"""The model of 'driftline learn', where none is named."""


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Place:
    """What every command takes that looks at a stream."""

    stream: str | None = None
    (
        "Address of the stream: sqlite:PATH or kafka://HOST:PORT[,HOST:PORT]/NAME. "
        "Default: sqlite:driftline.db; the demo's own lies in a temporary folder."
    )

    verbose: bool = False
    "Say more on stderr."

    @property
    def address(self) -> str:
        """Return the address of the stream, the default where none was given."""
        return STREAM if self.stream is None else self.stream


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Common(Place):
    """What those take besides that come to a summary, and keep stdout for it."""

    json: bool = False
    "End with one line of JSON on stdout."


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Learning:
    """What decides a learner's state; changed, it is another learner."""

    model: str | None = None
    (
        "A name ('driftline models'), a dotted path, or JSON with \"class\"; a list is a "
        "pipeline. Default: logistic; in the demo hoeffding-tree, or linear for regression."
    )

    policy: str = "reset"
    'Answer to drift: a name (none, reset, auto …), or JSON with "name" and arguments.'

    detector: str | None = None
    (
        'A name of River\'s (adwin, ddm … never), or JSON with "name", arguments, cooldown, '
        "min_samples, warning, calm. Default: adwin; none where the policy heeds no drift."
    )

    direction: str = "worse"
    "Which change of the error is a drift: worse or any."

    watch_inputs: int | None = None
    "Features, so many at most, watched for drift of their own; and the guesses. Default: none."
    challengers: str | None = None
    "Models to learn beside: JSON, a list of tables of name, model, policy, detector."

    promotion: str = "none"
    "When a challenger takes over: none (by hand), rule, or JSON with the rule's numbers."

    scaling: str | None = None
    "Before a scikit-learn model: standard, minmax or none. Default: the preset's own."

    grain: int | None = None
    "Labelled samples learned at once. Default: 1 for River, 256 for scikit-learn."

    grain_seconds: float | None = None
    "End a grain also when event time has moved on by so many seconds."

    classes: str | None = None
    "All labels there will be, with commas between, or as JSON."

    seed: int = 1
    "Seed of everything random."

    topic: str | None = None
    "Somebody else's topic on the same log to read instead of the stream's own samples."

    mapping: str | None = None
    """What stands where in its records, as JSON or a table of driftline.toml: id, ts, y, x …"""

    max_pending: int = 100_000
    "Questions kept until their label comes; the oldest expire first."

    pending_seconds: float | None = None
    "Give a question up also when event time has moved on by so many seconds since it came."

    max_parameters: int | None = None
    "Start over with a fresh model when it holds more numbers than this. Default: no ceiling."


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Named:
    """Which learner, and where its checkpoints lie."""

    name: str = "main"
    "Name of the learner: 1 to 40 of a-z, 0-9 and -."

    state: str | None = None
    (
        "Folder of the checkpoints, or the address of a store as s3://bucket/prefix. Default: "
        "PATH.state beside an embedded log."
    )

    key_file: Path | None = None
    "File with the key that signs checkpoints. Default: made in the state folder of one host."


Flag = Annotated[bool, Parameter(negative=())]
