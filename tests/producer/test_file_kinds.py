"""Every kind of file gives what the library's own reader gives."""

import csv
import datetime as dt
import decimal
import gzip
import io
import json
import math
import random
import string
import subprocess
import sys
import zipfile

import fastavro
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import feather, ipc, parquet
from river import stream as river_stream
from scipy.io import arff
from sklearn.datasets import load_svmlight_file

from producer.columns import moment
from producer.feed import Feed
from producer.replay import Replay, describe, produce
from producer.sources.table import open_source
from stream.memory import MemoryLog

N = 2500
EPOCH = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)


def rows_of(n=N, seed=7):
    """Return rows of every simple type, some of whose values are missing."""
    rng = random.Random(seed)
    return [
        {
            "whole": rng.randint(-(2**40), 2**40),
            "real": rng.gauss(0, 1),
            "gap": None if rng.random() < 0.1 else rng.random(),
            "truth": rng.random() < 0.5,
            "word": rng.choice(["red", "green", "blue,ish", "ä"]),
            "at": EPOCH + dt.timedelta(microseconds=rng.randrange(10**15)),
            "class": rng.choice(["UP", "DOWN"]),
        }
        for _ in range(n)
    ]


def read(path, label="class", **how):
    """Return features and label of all rows, as the feed gives them, and the feed."""
    feed = Feed(open_source(str(path), label=label), **how)
    found = [(row.x, row.y) for row in feed.read()]
    assert (feed.skipped, feed.flaws) == (0, [])
    return found, feed


def expected(rows, label="class"):
    """Return rows of Python's own values as the feed should give them."""
    return [
        (
            {
                k: moment(v) if isinstance(v, dt.datetime) else v
                for k, v in row.items()
                if k != label
            },
            row[label],
        )
        for row in rows
    ]


def same(found, wanted):
    """Assert that two lists of pairs are equal in values, order and types."""
    assert found == wanted
    for (x, y), (wanted_x, wanted_y) in zip(found, wanted, strict=True):
        assert list(x) == list(wanted_x)
        assert list(map(type, x.values())) == list(map(type, wanted_x.values()))
        assert type(y) is type(wanted_y)


def write_parquet(path, rows):
    """Write rows as Parquet, with several row groups and a dictionary."""
    parquet.write_table(pa.Table.from_pylist(rows), path, row_group_size=700)


def write_arrow(path, rows):
    """Write rows as an Arrow IPC file of several batches."""
    table = pa.Table.from_pylist(rows)
    with ipc.new_file(path, table.schema) as writer:
        writer.write_table(table, max_chunksize=700)


def write_ipc(path, rows):
    """Write rows as an Arrow IPC stream of several batches."""
    table = pa.Table.from_pylist(rows)
    with ipc.new_stream(path, table.schema) as writer:
        writer.write_table(table, max_chunksize=700)


def write_feather(path, rows):
    """Write rows as Feather, packed."""
    feather.write_feather(pa.Table.from_pylist(rows), str(path), compression="lz4")


AVRO = {
    "type": "record",
    "name": "row",
    "fields": [
        {"name": "whole", "type": "long"},
        {"name": "real", "type": "double"},
        {"name": "gap", "type": ["null", "double"]},
        {"name": "truth", "type": "boolean"},
        {"name": "word", "type": "string"},
        {"name": "at", "type": {"type": "long", "logicalType": "timestamp-micros"}},
        {
            "name": "class",
            "type": {"type": "enum", "name": "updown", "symbols": ["UP", "DOWN"]},
        },
    ],
}


def write_avro(path, rows):
    """Write rows as an Avro container of several blocks."""
    with open(path, "wb") as file:
        fastavro.writer(file, AVRO, rows, codec="deflate", sync_interval=5000)


def text_of(value):
    """Return a value as a CSV file has it."""
    if value is None:
        return ""
    return value.isoformat() if isinstance(value, dt.datetime) else str(value)


