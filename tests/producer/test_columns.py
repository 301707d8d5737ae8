"""Types of columns and labels are inferred once, and can be set."""

import math
from pathlib import Path

import pytest

from producer.columns import kind_of, moment
from producer.feed import Feed
from producer.replay import Replay, describe, produce
from producer.sources.csv import open_csv
from producer.sources.source import Source
from stream.memory import MemoryLog

DAY = 86400.0


@pytest.mark.parametrize(
    ("texts", "kind", "values"),
    [
        (["1", "-2", "+3"], "integer", [1, -2, 3]),
        (["1", "2.5", ".5", "1e3"], "number", [1.0, 2.5, 0.5, 1000.0]),
        (["1", "", "NA", "nan", "null", "?"], "integer", [1, None, None, None, None, None]),
        (["1.5", "NaN"], "number", [1.5, None]),
        (["true", "FALSE", ""], "boolean", [True, False, None]),
        (["a", "1", ""], "category", ["a", "1", None]),
        (["1_000", "x"], "category", ["1_000", "x"]),
        (["none", "inf"], "category", ["none", "inf"]),
        (["1970-01-02", "1970-01-02T00:00:01Z"], "datetime", [DAY, DAY + 1]),
        (["1970-01-02 01:00:00+01:00", ""], "datetime", [DAY, None]),
        (["2001", "2002"], "integer", [2001, 2002]),
        (["9223372036854775808"], "integer", [9.223372036854775808e18]),
        (["", "NA"], "category", [None, None]),
    ],
)
def test_a_column_of_texts_has_the_type_of_all_its_values(write, texts, kind, values):
    """What is missing has no say, and is null; a mixture is a category."""
    assert kind_of(texts, texts=True) == kind
    path = write("a.csv", "a,b\n" + "".join(f"{text},x\n" for text in texts))
    preview = describe(Replay(source=path))
    assert preview.schema.columns == {"a": kind, "b": "category"}
    feed = Feed(open_csv(Path(path), None))
    told = [row.x["a"] for row in feed.read()]
    assert told == values
    assert list(map(type, told)) == list(map(type, values))


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("category", "1"),
        ("number", 1.0),
        ("integer", 1),
        ("boolean", True),
        ("datetime", 1.0),
    ],
)
def test_a_type_can_be_set(write, kind, value):
    """What a type says beats what the rows suggest."""
    path = write("a.csv", "a,y\n1,0\n")

    row = describe(Replay(source=path, label="y", types={"a": kind})).rows[0]

    assert row.x == {"a": value}
    assert type(row.x["a"]) is type(value)


def test_a_type_can_be_set_for_a_generator():
    """Types are not for files only."""
    preview = describe(Replay(source="synth:Agrawal", types={"zipcode": "category"}))

    assert preview.schema.columns["zipcode"] == "category"
    assert isinstance(preview.rows[0].x["zipcode"], str)


@pytest.mark.parametrize(
    ("labels", "task", "told", "classes"),
    [
        (["b", "a"], "classification", ["b", "a"], ["a", "b"]),
        (["1", "0"], "classification", [1, 0], [0, 1]),
        (["1.0", "0.0", ""], "classification", [1, 0, None], [0, 1]),
        (["true", "False"], "classification", [True, False], [False, True]),
        (["1.5", "2"], "regression", [1.5, 2.0], None),
        ([str(n) for n in range(50)], "classification", list(range(50)), list(range(50))),
        ([str(n) for n in range(51)], "regression", list(range(51)), None),
        (["7"] * 1000 + [str(n) for n in range(60)], "regression", None, None),
        (["7"] * 1000 + ["7.5"] * 50, "regression", None, None),
        (["7", "8"] * 500 + ["7.5"] * 5, "classification", None, [7, 8]),
        (["7"] * 1000 + [f"{n}.5" for n in range(9)] * 9, "regression", None, None),
        ([f"u{n}" for n in range(1001)], "classification", None, None),
    ],
)
def test_the_task_follows_from_the_labels(write, labels, task, told, classes):
    """Few whole numbers, texts and truths are classes, and the whole file tells which."""
    path = write("a.csv", "a,y\n" + "".join(f"1,{label}\n" for label in labels))

    preview = describe(Replay(source=path, label="y"))

    assert (preview.schema.task, preview.schema.classes) == (task, classes)
    if told:
        assert [row.y for row in preview.rows] == told[:5]
        assert [type(row.y) for row in preview.rows] == [type(y) for y in told[:5]]


def test_the_task_can_be_set(write):
    """Few whole numbers are for regression when the setting says so, and the other way."""
    path = write("a.csv", "a,y\n1,2\n1,3\n")
    path_of_halves = write("b.csv", "a,y\n1,2.5\n1,3\n")

    assert describe(Replay(source=path, label="y", task="regression")).schema.classes is None
    preview = describe(Replay(source=path_of_halves, label="y", task="classification"))
    assert preview.schema.classes == ["2.5", "3"]


def test_classes_far_down_are_found(write):
    """The column of labels is read whole, not only the rows that types come of."""
    path = write("a.csv", "a,y\n" + "1,0\n" * 1500 + "1,9\n")

    schema = describe(Replay(source=path, label="y")).schema

    assert (schema.classes, schema.rows) == ([0, 9], 1501)


