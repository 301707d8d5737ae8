"""What comes of lines as they come."""

import json
import os
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producer.csv_lines import column
from producer.lines import Lines, take
from stream.errors import SettingError
from stream.mapping import FieldMap
from stream.memory import MemoryLog
from stream.records import MAX_RECORD
from stream.sqlite import SqliteLog

LABELLED = FieldMap(y="y")


def pieces(text, size=7):
    """Return what reads a text in pieces of at most so many bytes, whatever is asked for."""
    data = text if isinstance(text, bytes) else text.encode()
    left = iter([data[at : at + size] for at in range(0, len(data), size)])
    return lambda _: next(left, b"")


def taken(text, log=None, size=7, **settings):
    """Return the summary, and the contents written."""
    log = log or MemoryLog()
    summary = take(log, Lines(**settings), pieces(text, size), now=lambda: 5.0)
    topic = log.topic(f"{log.stream}.samples")
    values = [
        e.value for p in range(topic.partitions) for e in topic.scan(p, 0, topic.end()[p])
    ]
    return summary, [json.loads(value) for value in values]


def test_a_line_of_json_carries_its_types():
    """Nested objects too; the number of the line is the id, now is the time."""
    text = '{"a": 1, "b": {"c": "1"}, "y": true}\n\n{"a": 2.5, "b": null}'
    summary, found = taken(text, mapping=LABELLED)
    assert found == [
        {"id": 0, "ts": 5.0, "x": {"a": 1, "b.c": "1"}, "y": True},
        {"id": 2, "ts": 5.0, "x": {"a": 2.5, "b": None}},
    ]
    assert (summary.samples, summary.questions, summary.lines) == (2, 1, 3)
    assert not summary.stopped


def test_a_line_of_csv_is_typed_value_by_value():
    """Unless a column is given a type; the id is a text whatever it looks like."""
    text = "id;a;zip;on;t;y\r\n007;1;010;true;2024-01-01;UP\r\n8;x;011;NA;2024-01-02;\r\n"
    summary, found = taken(
        text,
        format="csv",
        mapping=FieldMap(id="id", ts="t", y="y"),
        types={"zip": "category"},
    )
    assert found == [
        {"id": "007", "ts": 1704067200.0, "x": {"a": 1, "zip": "010", "on": True}, "y": "UP"},
        {"id": "8", "ts": 1704153600.0, "x": {"a": "x", "zip": "011", "on": None}},
    ]
    assert summary.skipped == {}


def test_a_column_of_any_name_can_be_meant():
    """A dot in it leads nowhere else."""
    _, found = taken("odd.key,b\n1,2\n", format="csv", mapping=FieldMap(y=column("odd.key")))
    assert found == [{"id": 1, "ts": 5.0, "x": {"b": 2}, "y": 1}]


def test_records_of_our_own_form_are_taken_as_they_are():
    """Commands stand in every partition."""
    text = '{"command":"declare","classes":[0,1]}\n{"id":"a","ts":1.0,"x":{"b":1},"y":0}\n'
    summary, found = taken(text + '{"id":"a","y":1}\n', format="records", partitions=2)
    assert [it.get("command") for it in found].count("declare") == 2
    assert {"id": "a", "ts": 1.0, "x": {"b": 1}, "y": 0} in found
    assert {"id": "a", "y": 1} in found
    assert (summary.samples, summary.labels) == (1, 1)


def test_numbers_go_on_behind_those_before():
    """Also of lines that were left out; what is there already is not looked at."""
    log = MemoryLog()
    taken('{"a":1}\n{"a"\n{"a":3}\n', log)
    _, found = taken('{"a":1}\n', log)
    assert [it["id"] for it in found] == [0, 2, 3]