def write_csv(path, rows):
    """Write rows as CSV, plain or packed as the name says."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(rows[0])
    writer.writerows([map(text_of, row.values()) for row in rows])
    data = text.getvalue().encode()
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("__MACOSX/._a.csv", b"\0\5")
            archive.writestr("folder/a.csv", data)
    else:
        path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)


def write_jsonl(path, rows):
    """Write rows as JSON Lines."""
    path.write_text("".join(json.dumps(row, default=text_of) + "\n" for row in rows))


def write_arff(path, rows):
    """Write the columns that ARFF has as ARFF."""
    lines = ["% a comment", "@relation all", "", "@attribute whole numeric"]
    lines += ["@attribute 'gap' REAL", "@ATTRIBUTE word {red, green, 'blue,ish', amber}"]
    lines += ["@attribute class {UP, DOWN}", "@data", "% another"]
    for row in rows:
        gap = "?" if row["gap"] is None else row["gap"]
        word = row["word"].replace("ä", "amber")  # scipy knows ASCII only
        lines.append(f"{row['whole']},{gap},'{word}',{row['class']}")
    path.write_text("\n".join(lines) + "\n")


def write_libsvm(path, rows):
    """Write the numbers as LIBSVM."""
    lines = ["# a comment"]
    for row in rows:
        gap = "" if row["gap"] is None else f"2:{row['gap']!r} "
        lines.append(f"{'+1' if row['truth'] else '-1'} 1:{row['real']!r} {gap}  # end")
    path.write_text("\n".join(lines) + "\n")


WRITERS = {
    "a.csv": write_csv,
    "a.csv.gz": write_csv,
    "a.csv.zip": write_csv,
    "a.jsonl": write_jsonl,
    "a.parquet": write_parquet,
    "a.arrow": write_arrow,
    "a.ipc": write_ipc,
    "a.feather": write_feather,
    "a.avro": write_avro,
    "a.arff": write_arff,
    "a.libsvm": write_libsvm,
}


def by_csv(path):
    """Read with Python's csv, and types by hand."""
    opener = {".gz": gzip.open, ".zip": None}.get(path.suffix, open)
    if opener is None:
        text = zipfile.ZipFile(path).read("folder/a.csv").decode()
    else:
        with opener(path, "rt") as file:
            text = file.read()
    types = {"whole": int, "real": float, "gap": lambda it: float(it) if it else None}
    types |= {"truth": lambda it: it == "True", "at": dt.datetime.fromisoformat}
    return [
        {name: types.get(name, str)(value) for name, value in row.items()}
        for row in csv.DictReader(io.StringIO(text, newline=""))
    ]


def by_json(path):
    """Read with Python's json."""
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    return [{**row, "at": dt.datetime.fromisoformat(row["at"])} for row in rows]


def by_avro(path):
    """Read with fastavro."""
    with path.open("rb") as file:
        return list(fastavro.reader(file))


READERS = {
    ".csv": by_csv,
    ".gz": by_csv,
    ".zip": by_csv,
    ".jsonl": by_json,
    ".parquet": lambda path: parquet.read_table(path).to_pylist(),
    ".arrow": lambda path: ipc.open_file(path).read_all().to_pylist(),
    ".ipc": lambda path: ipc.open_stream(path).read_all().to_pylist(),
    ".feather": lambda path: feather.read_table(path).to_pylist(),
    ".avro": by_avro,
}


@pytest.mark.parametrize(
    "name", [name for name in WRITERS if "arff" not in name and "svm" not in name]
)
def test_a_file_gives_what_its_library_reads(tmp_path, name):
    """Values, order and types are those of the library's own reader; times are seconds."""
    path = tmp_path / name
    WRITERS[name](path, rows_of())

    found, feed = read(path)

    wanted = READERS[path.suffix](path)
    assert wanted == rows_of()
    same(found, expected(wanted))
    assert feed.schema.classes == ["DOWN", "UP"]
    assert feed.schema.rows == N
    kinds = ["integer", "number", "number", "boolean", "category", "datetime"]
    assert list(feed.schema.columns.values()) == kinds