def test_a_row_that_does_not_fit_is_left_out_and_said_once(write):
    """Its number is not given to another row; the first is named with line and value."""
    path = write("a.csv", "a,y\n1,0\n2\n3,0,0\n" + "4,1\n" * 1000 + "five,1\n6,0\n")

    feed = Feed(open_csv(Path(path), "y"))
    ids = [row.id for row in feed.read()]

    assert feed.skipped == 3
    assert feed.flaws == [
        f"{path!r} line 3 has only 1 values for 2 columns",
        f"{path!r} line 4 has more than 2 values for 2 columns",
        f"{path!r} line 1005: column 'a' is of type integer, and 'five' is no number",
    ]
    assert ids == [0, *range(3, 1003), 1004]


def test_a_value_of_another_type_is_named(write):
    """The sentence has file, line, column, type and value."""
    path = write("a.csv", "a,y\n" + "4,1\n" * 1000 + "five,1\n")

    preview = describe(Replay(source=path, label="y"))

    assert preview.flaws == [
        f"{path!r} line 1002: column 'a' is of type integer, and 'five' is no number"
    ]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "line 2 is not JSON"),
        ("[1]", "line 2 is not an object but [1]"),
        ('{"a": {"b": 1}}', "line 2 is not flat: 'a' holds"),
        ('{"a": [1]}', "a.jsonl | driftline produce --source - …"),
        ('{"a": "\\ud800"}', "line 2 holds half a character"),
    ],
)
def test_a_line_that_is_no_flat_object_is_left_out(write, line, said):
    """A flaw names file and line, and what was found there."""
    path = write("a.jsonl", f'{{"a": 1}}\n{line}\n{{"a": 2}}\n')

    preview = describe(Replay(source=path))

    assert [row.x for row in preview.rows] == [{"a": 1}, {"a": 2}]
    assert preview.skipped == 1
    assert said in preview.flaws[0]


def test_what_is_no_finite_number_is_null(told, monkeypatch):
    """NaN and infinities of a source's own are null on the wire; such a label is missing."""
    pairs = [({"a": math.nan}, math.nan), ({"a": math.inf}, 2.5), ({"a": 1.0}, math.inf)]
    source = Source(name="n", rows=lambda: iter(pairs), label="y", task="regression")
    monkeypatch.setattr("producer.settings.open_source", lambda *_, **__: source)
    log = MemoryLog()

    produce(log, Replay(source="synth:n"))

    (partition,) = told(log)
    assert [(m["x"]["a"], m.get("y")) for m in partition] == [
        (None, None),
        (None, 2.5),
        (1, None),
    ]


def test_roles_take_columns(table):
    """The id is no feature, the time is both, and what is dropped is neither."""
    rows = describe(
        Replay(source=table(3), label="class", id="x", time="day", drop=["color"])
    ).rows

    assert rows[1].id == "1.5"
    assert rows[1].ts == moment("2024-01-01T01:00:00")
    assert rows[1].x == {"day": rows[1].ts}


def test_an_id_of_whole_numbers_is_a_number(write):
    """Other ids are their texts; a row without one is left out."""
    path = write("a.csv", "a,id\n1,7\n2,\n3,9\n")

    preview = describe(Replay(source=path, id="id"))

    assert [row.id for row in preview.rows] == [7, 9]
    assert preview.skipped == 1


def test_no_two_ids_become_one(write):
    """What no whole number of 64 bits is written like stays the text it is."""
    ids = ["7", "007", "+7", "18446744073709551614", "18446744073709551615", "-3", "1e3"]
    path = write("a.csv", "a,id\n" + "1,5\n" * 1000 + "".join(f"1,{id}\n" for id in ids))

    found = [row.id for row in Feed(open_csv(Path(path), None), id="id").read()][1000:]

    assert found == [7, *ids[1:5], -3, "1e3"]


def test_labels_that_are_no_numbers_are_left_out_where_numbers_were_said(write):
    """Also of the first rows; and one that is beyond all a record can hold."""
    path = write("a.csv", "a,y\n1,1\n2,unknown\n3,5\n")
    preview = describe(Replay(source=path, label="y", types={"y": "integer"}))
    assert [row.y for row in preview.rows] == [1, 5]
    assert "the label in column 'y': 'unknown' is no number" in preview.flaws[0]

    path = write("b.csv", "a,y\n1,1.5\n2,1.7976931348623157e308\n3,2.5\n")
    preview = describe(Replay(source=path, label="y"))
    assert [row.y for row in preview.rows] == [1.5, 2.5]
    assert "is beyond ±1e+100" in preview.flaws[0]


def test_a_cell_of_blanks_is_missing(replayed, write):
    """Also where it stands among numbers, which stay numbers."""
    path = write("a.csv", "a,b,y\n1, ,0\n ,u,1\n2.5, NA ,0\n")

    found = [message["x"] for message in replayed(path, label="y")[0] if "x" in message]

    assert found == [{"a": 1, "b": None}, {"a": None, "b": "u"}, {"a": 2.5, "b": None}]