def test_bad_lines_are_left_out_and_counted():
    """Each reason is told once, with the number of the line."""
    said = []
    long = b'{"a":"' + b"b" * (3 * MAX_RECORD) + b'"}'
    text = b"\n".join([b"{", long, b'{"a":1}', b"[1]", b'{"a":"\xff"}', b"{", long])
    log = MemoryLog()
    summary = take(log, Lines(), pieces(text, 60_000), say=said.append)
    assert summary.skipped == {
        "truncated": 2,
        "too_large": 2,
        "not_object": 1,
        "not_utf8": 1,
    }
    assert summary.samples == 1
    assert [it.split(" is")[0] for it in said] == ["line 1", "line 2", "line 4", "line 5"]

    summary, found = taken(
        'a,b\n1\n"1,2\n1,x\n1,2\n', format="csv", types={"b": "number"}, mapping=FieldMap()
    )
    assert summary.skipped == {"malformed_csv": 2, "wrong_type": 1}
    assert [it["x"] for it in found] == [{"a": 1, "b": 2.0}]

    summary, found = taken("b\n1.0\n1.5\n", format="csv", types={"b": "integer"})
    assert (summary.skipped, [it["x"] for it in found]) == ({"wrong_type": 1}, [{"b": 1}])


def test_what_no_line_has_is_said():
    """After some lines, and at the end; what one line has may be missing in the others."""
    mapping = FieldMap(y="o.payed", ts="at", drop=("zzz", "a"))
    line, said = '{"o":{"paid":1},"b":2}\n', []
    rest = f'{line * 10}{{"at":"2024-01-01"}}\n{{"a":null}}\n'
    sentences = [
        "none of {} lines has 'o.payed', which is named as label; did you mean 'o.paid'?",
        "none of {} lines has 'zzz', which is named as drop; there are 'o', 'b', 'o.paid', ",
    ]
    take(MemoryLog(), Lines(mapping=mapping), pieces(rest + line * 500), say=said.append)
    for count, (label, drop) in ((500, said[:2]), (512, said[2:])):
        assert label == sentences[0].format(count)
        assert drop.startswith(sentences[1].format(count))

    for text in ("", "{\n", line * 500):
        said.clear()
        take(MemoryLog(), Lines(mapping=FieldMap(y="y")), pieces(text), say=said.append)
        assert sum("named as label" in it for it in said) == (len(text) > 3)
        assert len(said) == (text != "")


@pytest.mark.parametrize(
    ("line", "format", "meant"),
    [
        ("amount,y", "jsonl", True),
        ('"amount","y"', "jsonl", True),
        ('{"a":1', "jsonl", False),
        ("[1]", "jsonl", False),
        ("a,y\n1", "csv", False),
    ],
)
def test_lines_of_csv_are_told_the_format(line, format, meant):
    """What was meant to be an object, or is said to be CSV, is not."""
    said = []
    take(MemoryLog(), Lines(format=format), pieces(line), say=said.append)
    assert ("; if it is CSV, give --format csv; such" in said[0]) == meant


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("2,1,1e101", "number_range"),
        ("2,1,-1e200", "number_range"),
        ("2,1,1e999", None),
        (f"2,{'L' * 300},1", "string_too_long"),
        (f"{'i' * 1025},1,1", "string_too_long"),
    ],
)
def test_a_row_that_no_record_can_hold_is_left_out(row, reason):
    """A row of CSV is held to the bounds that the learner has; what is written it reads."""
    summary, found = taken(
        f"id,y,a\n1,0,1\n{row}\n3,0,2\n", format="csv", mapping=FieldMap(id="id", y="y")
    )
    assert summary.skipped == ({reason: 1} if reason else {})
    assert [it["id"] for it in found] == (["1", "3"] if reason else ["1", "2", "3"])


