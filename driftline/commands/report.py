"""driftline report."""

from __future__ import annotations

import csv
import io
import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from driftline.console import set_up_logging, tell
from driftline.options import Place
from driftline.settings import open_stream

if TYPE_CHECKING:
    from driftline.report.reading import Reading

Form = Literal["html", "png", "csv"]
Draw = Callable[["Reading"], bytes]
_USUAL: dict[Form, str] = {"html": "report.html", "png": "report.png", "csv": "-"}


def report(
    *,
    common: Place | None = None,
    name: str = "main",
    window: list[int] | None = None,
    format: Form = "html",
    output: Annotated[str | None, Parameter(allow_leading_hyphen=True)] = None,
) -> int:
    """Write what a learner has come to, of a stream that is finished or goes on.

    html is one page that needs no network: figures, the curve with true drifts, alarms and
    what was done, tables. png is the curve as a picture, and needs the extra 'report'. csv
    is the curve in columns: scored guesses, the model's figure, and the baselines'.

    Parameters
    ----------
    name
        Name of the learner.
    window
        Outcomes of a rolling figure; may be given again, the first is the curve's. Default:
        1000 and 10000.
    format
        html, png or csv.
    output
        File to write, - for stdout. Default: report.html, report.png; csv goes to stdout.
    """
    from driftline.report.reading import read
    from monitor.run import WINDOWS

    common = common or Place()
    set_up_logging(verbose=common.verbose)
    if not common.verbose:
        logging.getLogger().setLevel(logging.WARNING)
    path = _checked(output if output is not None else _USUAL[format])
    draw = _drawing(format)
    log = open_stream(common.address, create=False)
    try:
        drawn = draw(read(log, name, tuple(window or WINDOWS)))
    finally:
        log.close()
    _write(path, drawn)
    return 0


def _drawing(format: Form) -> Draw:
    """Return what draws a reading; libraries are missed before anything is read."""
    from stream.errors import SettingError

    if format == "csv":
        return _curve
    if format == "html":
        from driftline.report.page import page

        return lambda reading: page(reading).encode()
    try:
        from driftline.report.png import png
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "matplotlib":
            raise
        raise SettingError(
            "--format png needs matplotlib, which is not there; install driftline[report]"
        ) from None
    return png


def _curve(reading: Reading) -> bytes:
    curve = reading.curve
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["scored", *curve["lines"]])
    writer.writerows(zip(curve["x"], *curve["lines"].values(), strict=True))
    return text.getvalue().encode()


def _checked(output: str) -> Path | None:
    """Return the file to write, None for stdout; before anything is read."""
    from stream.errors import SettingError

    if output == "-":
        return None
    path = Path(output)
    if not path.absolute().parent.is_dir():
        raise SettingError(f"--output {output!r} lies in no folder there is; make it first")
    return path


def _write(path: Path | None, drawn: bytes) -> None:
    from stream.errors import SettingError

    if path is None:
        sys.stdout.buffer.write(drawn)
        sys.stdout.buffer.flush()
        return
    try:
        path.write_bytes(drawn)
    except OSError as error:
        raise SettingError(
            f"--output {str(path)!r} cannot be written: {error.strerror}; name another file"
        ) from error
    tell(f"wrote {path}")
