from contextlib import closing

import pytest
from rich.console import Console

from driftline import learn, produce
from driftline.view import NARROWEST, WIDEST, sentence, view
from monitor.follow import Follower
from monitor.tally import Noted
from stream.connect import connect


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    """Give figures and curve of a learner that has met a drift."""
    url = f"sqlite:{tmp_path_factory.mktemp('view') / 's.db'}"
    produce(url, source="synth:Sine(seed=42)", drifts=["abrupt@3000"], limit=6000)
    learn(url, model="hoeffding-tree")
    with closing(connect(url)) as log:
        follower = Follower(log, ["main"], (200, 1000))
        follower.catch_up()
        follower.recall()
        return follower.boards[0].figures(), follower.boards[0].curve()


def lines(seen, columns):
    """Return the view as it stands on a terminal of so many columns."""
    console = Console(width=columns, force_terminal=False)
    with console.capture() as said:
        console.print(
            view(
                *seen,
                window="1000",
                address="http://127.0.0.1:8000",
                model="hoeffding-tree",
                policy="reset",
                columns=columns,
            )
        )
    return said.get().splitlines()


@pytest.mark.parametrize("columns", [60, 80, 100, 120, 200])
def test_the_view_takes_the_width_of_the_terminal(seen, columns):
    """Within bounds; a wider one shows more of the curve, and every one the whole story."""
    found = lines(seen, columns)
    width = min(max(columns, NARROWEST), WIDEST)
    assert {len(line.rstrip()) for line in found} == {width}
    curve = next(line for line in found if "▇" in line or "█" in line)
    assert len(curve.strip("│ ")) == min(width - 20, len(seen[1].x))
    text = " ".join(" ".join(line.strip("│ ") for line in found).split())
    for words in (
        "6,000",
        "the world changes: abrupt drift",
        "ADWIN sees it",
        "Ctrl-C to stop",
    ):
        assert words in text


@pytest.mark.parametrize(
    ("kind", "details", "words"),
    [
        ("reset", {}, "the model is replaced by a new one"),
        ("swap", {"trained": 31}, "takes over that has learned 31 samples"),
        ("refit", {"samples": 1000}, "takes over, trained on 1000 samples"),
        ("faster", {"samples": 50}, "it learns faster for 50 samples"),
        (
            "input-drift",
            {"feature": "a\x1b", "before": 1.0, "after": 2.5},
            "\\x1b moves: 1 → 2.5",
        ),
    ],
)
def test_what_happened_is_said_in_a_few_words(kind, details, words):
    """None of which can command a terminal."""
    assert words in sentence(Noted(0, 7, kind, details, 0))