def test_a_sparse_file_gives_what_river_and_scikit_learn_read(tmp_path):
    """LIBSVM: names are texts, and what a row lacks is left out."""
    path = tmp_path / "a.svm"
    write_libsvm(path, rows_of())

    found, feed = read(path, label=None)

    X, y = load_svmlight_file(str(path))
    assert [label for _, label in found] == y.tolist()
    assert [type(label) for _, label in found] == [int] * N
    assert [x for x, _ in found] == [
        {str(at + 1): value for at, value in zip(row.indices, row.data, strict=True)}
        for row in X
    ]
    assert feed.schema.classes == [-1, 1]
    clean = tmp_path / "clean.svm"
    lines = [" ".join(line.partition("#")[0].split()) for line in path.read_text().splitlines()]
    clean.write_text("\n".join(lines[1:]) + "\n")
    assert found == [(x, int(label)) for x, label in river_stream.iter_libsvm(str(clean))]


def test_arff_gives_what_scipy_reads(tmp_path):
    """Numbers are floats, quotes are none of the value, and a nominal label has classes."""
    path = tmp_path / "a.arff"
    write_arff(path, rows_of())

    found, feed = read(path)

    data, meta = arff.loadarff(str(path))
    wanted = [dict(zip(meta.names(), row.tolist(), strict=True)) for row in data]
    told = [
        ({"whole": x["whole"], "gap": x.get("gap", math.nan), "word": x["word"].encode()}, y)
        for x, y in found
    ]
    for (x, y), row in zip(told, wanted, strict=True):
        assert y == row.pop("class").decode()
        assert (math.isnan(x["gap"]) and math.isnan(row["gap"])) or x["gap"] == row["gap"]
        assert {**x, "gap": 0} == {**row, "gap": 0}
    assert feed.schema.classes == ["UP", "DOWN"] == list(meta["class"][1])
    assert feed.schema.columns == {"whole": "number", "gap": "number", "word": "category"}


def test_arff_without_quotes_is_what_river_reads(tmp_path):
    """Where River's reader is right, nothing is done to what it gives."""
    path = tmp_path / "a.arff.gz"
    lines = [f"{n}.5,{'?' if n % 3 else n},{'ab'[n % 2]}" for n in range(50)]
    header = "@relation r\n@attribute p real\n@attribute q integer\n@attribute y {a,b}\n@data\n"
    path.write_bytes(gzip.compress((header + "\n".join(lines) + "\n").encode()))

    assert read(path, label="y")[0] == list(river_stream.iter_arff(str(path), target="y"))


def test_a_sparse_row_of_arff_leaves_out_zeros(tmp_path):
    """Of features they stay out; a label left out is the first class, or 0."""
    path = tmp_path / "a.arff"
    path.write_text(
        "@relation r\n@attribute p real\n@attribute q {x,'y z'}\n@attribute y {no,yes}\n@data\n"
        "{0 1.5, 2 yes}\n{ }\n{1 'y z', 0 ?}\n"
    )

    assert read(path, label="y")[0] == [
        ({"p": 1.5}, "yes"),
        ({}, "no"),
        ({"q": "y z", "p": None}, "no"),
    ]
    assert [y for _, y in read(path, label="p")[0]] == [1.5, 0.0, None]


def test_quotes_and_blanks_are_no_part_of_a_value(tmp_path):
    """Unless they stand within quotes, or a word has one in it."""
    path = tmp_path / "a.arff"
    path.write_text(
        "@relation r\n@attribute p string\n@attribute y {UP,'IN BETWEEN'}\n@data\n"
        "a ,\tUP\n  'b, \\'c\\';' , 'IN BETWEEN'\nit's, \"UP\"\ndon't,UP\n"
    )

    assert read(path, label="y")[0] == [
        ({"p": "a"}, "UP"),
        ({"p": "b, 'c';"}, "IN BETWEEN"),
        ({"p": "it's"}, "UP"),
        ({"p": "don't"}, "UP"),
    ]


