"""The curve as a picture, drawn by matplotlib."""

from __future__ import annotations

import io
import math

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from driftline.report.reading import Reading
from driftline.report.words import curve_says
from monitor.names import EVENTS, named

INCHES = (11.0, 5.0)
DPI = 150
_DRAWN = {"majority": ("#5b6270", "--"), "no_change": ("#5b6270", ":")}
_DRAWN |= {"normal_score": ("#5b6270", "--")}
_MODEL = ("#0072b2", "-")
_TRUE, _HEARD, _DONE = "#d55e00", "#b4528f", "#009e73"


def png(reading: Reading) -> bytes:
    """Return the picture; the same reading gives the same picture."""
    figure = Figure(figsize=INCHES, dpi=DPI, layout="constrained")
    axes = figure.add_subplot()
    curve = reading.curve
    for name, line in curve["lines"].items():
        ink, style = _DRAWN.get(name, _MODEL)
        values = [math.nan if value is None else value for value in line]
        label = named(name, reading.task)
        width = 1.8 if style == "-" else 0.8
        axes.plot(curve["x"], values, color=ink, linestyle=style, linewidth=width, label=label)
    _events(axes, reading)
    # What a stranger's stream is called is no formula, whatever dollars are in it.
    axes.set_title(reading.title, parse_math=False, loc="left")
    axes.set_xlabel(f"Scored guesses. {curve_says(reading)}", parse_math=False)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,.0f}"))
    axes.grid(visible=True, alpha=0.25)
    if curve["x"]:
        figure.legend(loc="outside lower center", ncols=6, frameon=False)
    else:
        axes.text(0.5, 0.5, "no curve yet", ha="center", transform=axes.transAxes)
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", metadata={"Software": "driftline"})
    return drawn.getvalue()


def _events(axes: Axes, reading: Reading) -> None:
    """Draw true drifts as lines, alarms and actions as marks along the lower edge."""
    for event in reading.story:
        if event["group"] == "true":
            axes.axvline(event["x"], color=_TRUE)
    edge = axes.get_xaxis_transform()
    for label, ink, mark, height, key, value in (
        (EVENTS["drift"], _HEARD, "D", 0.03, "kind", "drift"),
        (EVENTS["done"], _DONE, "^", 0.07, "group", "done"),
    ):
        if places := [event["x"] for event in reading.story if event[key] == value]:
            heights = [height] * len(places)
            axes.plot(
                places, heights, mark, color=ink, label=label, transform=edge, clip_on=False
            )
    if any(event["group"] == "true" for event in reading.story):
        axes.plot([], [], color=_TRUE, label=EVENTS["true"])
