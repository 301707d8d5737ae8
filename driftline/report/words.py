"""How a report writes figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from driftline.report.reading import Reading


def number(value: float | None) -> str:
    """Return a figure with four digits, or a dash for none.

    >>> number(0.81649), number(12), number(None)
    ('0.8165', '12', '–')
    """
    if value is None:
        return "–"
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"


def curve_says(reading: Reading) -> str:
    """Return what a point of the curve stands for."""
    span, every = reading.curve["span"], reading.curve["every"]
    partitions = len(reading.picture["parts"])
    of = f" of each of {partitions} partitions" if partitions > 1 else ""
    return f"Over the last {span:,} scored guesses{of}, a point every {every:,}"