@pytest.mark.parametrize(
    ("values", "rows", "classes"),
    [
        ("{ yes , no }", ["yes", " no"], ["yes", "no"]),
        ("{'it\\'s', b}", ["'it\\'s'", "b"], ["it's", "b"]),
        ("{\"a b\",'c,d'}  % two", ["'a b'", "'c,d'"], ["a b", "c,d"]),
        ("{' <=50K',' >50K'}", ["' <=50K'", ">50K"], ["<=50K", ">50K"]),
    ],
)
def test_classes_of_arff_are_declared_as_they_are_read(tmp_path, values, rows, classes):
    """Quotes, blanks and escapes are taken off in braces as in rows."""
    path = tmp_path / "a.arff"
    header = f"@relation r\n@attribute p real\n@attribute y {values}\n@data\n"
    path.write_text(header + "".join(f"1,{row}\n" for row in rows))

    pairs, feed = read(path, label="y")

    assert feed.schema.classes == [y for _, y in pairs] == classes


@pytest.mark.parametrize("row", ["{-1 b}", "{0 1, 0 2}", "{0}", "{x 1}", "{0 1,}"])
def test_a_sparse_row_that_names_no_column_or_one_twice_is_left_out(tmp_path, row):
    """A number below 0 is not a column from behind; blanks between are one or many."""
    path = tmp_path / "a.arff"
    path.write_text(
        "@relation r\n@attribute p real\n@attribute y {a,b}\n@data\n"
        f"{{0 1,1  b}}\n{row}\n{{1 a}}\n"
    )

    feed = Feed(open_source(str(path), label="y"))

    assert [(x, y) for x, y, _, _ in feed.read()] == [({"p": 1.0}, "b"), ({}, "a")]
    assert feed.skipped == 1


@pytest.mark.parametrize("with_id", [False, True])
def test_a_file_of_avro_is_read_alike_whatever_columns_it_has(tmp_path, with_id):
    """A late value of another type, a text for what is missing, a number too large."""
    fields = [{"name": "v", "type": ["double", "string"]}, {"name": "city", "type": "string"}]
    rows = [{"v": 1.0, "city": "Rome"}] * 1000
    rows += [{"v": "oops", "city": "Rome"}, {"v": 1e200, "city": "Rome"}]
    rows += [{"v": 2.0, "city": "NA"}]
    if with_id:
        fields.append({"name": "n", "type": "int"})
        rows = [row | {"n": 1} for row in rows]
    path = tmp_path / "a.avro"
    with path.open("wb") as file:
        fastavro.writer(file, {"type": "record", "name": "r", "fields": fields}, rows)

    feed = Feed(open_source(str(path)))
    last = [row.x for row in feed.read()][-1]

    assert feed.skipped == 2
    assert (last["v"], last["city"]) == (2.0, None)


@pytest.mark.parametrize("name", WRITERS)
def test_a_stopped_producer_goes_on_in_every_kind_of_file(tmp_path, name):
    """Stopped twice, and with a higher limit, the topic is that of one run to the end."""
    path = tmp_path / name
    WRITERS[name](path, rows_of(300))
    replay = {"source": str(path), "label": None if "svm" in name else "class"}
    broken, whole = MemoryLog(), MemoryLog()
    for limit in (70, 71, None):
        last = produce(broken, Replay(**replay, limit=limit), now=lambda: 0.0)
    produce(whole, Replay(**replay), now=lambda: 0.0)

    assert last.resumed >= 71
    topic, wanted = (
        broken.topic(f"{broken.stream}.samples"),
        whole.topic(f"{whole.stream}.samples"),
    )
    assert topic.end() == wanted.end()
    assert [it.value for it in topic.scan(0, 0, topic.end()[0])] == [
        it.value for it in wanted.scan(0, 0, wanted.end()[0])
    ]