def test_what_would_be_too_large_to_read_is_not_written():
    """A record may be larger than what it was made of; it is held to the same limit then."""
    objects = [{"k" * 300: {str(n): 0 for n in range(width)}} for width in (5, 850, 5)]
    text = "\n".join(map(json.dumps, objects))
    summary, found = taken(text, size=60_000)
    assert summary.skipped == {"too_large": 1}
    assert [it["id"] for it in found] == [0, 2]

    names = ",".join(f"{n:0>300}" for n in range(865))
    rows = "\n".join([names, ",".join(["0"] * 865)])
    summary, found = taken(rows, size=60_000, format="csv")
    assert (summary.skipped, found) == ({"too_large": 1}, [])

    almost = '{"x":{"a":"' + "b" * 60_000 + '"}}'
    padded = '{"x":{' + ",".join(f'"{n}":"{"b" * 65_000}"' for n in range(4)) + "}}"
    padded = padded[:-2] + ',"e":"' + "b" * (MAX_RECORD - len(padded) - 7) + '"}}'
    assert len(padded) == MAX_RECORD
    summary, found = taken(f"{almost}\n{padded}", size=60_000, format="records")
    assert summary.skipped == {"too_large": 1}
    assert len(found) == 1


@pytest.mark.parametrize(
    ("settings", "text", "sentence"),
    [
        ({"format": "xml"}, "", "there is no format 'xml'"),
        ({"types": {"a": "number"}}, "", "types are for csv"),
        ({"format": "csv", "types": {"a": "numbr"}}, "", "did you mean 'number'"),
        ({"format": "csv", "types": {"b": "number"}}, "a\n1\n", "no column for a type 'b'"),
        ({"format": "csv", "mapping": LABELLED}, "a\n1\n", "no column for label in standard"),
        ({"format": "csv"}, "a,a\n", "names the column 'a' twice"),
        ({"format": "csv"}, '"a\n', "names no columns"),
        ({"format": "csv"}, "a," * MAX_RECORD + "\n1,2\n", "names no columns: record has"),
        ({"format": "records", "mapping": LABELLED}, "", "need no mapping"),
        ({"partitions": 0}, "", "partitions must be"),
        ({"classes": ["a", "b", "a"]}, "", "classes must differ"),
    ],
)
def test_what_cannot_be_meant_is_refused(settings, text, sentence):
    """In a sentence."""
    with pytest.raises(SettingError, match=sentence):
        taken(text, **settings)


@given(
    st.binary(max_size=300), st.integers(1, 50), st.sampled_from(["jsonl", "csv", "records"])
)
def test_whatever_comes_is_taken_or_counted(data, size, format):
    """No line ends it but a first one that names no columns."""
    try:
        summary, found = taken(data, size=size, format=format)
    except SettingError:
        assert format == "csv"
        return
    assert len(found) + sum(summary.skipped.values()) <= summary.lines
    assert summary.lines == len(data.split(b"\n")) - (data.endswith(b"\n") or not data)


def test_a_line_is_there_at_once(tmp_path):
    """It is committed some milliseconds after it came, whether or not another one comes."""
    log, other = SqliteLog(tmp_path / "s.db"), SqliteLog(tmp_path / "s.db")
    ours, theirs = os.pipe()
    delays = []
    taking = threading.Thread(
        target=take, args=(log, Lines(mapping=LABELLED), lambda n: os.read(ours, n))
    )
    taking.start()
    while not (tmp_path / "s.db").exists() or not other.ask("SELECT 1 FROM topics"):
        time.sleep(0.01)
    topic = other.topic("local.samples")
    for n in range(20):
        os.write(theirs, b'{"a": 1, "y": 0}\n')
        start = time.monotonic()
        while topic.end()[0] <= n:
            assert time.monotonic() - start < 20
            time.sleep(0.001)
        delays.append(time.monotonic() - start)
    os.close(theirs)
    taking.join()
    os.close(ours)
    for each in (log, other):
        each.close()
    # A machine that is busy makes some of them late, one that waits for more makes all.
    assert min(delays) < 0.1


def test_it_stops_when_asked(tmp_path):
    """While the other end is silent; what was read is committed."""
    ours, theirs = os.pipe()
    os.write(theirs, b'{"a": 1}\n')
    log = MemoryLog()
    summary = take(
        log,
        Lines(),
        lambda n: os.read(ours, n),
        stopping=lambda: any(log.create("memory.samples", partitions=1).end().values()),
    )
    os.close(theirs)
    assert summary.stopped
    assert summary.samples == 1
