"""Labels held back: by a number of samples, or by event time."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator
from datetime import timedelta

from producer.schema import Row
from stream.errors import SettingError

_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_SPAN = re.compile(r"([0-9]*\.?[0-9]+) ?(ms|s|m|h|d|w)")


def delay_of(text: str | int | timedelta | None) -> int | timedelta | None:
    """Return a number of samples or a time: `"500"`, or a number with ms, s, m, h, d or w.

    Raises `SettingError` when it is neither, or negative.

    >>> delay_of("500"), delay_of("1.5h")
    (500, datetime.timedelta(seconds=5400))
    """
    delay: int | timedelta | None = None
    if isinstance(text, str):
        span = _SPAN.fullmatch(text.strip())
        if span:
            # A time that no clock will see is refused below.
            with contextlib.suppress(OverflowError):
                delay = timedelta(seconds=float(span[1]) * _UNITS[span[2]])
        elif text.strip().isdecimal():
            delay = int(text)
    else:
        delay = text
    if text is not None and (
        delay is None or (delay < timedelta(0) if isinstance(delay, timedelta) else delay < 0)
    ):
        raise SettingError(
            f"label delay {text!r} must be a number of samples or a time such as 90s, 15m or 3d"
        )
    return delay


def held_back(rows: Iterable[Row], delay: int | timedelta) -> Iterator[tuple[Row, bool]]:
    """Yield each row twice, as a question and, when it is due, as its answer (True).

    The order is that of River's `simulate_qa`, which does the work. A row without event
    time stands at the time of the row before it; one without a label has no answer.
    """
    from producer.sources.river import simulate_qa

    span = delay // timedelta(microseconds=1) if isinstance(delay, timedelta) else delay
    moment = _Moment() if isinstance(delay, timedelta) else None
    asked = 0
    pairs = ((row, row.y) for row in rows)
    # To River a row is a set of features as good as any: it only hands it back.
    told = simulate_qa(pairs, moment, span, copy=False)  # type: ignore[arg-type]
    for number, row, _ in told:
        # River numbers rows as they are asked, so that a number seen before is an answer.
        if number == asked:
            asked += 1
            yield row, False
        elif row.y is not None:
            yield row, True


class _Moment:
    """Event time in whole microseconds: exact, as datetimes are and floats are not."""

    def __init__(self) -> None:
        self._last = 0

    def __call__(self, row: Row) -> int:
        if row.ts is not None:
            self._last = round(row.ts * 1e6)
        return self._last
