import json
import os
import shutil
import string
import subprocess

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from monitor.board import Board
from monitor.classes import NAME, NAMED, Codes, Known, kept, key_of, name_of
from monitor.confusion import MOST
from monitor.details import details
from monitor.exporter import page, registry
from monitor.figures import ALL
from monitor.windows import Window
from stream.records import NOT_FINITE, OTHER, Totals, text_of
from tests.monitor.made import ODD, Step, message

LABELS = ("class", "label", "guess")
labels = st.text() | st.sampled_from(ODD) | st.integers(-(2**63), 2**63 - 1) | st.booleans()
CUT = name_of(json.dumps("x" * 300))


def board_of(steps, windows=(5, 1000)):
    """Return a board that was told these steps."""
    board = Board("tale", "main", windows)
    board.feed(0, message(steps, 0, len(steps) - 1))
    return board


def samples_of(board):
    """Return the samples of a scrape that have a class, read back by Prometheus' own parser."""
    text = page(registry(lambda: [board]))[0].decode()
    return [
        sample
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if any(name in sample.labels for name in LABELS)
    ]


def names_of(board):
    """Return the values of labels that come from records."""
    return {
        value
        for sample in samples_of(board)
        for name, value in sample.labels.items()
        if name in LABELS
    }


@given(st.lists(labels, unique_by=lambda label: text_of(label), max_size=30))
@example(["other", '"other"', "1", 1, "true", "x" * 300, CUT, CUT[:-1]])
def test_no_two_classes_have_one_name(drawn):
    """Whatever classes are called, their names differ, fit, and are none of `OTHER`."""
    names = [name_of(text_of(label)) for label in drawn]

    assert len(set(names)) == len(names)
    assert OTHER not in names
    assert all(0 < len(name) <= NAME and name.isprintable() for name in names)


@given(labels)
def test_a_class_is_found_again_by_its_text(label):
    """The JSON text under which totals count a class leads to what a window keeps of it."""
    key = key_of(text_of(label))
    codes = Codes()

    assert key == kept(label)
    assert codes.keys_by_code[codes[label]] == key
    assert codes[label] == codes[label]


def test_true_and_one_are_one_class():
    """As Python compares them, and River; "1" is another."""
    codes = Codes()

    assert codes[1] == codes[True] == codes[1.0]
    assert len({codes[1], codes["1"], codes[0], codes[-1], codes[-2]}) == 5


@given(steps=st.lists(st.builds(Step, y=labels, y_pred=labels), min_size=1, max_size=60))
def test_any_names_make_a_page_that_can_be_read(steps):
    """Prometheus' parser reads it, no series comes twice, and counts add up to the rows."""
    samples = samples_of(board_of(steps))

    series = [(sample.name, *sorted(sample.labels.items())) for sample in samples]
    assert len(set(series)) == len(series)
    for window, rows in (("5", min(5, len(steps))), (ALL, len(steps))):
        counted = [
            sample.value
            for sample in samples
            if sample.name == "driftline_confusion_rows" and sample.labels["window"] == window
        ]
        assert sum(counted) == rows
        assert len(counted) <= (NAMED + 1) ** 2
    found = {value for sample in samples for n, value in sample.labels.items() if n in LABELS}
    assert len(found) <= NAMED + 1