TYPES = {
    "tiny": (pa.int8(), [1, None, -3], "integer", [1, None, -3]),
    "huge": (pa.uint64(), [1, 2**63, None], "integer", [1, float(2**63), None]),
    "half": (pa.float16(), [0.5, None, math.inf], "number", [0.5, None, None]),
    "float": (pa.float32(), [0.5, math.nan, None], "number", [0.5, None, None]),
    "money": (
        pa.decimal128(9, 2),
        [decimal.Decimal("1.25"), None, 2],
        "number",
        [1.25, None, 2.0],
    ),
    "truth": (pa.bool_(), [True, None, False], "boolean", [True, None, False]),
    "word": (pa.string(), ["a", "NA", None], "category", ["a", None, None]),
    "large": (pa.large_string(), ["a", "", None], "category", ["a", None, None]),
    "view": (pa.string_view(), ["a", "b", None], "category", ["a", "b", None]),
    "bytes": (pa.binary(), [b"a", b"b", None], "category", ["a", "b", None]),
    "kind": (
        pa.dictionary(pa.int8(), pa.string()),
        ["a", "?", None],
        "category",
        ["a", None, None],
    ),
    "code": (pa.dictionary(pa.int8(), pa.int64()), [7, 8, None], "integer", [7, 8, None]),
    "none": (pa.null(), [None, None, None], "category", [None, None, None]),
    "day": (
        pa.date32(),
        [dt.date(1970, 1, 2), None, dt.date(1969, 12, 31)],
        "datetime",
        [86400.0, None, -86400.0],
    ),
    "day64": (
        pa.date64(),
        [dt.date(1970, 1, 2), None, None],
        "datetime",
        [86400.0, None, None],
    ),
    "second": (pa.timestamp("s"), [5, None, -1], "datetime", [5.0, None, -1.0]),
    "nano": (
        pa.timestamp("ns", "Europe/Berlin"),
        [1_700_000_000_123_456_789, None, 1],
        "datetime",
        [1_700_000_000.1234568, None, 1e-9],
    ),
    "clock": (pa.time64("us"), [1_500_000, None, 0], "number", [1.5, None, 0.0]),
    "span": (pa.duration("ms"), [1500, None, 0], "number", [1.5, None, 0.0]),
}


@pytest.mark.parametrize("name", TYPES)
def test_every_simple_type_of_arrow_is_a_column(tmp_path, name):
    """It has the type of the schema, and what is missing or not finite is None."""
    kind, values, column, wanted = TYPES[name]
    path = tmp_path / "a.arrow"
    table = pa.table({"v": pa.array(values, kind)})
    with ipc.new_file(path, table.schema) as writer:
        writer.write_table(table)

    found, feed = read(path, label=None)

    assert [x["v"] for x, _ in found] == wanted
    assert [type(x["v"]) for x, _ in found] == list(map(type, wanted))
    assert feed.schema.columns == {"v": column}


def test_structs_and_wrapped_types_are_flattened(tmp_path):
    """A dot stands between the names; what is missing above is missing below."""
    inner = pa.array([{"b": 1, "c": {"d": "x"}}, None, {"b": None, "c": None}])
    ends = pa.array([2, 3], pa.int32())
    runs = pa.RunEndEncodedArray.from_arrays(ends, pa.array([5.0, 6.0]))
    path = tmp_path / "a.arrow"
    table = pa.table({"a": inner, "runs": runs, "y": [1, 0, 1]})
    with ipc.new_file(path, table.schema) as writer:
        writer.write_table(table)

    found, feed = read(path, label="y")

    assert found == [
        ({"a.b": 1, "a.c.d": "x", "runs": 5.0}, 1),
        ({"a.b": None, "a.c.d": None, "runs": 5.0}, 0),
        ({"a.b": None, "a.c.d": None, "runs": 6.0}, 1),
    ]
    assert feed.schema.classes == [0, 1]
    assert [y for _, y in read(path, label="a.b")[0]] == [1, None, None]


