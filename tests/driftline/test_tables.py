import io
import json

import pytest
from rich.console import Console

from driftline.tables import show
from monitor.run import monitor
from tests.monitor.made import ANOMALIES, CLASSES, NUMBERS, Step, log_with, message

STEPS = {
    CLASSES: [Step(n % 2 == 0, n % 3 == 0, p_true=0.5, p_pred=0.5) for n in range(20)],
    NUMBERS: [Step(float(n), n + 0.5) for n in range(20)],
    ANOMALIES: [Step(n > 15, n / 2) for n in range(20)],
}


def written(summary, width=80):
    """Return the lines that a person sees."""
    said = io.StringIO()
    show(summary, Console(file=said, width=width, highlight=False))
    return said.getvalue().splitlines()


def blank(name, main):
    """Return how many windows before the one of 1,000 rows cannot tell a figure."""
    return sum(name not in main["windows"][window] for window in ("5", "10"))


@pytest.mark.parametrize("task", STEPS)
@pytest.mark.parametrize("width", [20, 200])
def test_each_figure_has_a_line_and_each_window_a_column(task, width):
    """Nothing is cut off, however narrow the terminal; what is not known is left blank."""
    log = log_with({0: [message(STEPS[task], 0, 19, task=task)]}, samples=30)
    summary = monitor(log, windows=(5, 10, 1000, 7, 8, 9), until_end=True)

    lines = written(summary, width)

    main = summary["learners"]["main"]
    assert any("learner main of stream tale" in line for line in lines)
    (head,) = [line.split() for line in lines if line.startswith("window ")]
    assert head[1:] == ["5", "10", "1,000", "7", "8", "9", "all", "fading"]
    column = head.index("1,000")
    for name, value in main["windows"]["1000"].items():
        if isinstance(value, float):
            words = name.replace("_", " ")
            (line,) = [line for line in lines if line.startswith(f"{words}  ")]
            cells = line.removeprefix(words).split()
            assert float(cells[column - 1 - blank(name, main)]) == pytest.approx(
                value, abs=1e-4
            )
    assert not any("…" in line for line in lines)


def test_a_class_may_be_called_like_a_style():
    """Names from records are shown as they are."""
    steps = [Step(y, y) for y in ("[red]", "[/]", "a\nb", ":smile:")]
    summary = monitor(log_with({0: [message(steps, 0, 3)]}), until_end=True)

    text = "\n".join(written(summary))

    for name in ("[red]", "[/]", '"a\\nb"', ":smile:"):
        assert name in text


def test_a_learner_that_has_said_nothing_has_a_table_too():
    """Before the first outcome there are counts of nothing."""
    lines = written(monitor(log_with({0: []}), until_end=True))

    assert any("nothing said yet" in line for line in lines)


@pytest.mark.parametrize("task", STEPS)
def test_the_summary_is_json(task):
    """Whatever the task, it is plain data that comes back as it was."""
    log = log_with({0: [message(STEPS[task], 0, 19, task=task)]})

    summary = monitor(log, windows=(10,), until_end=True)

    assert json.loads(json.dumps(summary, allow_nan=False)) == summary
