"""driftline produce."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from inspect import signature
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from driftline.console import Stop, set_up_logging, sum_up, tell
from driftline.options import Common
from driftline.progress import bar
from driftline.settings import labels as labels_of
from driftline.settings import open_stream, types_of

if TYPE_CHECKING:
    from producer.replay import Preview, Progress, Replay


def produce(
    *,
    source: Annotated[str, Parameter(allow_leading_hyphen=True)],
    common: Common | None = None,
    labels: str | None = None,
    mapping: str | None = None,
    labels_mapping: str | None = None,
    format: str | None = None,
    until_end: bool = False,
    label: str | None = None,
    id: str | None = None,
    time: str | None = None,
    task: str | None = None,
    types: Annotated[list[str] | None, Parameter(name="--type")] = None,
    drop: list[str] | None = None,
    key: str | None = None,
    classes: str | None = None,
    drift: list[str] | None = None,
    seed: int = 1,
    rate: float | None = None,
    speed: float | None = None,
    limit: int | None = None,
    loop: int = 1,
    shuffle: bool = False,
    label_delay: str | None = None,
    partitions: int = 1,
    retention_seconds: float | None = None,
    retention_bytes: int | None = None,
    dry_run: bool = False,
    port: int | None = None,
    host: str = "127.0.0.1",
) -> int:
    """Bring a data set or another topic into the stream, each sample once, whatever happens.

    Started again, it goes on where it stopped. Only standard input cannot be read again: what
    comes there is taken as new.

    Parameters
    ----------
    source
        river:NAME, sklearn:NAME, synth:NAME(ARGUMENT=VALUE, …), or a file: .csv, .jsonl, .arff
        or .libsvm, plain or .gz, .zip with a CSV, .parquet, .arrow, .feather or .avro; or a
        folder or pattern of such; 'driftline datasets' lists the names. Or a topic that is
        followed: kafka://HOST:PORT/TOPIC, sqlite:PATH for the samples of another stream; or -,
        the lines of standard input, taken as new each time: they cannot be read again.
    labels
        Topic whose records are labels of the samples of a topic, by their ids.
    mapping
        For a topic or JSON lines of standard input: what stands where, as JSON or as
        [produce.mapping] in driftline.toml: id, ts, ts_unit, y, x, drop, rename; paths as a.b
        or items[0].price. Default: records of our own form; of lines, objects of features.
    labels_mapping
        For --labels: id and y in those records. Default: id and y.
    format
        Of standard input: jsonl, csv, or records of our own form. Default: jsonl.
    until_end
        Of a topic: stop at its end as it stands now.
    label
        Column of a file that is the label; without it all samples are questions. Of a topic
        the path, as are --id, --time and --drop.
    id
        Column that is the id. Default: the number of the row.
    time
        Column that is event time: ISO 8601, or seconds of the epoch.
    task
        classification or regression. Default: inferred from the label.
    types
        COLUMN=TYPE, once for each column whose type was inferred wrongly: integer, number,
        boolean, category, datetime.
    drop
        Column that is no feature; may be given again.
    key
        Feature that decides the partition. Default: the id.
    classes
        All labels there will be, with commas between. Default: found by reading the source.
    drift
        For synth: a true drift, KIND@SAMPLE[+WIDTH], as abrupt@15000, gradual@30000+2000,
        recurring@45000; may be given again.
    seed
        Seed of generators and of --shuffle.
    rate
        Samples a second. Default: as fast as possible.
    speed
        Factor of event time: 60 replays an hour in a minute.
    limit
        Samples, at most.
    loop
        Passes over the source, 0 for ever.
    shuffle
        Mix the samples.
    label_delay
        Hold labels back: by samples (100) or event time (90s, 3d), then send them by id.
    partitions
        Partitions of a topic that is not there yet; each keeps a model of its own.
    retention_seconds
        Age up to which the samples of a new topic are kept. Default: for ever.
    retention_bytes
        Bytes of samples kept in each partition of a new topic. Default: all.
    dry_run
        Show schema, first rows and reading rate, and write nothing; of a topic show its newest
        record as the mapping reads it.
    port
        Answer /metrics, /livez and /readyz at this port, 0 for a free one. Default: do not.
    host
        Address to answer at; the default is for this machine alone.
    """
    given = dict(locals())
    common = common or Common()
    set_up_logging(verbose=common.verbose)
    from driftline.commands.live import is_live, produce_live, refuse_live
    from producer.counts import Counts
    from producer.replay import Replay, describe
    from producer.replay import produce as run
    from producer.settings import open_replay
    from producer.shown import shown
    from stream.topic import Retention

    if is_live(source):
        defaults = {it.name: it.default for it in signature(produce).parameters.values()}
        with _bar() as bar:
            return produce_live(given, defaults, common, bar)
    refuse_live(given)
    replay = Replay(
        source=source,
        label=label,
        id=id,
        time=time,
        task=task,
        types=types_of(types or []),
        drop=tuple(drop or ()),
        key=key,
        classes=labels_of(classes),
        drifts=tuple(drift or ()),
        seed=seed,
        rate=rate,
        speed=speed,
        limit=limit,
        loop=loop,
        shuffle=shuffle,
        label_delay=label_delay,
        partitions=partitions,
        retention=Retention(seconds=retention_seconds, size=retention_bytes),
    )
    if dry_run:
        _show(describe(replay), replay)
        return 0
    # A source that is not there makes no log.
    opened = open_replay(replay)
    log = open_stream(common.address)
    counts = Counts(log.stream)
    told: dict[str, Any] = {"say": tell, "counts": counts}
    try:
        with Stop().on_signals() as stop, shown(counts, host, port, stop), _bar() as bar:
            summary = run(log, replay, opened=opened, stopping=stop, progress=bar, **told)
    finally:
        log.close()
    sum_up(dataclasses.asdict(summary), as_json=common.json, title="produced")
    return stop.exit_code


def _show(preview: Preview, replay: Replay) -> None:
    import json

    tell(preview.schema.sentence())
    for row in preview.rows:
        shown: dict[str, Any] = {"id": row.id, "ts": row.ts, "x": row.x, "y": row.y}
        tell(json.dumps({key: value for key, value in shown.items() if value is not None}))
    tell(f"read at {preview.rows_per_second:,.0f} rows a second; nothing was written")
    for flaw in preview.flaws:
        tell(f"{flaw}; such rows are left out and counted")
    if replay.rate:
        tell(f"would be paced at {replay.rate:,.0f} samples a second")


@contextmanager
def _bar() -> Iterator[Callable[[Progress], None]]:
    """Give a callback that shows the progress of a replay."""
    with bar("samples") as show:
        yield lambda progress: show(progress.samples, progress.total)