def test_records_of_avro_are_flattened(tmp_path):
    """Unions with null, named types used twice, logical types and nothing lost."""
    point = {
        "type": "record",
        "name": "point",
        "fields": [{"name": "x", "type": "double"}, {"name": "y", "type": ["null", "int"]}],
    }
    fields = {
        "p": point,
        "q": ["null", "point"],
        "n": ["null", "int", "double"],
        "day": {"type": "int", "logicalType": "date"},
        "ms": ["null", {"type": "long", "logicalType": "timestamp-millis"}],
        "local": {"type": "long", "logicalType": "local-timestamp-micros"},
        "clock": {"type": "int", "logicalType": "time-millis"},
        "money": {"type": "bytes", "logicalType": "decimal", "precision": 6, "scale": 2},
        "who": {"type": "string", "logicalType": "uuid"},
        "ns": {"type": "long", "logicalType": "timestamp-nanos"},
    }
    schema = {
        "type": "record",
        "name": "row",
        "namespace": "some.where",
        "fields": [{"name": name, "type": kind} for name, kind in fields.items()],
    }
    one = {
        "p": {"x": 0.5, "y": None},
        "q": {"x": 1.5, "y": 2},
        "n": 3,
        "day": dt.date(1970, 1, 2),
        "ms": dt.datetime(1970, 1, 1, 0, 0, 1, tzinfo=dt.UTC),
        "local": dt.datetime(1970, 1, 1, 0, 0, 2),
        "clock": dt.time(0, 1, 0, 500_000),
        "money": decimal.Decimal("1.25"),
        "who": "12345678-1234-5678-1234-567812345678",
        "ns": 1_500_000_000,
    }
    path = tmp_path / "a.avro"
    with path.open("wb") as file:
        fastavro.writer(file, schema, [one, one | {"q": None, "n": 0.25, "ms": None}])

    (first, second), feed = read(path, label=None)

    flat = {"p.x": 0.5, "p.y": None, "q.x": 1.5, "q.y": 2, "n": 3.0, "day": 86400.0}
    flat |= {
        "ms": 1.0,
        "local": 2.0,
        "clock": 60.5,
        "money": 1.25,
        "who": one["who"],
        "ns": 1.5,
    }
    assert first == (flat, None)
    assert second == (flat | {"q.x": None, "q.y": None, "n": 0.25, "ms": None}, None)
    assert feed.schema.columns["n"] == "number"
    assert feed.schema.columns["local"] == feed.schema.columns["ns"] == "datetime"


@settings(deadline=None, max_examples=40)
@given(
    rows=st.lists(
        st.fixed_dictionaries(
            {
                "n": st.none() | st.integers(-(2**63), 2**63 - 1),
                "f": st.none() | st.floats(min_value=-1e100, max_value=1e100),
                "s": st.none() | st.text(string.printable, max_size=4),
                "t": st.none() | st.integers(-(10**16), 10**16),
            }
        ),
        min_size=1,
        max_size=30,
    )
)
def test_parquet_and_avro_tell_the_same(tmp_path_factory, rows):
    """Two libraries, one table: the rows are the same, whatever is in them."""
    folder = tmp_path_factory.mktemp("same")
    names = {"n": pa.int64(), "f": pa.float64(), "s": pa.string(), "t": pa.timestamp("us")}
    columns = {
        name: pa.array([row[name] for row in rows], kind) for name, kind in names.items()
    }
    parquet.write_table(pa.table(columns), folder / "a.parquet")
    avro = {"n": "long", "f": "double", "s": "string", "t": {"type": "long"}}
    avro["t"]["logicalType"] = "local-timestamp-micros"
    fields = [{"name": name, "type": ["null", kind]} for name, kind in avro.items()]
    with (folder / "a.avro").open("wb") as file:
        fastavro.writer(file, {"type": "record", "name": "r", "fields": fields}, rows)

    told = [read(folder / name, label=None)[0] for name in ("a.parquet", "a.avro")]

    assert told[0] == told[1]
    same(*told)


