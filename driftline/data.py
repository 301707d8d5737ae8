"""Options that say which data set is read, and how; as 'driftline produce' has them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from driftline.settings import labels, types_of

if TYPE_CHECKING:
    from producer.replay import Replay


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Data:
    """A data set, and what its columns are."""

    source: str | None = None
    "A data set, as 'driftline produce' takes it. Default: the samples of --stream."

    label: str | None = None
    "Column of a file that is the label."

    id: str | None = None
    "Column that is the id. Default: the number of the row."

    time: str | None = None
    "Column that is event time: ISO 8601, or seconds of the epoch."

    task: str | None = None
    "classification or regression. Default: inferred from the label."

    types: Annotated[list[str] | None, Parameter(name="--type")] = None
    "COLUMN=TYPE, once for each column whose type was inferred wrongly."

    drop: list[str] | None = None
    "Column that is no feature; may be given again."

    drift: list[str] | None = None
    "For synth: a true drift, as abrupt@15000 or gradual@30000+2000; may be given again."

    limit: int | None = None
    "Samples, at most."

    loop: int = 1
    "Passes over the source."

    shuffle: bool = False
    "Mix the samples."

    label_delay: str | None = None
    "Hold labels back: by samples (100) or event time (90s, 3d)."


def replay_of(data: Data, seed: int, classes: str | None) -> Replay:
    """Return the replay of a data set with a seed. Raises `SettingError`."""
    from producer.replay import Replay

    assert data.source is not None
    return Replay(
        source=data.source,
        label=data.label,
        id=data.id,
        time=data.time,
        task=data.task,
        types=types_of(data.types or []),
        drop=tuple(data.drop or ()),
        classes=labels(classes),
        drifts=tuple(data.drift or ()),
        seed=seed,
        limit=data.limit,
        loop=data.loop,
        shuffle=data.shuffle,
        label_delay=data.label_delay,
    )
