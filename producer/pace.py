"""When the next sample is due; the clock is an argument."""

from __future__ import annotations

from collections.abc import Callable

from stream.errors import SettingError

Pace = Callable[[float, float | None], float]
"""Of now and event time: seconds to wait before the sample; 0 or less for none."""

PATIENCE = 1.0
"""Seconds behind beyond which what was missed is not made up for."""


def pace_of(rate: float | None, speed: float | None) -> Pace | None:
    """Return `per_second(rate)` or `event_time(speed)`; None for as fast as possible.

    Raises `SettingError` when both are given, or one is not above 0.
    """
    for name, value in (("rate", rate), ("speed", speed)):
        if value is not None and not 0 < value < float("inf"):
            raise SettingError(f"{name} must be a number above 0, got {value!r}")
    if rate is not None and speed is not None:
        raise SettingError("rate and speed are two paces; leave one of them away")
    if rate is not None:
        return per_second(rate)
    return event_time(speed) if speed is not None else None


def per_second(rate: float) -> Pace:
    """Return the pace of `rate` samples a second.

    >>> pace = per_second(10)
    >>> [round(pace(now, None), 3) for now in (5.0, 5.0, 5.25)]
    [0.0, 0.1, -0.05]
    """
    due: float | None = None

    def wait(now: float, moment: float | None) -> float:
        nonlocal due
        if due is None or now - due > PATIENCE:
            due = now
        seconds = due - now
        due += 1 / rate
        return seconds

    return wait


def event_time(speed: float) -> Pace:
    """Return the pace of the samples' own times, `speed` times as fast.

    A sample older than the newest, or without a time, is due at once; one that is as old as
    the first begins the course of time anew, as a loop does.

    >>> pace = event_time(60)
    >>> [pace(5.0, moment) for moment in (0, 60, 30, 120, 0, 60)]
    [0.0, 1.0, 1.0, 2.0, 2.0, 3.0]
    """
    due: float | None = None
    first = newest = 0.0

    def wait(now: float, moment: float | None) -> float:
        nonlocal due, first, newest
        if moment is not None:
            if due is None:
                due, first, newest = now, moment, moment
            elif now - due > PATIENCE:
                due = now
            if moment <= first:
                newest = moment
            due += max(moment - newest, 0) / speed
            newest = max(newest, moment)
        return 0.0 if due is None else due - now

    return wait
