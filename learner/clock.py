"""Event time: how late it is in the stream, by the records' own account."""

from __future__ import annotations

from datetime import UTC, datetime

MONTH = "month"
"""The period that is a calendar month in UTC."""
_FIRST, _LAST = -62_135_596_800.0, 253_402_300_799.0
"""The years 1 to 9999, in seconds of the epoch; what is beyond counts as the nearest."""
_AGREE = 10
"""Records in a row that must agree on a leap before it is believed."""


class EventTime:
    """The latest `ts` seen, in seconds of the epoch; None before the first.

    One record dated centuries ahead must not end every period at once: a leap of more than
    `max_jump` seconds counts only when ten records in a row say so. So does a fall, until a
    second record has borne out the first, which may be the one that is wrong.

    >>> time = EventTime(max_jump=60)
    >>> for ts in (100.0, 130.0, 9e9, 120.0):
    ...     time.observe(ts)
    >>> time.now
    130.0
    """

    _sure = True  # in a checkpoint of a version that did not doubt the first record

    def __init__(self, max_jump: float) -> None:
        self.now: float | None = None
        self._max_jump = max_jump
        self._ahead: list[float] = []
        self._sure = False

    def observe(self, ts: float | None) -> None:
        """Take the `ts` of a record; None says nothing."""
        if ts is None:
            return
        if self.now is None:
            self.now = ts
            return
        near = abs(ts - self.now) <= self._max_jump
        self._sure = self._sure or near
        if near or (self._sure and ts < self.now):
            self._ahead.clear()
            self.now = max(self.now, ts)
        else:
            self._ahead.append(ts)
            if len(self._ahead) == _AGREE:
                self.now = min(self._ahead)
                self._ahead.clear()


class GrainTime:
    """Tells when a grain has lasted `seconds` of event time; never, if that is None."""

    def __init__(self, seconds: float | None, *, max_jump: float) -> None:
        self._seconds = seconds
        self._time = EventTime(max_jump)
        self._start: float | None = None

    def over(self, ts: float | None) -> bool:
        """Take the `ts` of a record; return whether the grain ends with it."""
        if self._seconds is None:
            return False
        self._time.observe(ts)
        now = self._time.now
        if now is None:
            return False
        if self._start is None or now < self._start:
            self._start = now
        return now - self._start >= self._seconds

    def begin(self) -> None:
        """Begin the next grain now."""
        self._start = self._time.now


class Age:
    """Tells what has waited for `seconds` of event time; before the first time nothing ages.

    >>> age = Age(60, max_jump=86_400)
    >>> age.observe(1000.0)
    >>> since = age.now
    >>> age.observe(1060.0)
    >>> age.over(since)
    True
    """

    def __init__(self, seconds: float, *, max_jump: float) -> None:
        self._seconds = seconds
        self._time = EventTime(max_jump)
        self._start: float | None = None

    @property
    def now(self) -> float | None:
        """The event time there is, in seconds of the epoch; None before the first."""
        return self._time.now

    def observe(self, ts: float | None) -> None:
        """Take the `ts` of a record; None says nothing."""
        self._time.observe(ts)
        now = self._time.now
        if self._start is None or (now is not None and now < self._start):
            self._start = now

    def over(self, since: float | None) -> bool:
        """Return whether what came at `since` has waited for so long; None for before any."""
        since = self._start if since is None else since
        return since is not None and self.now is not None and self.now - since >= self._seconds


def period_of(now: float, period: float | str) -> int:
    """Return the number of the period an event time falls into.

    A period is so many seconds, counted from the epoch, or a calendar month in UTC.

    >>> period_of(86_399.0, 86_400), period_of(86_400.0, 86_400)
    (0, 1)
    >>> january, february = 1_706_745_599.0, 1_706_745_600.0
    >>> period_of(february, "month") - period_of(january, "month")
    1
    """
    if isinstance(period, str):
        date = datetime.fromtimestamp(min(max(now, _FIRST), _LAST), UTC)
        return date.year * 12 + date.month
    return int(now // period)