@pytest.mark.parametrize("size", [1, 2000, 2001])
def test_no_row_of_a_batch_is_lost(tmp_path, size):
    """However its length falls on ours."""
    table = pa.table({"n": range(size)})
    with ipc.new_file(tmp_path / "a.arrow", table.schema) as writer:
        writer.write_table(table)

    assert [x["n"] for x, _ in read(tmp_path / "a.arrow", label=None)[0]] == list(range(size))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.svm", "1 1:2\n1 x\n1 1:x\n0 1:3\n0 1:4 1:5\n1 1:4\n"),
        (
            "a.arff",
            "@relation r\n@attribute 1 real\n@attribute label {0,1}\n@data\n"
            "2,1\nx,1\n3\n3,0\ny,1\n4,1\n",
        ),
    ],
)
def test_rows_behind_a_bad_one_are_read(tmp_path, name, text):
    """River's own reader would end at the first; each bad row is counted."""
    path = tmp_path / name
    path.write_text(text)

    feed = Feed(open_source(str(path), label="label" if "arff" in name else None))

    assert [(row.x, str(row.y), row.id) for row in feed.read()] == [
        ({"1": 2.0}, "1", 0),
        ({"1": 3.0}, "0", 3),
        ({"1": 4.0}, "1", 5),
    ]
    assert feed.skipped == 3


def test_a_setting_beats_the_schema(tmp_path):
    """A type, an id, a time and a drop mean in Parquet what they mean in CSV."""
    path = tmp_path / "a.parquet"
    write_parquet(path, rows_of(20))
    how = {"types": {"whole": "category"}, "id": "real", "time": "at", "drop": ["truth"]}

    feed = Feed(open_source(str(path), label="class"), **how)
    rows = list(feed.read())

    wanted = rows_of(20)
    assert [row.x["whole"] for row in rows] == [str(row["whole"]) for row in wanted]
    assert [row.id for row in rows] == [str(row["real"]) for row in wanted]
    assert [row.ts for row in rows] == [row["at"].timestamp() for row in wanted]
    assert list(rows[0].x) == ["whole", "gap", "word", "at"]


def test_a_label_that_comes_late_is_still_a_column(tmp_path):
    """Where a schema names the label, the first thousand rows may lack it."""
    path = tmp_path / "a.parquet"
    parquet.write_table(pa.table({"a": range(1500), "y": [None] * 1400 + ["UP"] * 100}), path)

    preview = describe(Replay(source=str(path), label="y"))

    assert preview.schema.classes == ["UP"]


def test_a_sparse_file_may_name_more_features_than_a_record_may_have(tmp_path):
    """What is bounded is one row, not the dictionary of a whole file."""
    path = tmp_path / "a.svm"
    path.write_text("".join(f"{n % 2} {n}:1 {n + 5000}:2\n" for n in range(3000)))

    assert len(read(path, label=None)[0]) == 3000


CHILD = """
import resource, sys
from producer.feed import Feed
from producer.sources.table import open_source

feed = Feed(open_source(sys.argv[1]))
rows = feed.read()
next(rows)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
count = 1 + sum(1 for _ in rows)
print(count, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_a_large_parquet_file_is_never_held_whole(tmp_path):
    """Of 180 MB in row groups of 7, reading adds far less than 100 MB."""
    path, n = tmp_path / "a.parquet", 50_000
    columns = {f"c{i}": pa.array([random.Random(i).randbytes(200).hex()] * n) for i in range(9)}
    table = pa.table({"n": range(n), **columns})
    with parquet.ParquetWriter(
        path, table.schema, compression="none", use_dictionary=False
    ) as writer:
        for start in range(0, n, 2000):
            writer.write_table(table.slice(start, 2000))
    assert path.stat().st_size > 170_000_000

    run = [sys.executable, "-c", CHILD, str(path)]
    done = subprocess.run(run, capture_output=True, text=True, check=True, cwd=".")

    count, grown = map(int, done.stdout.split())
    assert count == n
    assert grown < 60_000  # kilobytes
