"""driftline compare."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from driftline.commands.live import is_live
from driftline.console import Stop, out, set_up_logging, tell
from driftline.data import Data, replay_of
from driftline.options import Common
from driftline.progress import bar
from driftline.settings import field_map, kafka_settings, labels
from stream.errors import SettingError

if TYPE_CHECKING:
    from driftline.compare.records import Records
    from producer.replay import Progress

MODELS = "logistic,naive-bayes,hoeffding-tree"
POLICIES = "none,reset"
PIECES = 12


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Alike:
    """What is the same for all that are compared; see 'driftline learn'."""

    classes: str | None = None
    "All labels there will be, with commas between, or as JSON."

    direction: str = "worse"
    "Which change of the error is a drift: worse or any."

    scaling: str | None = None
    "Before a scikit-learn model: standard, minmax or none. Default: the preset's own."

    grain: int | None = None
    "Labelled samples learned at once. Default: 1 for River, 256 for scikit-learn."

    topic: str | None = None
    "Somebody else's topic on the same log to read instead of the stream's own samples."

    mapping: str | None = None
    """What stands where in its records, as JSON or a table of driftline.toml: id, ts, y, x …"""


def compare(
    *,
    common: Common | None = None,
    data: Data | None = None,
    alike: Alike | None = None,
    from_: Annotated[str | None, Parameter(name="--from")] = None,
    to: str | None = None,
    models: str = MODELS,
    policies: str | None = None,
    detectors: str | None = None,
    seeds: str = "1",
    window: int | None = None,
    jobs: int | None = None,
    baseline: Literal["full-retrain"] | None = None,
    pieces: int | None = None,
    html: Path | None = None,
) -> int:
    """Compare models and policies over a data set, or over a range of a stream.

    What each says is what 'driftline learn' would say. Nothing is written to any stream. What
    of models and policies does not go together is left out. A model that refuses more than 1 %
    of the samples that others take stands behind them, and a sentence says so. Stopped by a
    signal it shows what has come to its end.

    Parameters
    ----------
    from_
        Of a stream: the first record, as OFFSET or PARTITION:OFFSET,… Default: the oldest.
    to
        Of a stream: the record behind the last. Default: the end as it stands now.
    models
        Names, dotted paths or JSON with commas between, as 'driftline learn --model' takes.
    policies
        Names or JSON with commas between, as 'driftline learn --policy' takes. Default:
        none,reset.
    detectors
        Names or JSON with commas between, for policies that listen. Default: adwin.
    seeds
        Whole numbers with commas between: seeds of the models, of generators and of --shuffle.
        The figures are then means over them.
    window
        Samples of one point of the curves, and the measure for what a drift cost and when it
        was noticed. Default: a fortieth of all, 50 to 1,000.
    jobs
        Learners at a time, each in a process of its own. Default: one for each processor.
    baseline
        full-retrain: instead of policies compare learning on, piece after piece, with training
        a new model on the last pieces, on all of them, and with doing nothing.
    pieces
        Pieces of --baseline. Default: 12.
    html
        File to write as one page with tables and curves, for any browser, without a network.
    """
    common, data, alike = common or Common(), data or Data(), alike or Alike()
    set_up_logging(verbose=common.verbose)
    from driftline.compare.lists import seeds as seeds_of
    from driftline.compare.pool import processors

    _check(data, from_, to, window, jobs, pieces)
    if html is not None:
        _check_page(html)
    if baseline is None:
        _refuse("needs --baseline full-retrain; add it", pieces=pieces)
    else:
        why = f"is for a comparison of policies; leave it away, or --baseline {baseline}"
        _refuse(why, policies=policies, detectors=detectors, window=window)
    wanted = _Wanted(
        models=models,
        policies=POLICIES if policies is None else policies,
        detectors=detectors,
        seeds=seeds_of(seeds),
        window=window,
        jobs=jobs or processors(),
        pieces=PIECES if pieces is None else pieces,
        config=_config(data, alike),
    )
    way_of = _contest if baseline is None else _retraining
    with (
        tempfile.TemporaryDirectory(prefix="driftline-") as folder,
        Stop().on_signals() as stop,
    ):
        # What is wrong with the names is said before anything is read.
        way = way_of(wanted)
        records = _records(data, alike, common, (from_, to), wanted.seeds, Path(folder), stop)
        board = None if stop() else way.hold(records, data.source or common.address, stop)
    if board is None:
        tell("driftline: stopped before its end; nothing to show")
        return stop.exit_code
    if common.json:
        out(json.dumps(board.as_dict(), allow_nan=False))
    else:
        way.show(board)
    # A page that cannot be written costs nobody the figures.
    if html is not None:
        _write(html, way.page(board))
    # What failed with some and not with others is a row; nothing at all is a failure.
    return stop.exit_code or int(board.empty)


@dataclass(frozen=True, kw_only=True)
class _Wanted:
    models: str
    policies: str
    detectors: str | None
    seeds: list[int]
    window: int | None
    jobs: int
    pieces: int
    config: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class _Way:
    """What is done with the records of each seed, and how what comes of it is shown.

    `hold` returns a board, or None where it was stopped before there was anything on it.
    """

    hold: Callable[[Mapping[int, Records], str, Stop], Any]
    show: Callable[[Any], None]
    page: Callable[[Any], str]


def _contest(wanted: _Wanted) -> _Way:
    """Return how policies are compared. Raises `SettingError`."""
    from driftline.compare import contest, page, table
    from driftline.compare.lists import specs

    detectors = wanted.detectors
    entries, left_out = contest.possible(
        contest.entries(
            specs(wanted.models, "--models"),
            specs(wanted.policies, "--policies"),
            [] if detectors is None else specs(detectors, "--detectors"),
        ),
        wanted.config,
    )

    def hold(records: Mapping[int, Records], name: str, stop: Stop) -> Any:
        found = contest.Contest(
            data=name,
            records=records,
            entries=entries,
            config=wanted.config,
            window=wanted.window,
            jobs=wanted.jobs,
            left_out=left_out,
        )
        with bar("records learned") as show:
            return contest.hold(found, stopping=stop, stepped=show)

    return _Way(hold=hold, show=table.show, page=page.page)


def _retraining(wanted: _Wanted) -> _Way:
    """Return how ways to train are compared. Raises `SettingError`."""
    from driftline.compare import trained, trained_shown
    from driftline.compare.lists import specs

    models = specs(wanted.models, "--models")
    trained.check(models)

    def hold(records: Mapping[int, Records], name: str, stop: Stop) -> Any:
        with bar("records learned") as show:
            return trained.hold(
                name,
                records,
                models,
                pieces=wanted.pieces,
                config=wanted.config,
                jobs=wanted.jobs,
                stopping=stop,
                stepped=show,
            )

    return _Way(hold=hold, show=trained_shown.show, page=trained_shown.page)


def _config(data: Data, alike: Alike) -> dict[str, Any]:
    found: dict[str, Any] = {"direction": alike.direction, "scaling": alike.scaling}
    found["grain"] = alike.grain
    if data.source is None:
        classes = labels(alike.classes)
        found["classes"] = None if classes is None else tuple(classes)
        found |= {"topic": alike.topic, "mapping": field_map("mapping", alike.mapping)}
    elif alike.topic is not None or alike.mapping is not None:
        raise SettingError(
            "--topic and --mapping are for a stream; leave them away, or leave --source away"
        )
    return found


def _records(
    data: Data,
    alike: Alike,
    common: Common,
    ends: tuple[str | None, str | None],
    seeds: list[int],
    folder: Path,
    stop: Stop,
) -> dict[int, Records]:
    """Return the records for each seed; those of a data set lie in a folder of their own."""
    from driftline.compare.records import of_source, of_stream, varies

    if data.source is None:
        begin, end = ends
        found = of_stream(
            common.address,
            begin=begin,
            end=end,
            limit=data.limit,
            topic=alike.topic,
            kafka=kafka_settings(),
        )
        return dict.fromkeys(seeds, found)
    replays = {seed: replay_of(data, seed, alike.classes) for seed in seeds}
    different = seeds if varies(replays[seeds[0]]) else seeds[:1]
    made: dict[int, Records] = {}
    with bar("samples read") as show:

        def progress(at: Progress) -> None:
            show(at.samples, at.total)

        for seed in different:
            say = tell if seed == seeds[0] else lambda _: None
            path = folder / f"{seed}.db"
            made[seed] = of_source(
                replays[seed], path, stopping=stop, progress=progress, say=say
            )
    return {seed: made.get(seed, made[seeds[0]]) for seed in seeds}


def _check(
    data: Data,
    begin: str | None,
    end: str | None,
    window: int | None,
    jobs: int | None,
    pieces: int | None,
) -> None:
    """Refuse what cannot be meant, before anything is read. Raises `SettingError`."""
    for name, value, least in (("window", window, 2), ("jobs", jobs, 1), ("pieces", pieces, 2)):
        if value is not None and value < least:
            raise SettingError(
                f"--{name} must be a whole number of {least} or more, got {value}"
            )
    if data.source is not None:
        if is_live(data.source):
            raise SettingError(
                f"--source {data.source!r} is no data set; bring it into a stream with "
                "'driftline produce', and compare over that with --stream"
            )
        if begin is not None or end is not None:
            raise SettingError(
                "--from and --to are for a stream; leave them away, or leave --source away"
            )
        return
    for field in fields(data):
        if field.name != "limit" and getattr(data, field.name) != field.default:
            flag = field.name.replace("types", "type").replace("_", "-")
            raise SettingError(
                f"--{flag} is for a data set; name one with --source, or leave it away"
            )


def _refuse(why: str, **given: object) -> None:
    """Refuse flags that would change nothing. Raises `SettingError`."""
    for name, value in given.items():
        if value is not None:
            raise SettingError(f"--{name} {why}")


def _check_page(path: Path) -> None:
    """Refuse a page that cannot be written, before all the work. Raises `SettingError`.

    What lies there stays as it is, and where there is nothing, nothing is left.
    """
    with _written(path):
        if not path.absolute().parent.is_dir():
            raise SettingError(
                f"--html {str(path)!r} lies in no folder there is; make it first"
            )
        if path.is_dir():
            raise SettingError(f"--html {str(path)!r} is a folder; name a file in it")
        if path.is_file():
            path.open("ab").close()
        elif not path.exists():  # a pipe is opened once
            made = path.resolve()
            made.open("xb").close()
            made.unlink()


def _write(path: Path, text: str) -> None:
    with _written(path):
        path.write_text(text, encoding="utf-8")
    tell(f"page={path}")


@contextmanager
def _written(path: Path) -> Iterator[None]:
    """Say of what the system refuses that the page cannot be written."""
    try:
        yield
    except OSError as error:
        raise SettingError(
            f"--html {str(path)!r} cannot be written: {error.strerror}; name another file"
        ) from error