def test_promtool_reads_the_oddest_names():
    """Quotes, line ends, control characters and lone surrogates break no line of the page."""
    promtool = shutil.which("promtool")
    if promtool is None:
        assert "CI" not in os.environ, "promtool is missing; tools/needs.sh installs it"
        pytest.skip("promtool is not installed")
    odd = ['"', "\\", "\n", "\r\n", "\x00", "{}", "a\u2028b", "🙂", "\u202e"]
    for some in (odd, ODD, [c * 70 for c in string.punctuation[:9]]):
        content, _ = page(registry(lambda some=some: [board_of([Step(y, y) for y in some])]))
        done = subprocess.run(
            [promtool, "check", "metrics"],
            input=content,
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert (done.stderr, done.returncode) == (b"", 0)


def test_ten_thousand_classes_are_ten_and_the_rest():
    """A stream of ever new names adds no series, and is soon forgotten."""
    steps = [Step(f"name {n}", f"name {n}") for n in range(10_000)]
    board = Board("tale", "main", (5, 1000))
    names = set()
    for n in range(0, 10_000, 500):
        board.feed(0, message(steps, n, n + 499))
        names |= names_of(board)

    # Of classes seen equally often the names decide, over all that totals tell apart.
    assert names == {*sorted(f"name {n}" for n in range(50))[:NAMED], OTHER}
    (codes,) = [tally.window._codes for tally in board._tallies.values()]
    assert len(codes) == len(codes.keys_by_code) < 4000


def test_long_names_are_kept_short():
    """However long the names of classes are, a window keeps little of them."""
    window = Window(100)
    for n in range(50):
        long = [f"{n} " + "x" * 60_000]
        window.extend(long, long, [0], no_change=[0], majority=[0])
        window.extend(long, long, [0], no_change=[0], majority=[0])

    assert len(window._codes.keys_by_code) == 50
    assert {len(key) for key in window._codes} == {16}


def test_the_commonest_classes_have_names_and_ties_go_by_name():
    """Counted since the learner's start, so that no window changes which ones they are."""
    letters = "mlkjihgfedcba"
    steps = [Step(y, y) for y in letters] + [Step("m", "m"), Step("l", "l"), Step("l", "a")]
    board = board_of(steps)

    known = Known([part.totals for part in board.figures().parts.values()])

    assert list(known.names) == ["l", "m", *"abcdefgh"]
    assert names_of(board) == {*"lmabcdefgh", OTHER}


def test_beyond_fifty_classes_totals_tell_no_averages_and_windows_do():
    """Totals put the rest together, where a wrong guess looks right; a window need not."""
    steps = [Step(f"{n:02}", f"{n:02}" if n % 2 else "00") for n in range(60)]

    found = details(board_of(steps).figures())

    assert found[ALL].averages == {}
    assert "kappa" not in found[ALL].plain
    assert found["1000"].averages["recall"]["macro"] == 31 / 60
    assert found["1000"].plain["balanced_accuracy"] == 31 / 60
    assert found[ALL].classes["01"] == found["1000"].classes["01"]


def test_too_many_classes_in_a_window_have_no_averages():
    """A scrape must end: beyond a thousand classes only those with names are shown."""
    steps = [Step(f"{n}", f"{n}") for n in range(MOST + 1)]

    found = details(board_of(steps, (MOST, MOST + 1)).figures())

    assert found[str(MOST)].averages["f1"] == {"macro": 1.0, "weighted": 1.0}
    assert found[str(MOST + 1)].averages == {}
    assert len(found[str(MOST + 1)].classes) == NAMED


def test_a_guess_that_was_not_finite_is_in_no_confusion():
    """It is wrong for the accuracy and counted, but it named no class."""
    board = board_of([Step("a", "a"), Step("b", "b", NOT_FINITE), Step("b", "a")])

    detail = details(board.figures())["1000"]

    assert detail.confusion == {("a", "a"): 1, ("b", "a"): 1}
    assert board.figures().scores("1000") == {"accuracy": 1 / 3}


@pytest.mark.parametrize(
    "confusion",
    [
        {"no JSON": {"1": 2}},
        {"[1]": {"{}": 2}},
        {"null": {"NaN": 2}},
        {"9" * 5000: {"[" * 5000: 2}},
    ],
)
def test_totals_of_a_stranger_break_nothing(confusion):
    """Keys that are no class are put with the rest."""
    outcomes = message([Step("a", "a")], 0, 0)
    outcomes.totals = Totals("classification", samples=2, scored=2, confusion=confusion)
    board = Board("tale", "main", (5,))
    board.feed(0, outcomes)

    assert names_of(board) <= {OTHER, "1"}


def test_classes_whose_names_collide_after_all_share_no_series(monkeypatch):
    """Should two digests ever be equal, the rarer class goes with the rest."""
    monkeypatch.setattr("monitor.classes.name_of", lambda text: text[:2])
    steps = [Step(y, y) for y in ("aa", "aa", "ab", "b")]

    samples = samples_of(board_of(steps))

    series = [(sample.name, *sorted(sample.labels.items())) for sample in samples]
    assert len(set(series)) == len(series)
    rows = {
        sample.labels["label"]: sample.value
        for sample in samples
        if sample.name == "driftline_confusion_rows" and sample.labels["window"] == ALL
    }
    assert rows == {'"a': 2, '"b': 1, OTHER: 1}
