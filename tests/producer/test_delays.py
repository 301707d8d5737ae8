"""Labels held back come in River's order."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from river.stream import simulate_qa

from producer.delays import delay_of, held_back
from producer.schema import Row

DELAYS = st.one_of(
    st.integers(0, 12), st.integers(0, 5_000_000).map(lambda us: dt.timedelta(microseconds=us))
)


@given(
    moments=st.lists(st.integers(0, 10_000_000), max_size=40),
    labels=st.randoms(use_true_random=False),
    delay=DELAYS,
)
def test_the_order_is_river_s(moments, labels, delay):
    """Questions and answers come as simulate_qa has them, to the microsecond."""
    start = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
    times = [start + dt.timedelta(microseconds=us) for us in moments]
    ys = [labels.choice(["a", "b"]) for _ in times]

    rows = [
        Row({}, y, t.timestamp(), i) for i, (t, y) in enumerate(zip(times, ys, strict=True))
    ]
    told = [(row.id, answer) for row, answer in held_back(rows, delay)]

    pairs = [({"t": t}, y) for t, y in zip(times, ys, strict=True)]
    moment = "t" if isinstance(delay, dt.timedelta) else None
    expected = simulate_qa(pairs, moment, delay)
    assert told == [(i, y is not None) for i, _, y in expected]


def test_labels_held_back_are_records_of_their_own(replayed, table):
    """A question has id, time and features, a label its id; what is left comes last."""
    (partition,) = replayed(
        table(4), label="class", time="day", drop=["x", "color"], label_delay=2
    )

    day = [m["ts"] for m in partition if "x" in m]
    questions = [{"id": i, "ts": day[i], "x": {"day": day[i]}} for i in range(4)]
    answers = [{"id": i, "y": i % 2} for i in range(4)]
    assert partition[1:] == [
        *(questions[0], questions[1], answers[0], questions[2]),
        *(answers[1], questions[3], answers[2], answers[3]),
    ]


def test_labels_can_be_held_back_by_time(replayed, table):
    """A label comes before the first question that is so much later."""
    (partition,) = replayed(table(4), label="class", time="day", label_delay="2h")

    assert [(m["id"], "x" in m) for m in partition[1:]] == [
        *((0, True), (1, True), (0, False), (2, True), (1, False), (3, True)),
        *((2, False), (3, False)),
    ]


def test_a_row_without_a_label_is_never_answered(replayed, write):
    """It is a question for ever, held back or not."""
    path = write("a.csv", "a,y\n1,0\n2,\n3,1\n")

    plain = replayed(path, label="y")[0]
    delayed = replayed(path, label="y", label_delay=1)[0]

    assert [m.get("y") for m in plain[1:]] == [0, None, 1]
    assert [m["id"] for m in delayed if "y" in m] == [0, 2]


def test_a_label_lies_with_its_question(replayed):
    """A label has its question's key, so that both are in one partition."""
    partitions = replayed("river:Phishing", label_delay=100, partitions=3)

    for partition in partitions:
        asked = [m["id"] for m in partition if "x" in m]
        assert [m["id"] for m in partition if "y" in m] == asked
    assert sum("x" in m for partition in partitions for m in partition) == 1250


@pytest.mark.parametrize(
    ("text", "delay"),
    [
        ("0", 0),
        ("90s", dt.timedelta(seconds=90)),
        ("3d", dt.timedelta(days=3)),
        ("1.5h", dt.timedelta(minutes=90)),
        ("250ms", dt.timedelta(milliseconds=250)),
        ("2w", dt.timedelta(weeks=2)),
        (7, 7),
        (dt.timedelta(1), dt.timedelta(1)),
        (None, None),
    ],
)
def test_a_delay_is_a_number_or_a_time(text, delay):
    """Units are ms, s, m, h, d and w; a bare number counts samples."""
    assert delay_of(text) == delay


def test_shuffling_with_a_delay_is_seeded(replayed):
    """The same seed gives the same order of questions and labels."""
    settings = {"shuffle": True, "label_delay": 10, "limit": 50}

    assert replayed("river:Phishing", **settings) == replayed("river:Phishing", **settings)
