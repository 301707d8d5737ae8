"""Whatever is wrong with a file is one sentence that names it, and never a traceback."""

import gzip
import io
import json
import sys
import zipfile

import fastavro
import pyarrow as pa
import pytest
from pyarrow import ipc, parquet

from producer.replay import Replay, produce
from stream.errors import SettingError
from stream.memory import MemoryLog

ROWS = 30_000
TABLE = pa.table({"a": list(range(ROWS)), "b": [f"v{n % 7}" for n in range(ROWS)]})
LISTS = pa.table({"a": [1, 2], "tags": [["x"], ["y"]]})
AVRO = {
    "type": "record",
    "name": "row",
    "fields": [{"name": "a", "type": "long"}, {"name": "b", "type": "string"}],
}
HEADER = "@relation r\n@attribute a numeric\n@attribute y {UP,DOWN}\n@data\n"


def parquet_of(table=TABLE):
    """Return a table as Parquet, in row groups of 5,000."""
    sink = io.BytesIO()
    parquet.write_table(table, sink, row_group_size=5000, compression="none")
    return sink.getvalue()


def arrow_of(table=TABLE, new=ipc.new_file):
    """Return a table as an IPC file or stream, in batches of 5,000."""
    sink = io.BytesIO()
    with new(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=5000)
    return sink.getvalue()


def avro_of(schema=AVRO, rows=None, codec="null"):
    """Return rows as an Avro container."""
    sink = io.BytesIO()
    rows = rows or [{"a": n, "b": f"v{n % 7}"} for n in range(ROWS)]
    fastavro.writer(sink, schema, rows, codec=codec)
    return sink.getvalue()


def field_of(kind):
    """Return an Avro schema with one field of a type."""
    return {**AVRO, "fields": [{"name": "a", "type": kind}]}


def zip_of(**members):
    """Return an archive of members, the dots of whose names are written __."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name.replace("__", "."), text)
    return sink.getvalue()


def locked_zip():
    """Return an archive that says it has a password."""
    data = bytearray(zip_of(a__csv="a,y\n1,2\n"))
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


def cut(data):
    """Return the first half, and a bit, of a file."""
    return data[: len(data) * 6 // 10]


def flipped(data):
    """Return a file whose middle is other bytes."""
    middle = len(data) // 2
    return (
        data[:middle]
        + bytes(255 - byte for byte in data[middle : middle + 64])
        + data[middle + 64 :]
    )


MANY = "a,y\n" + "1,2\n" * 100_000
NOISE = bytes(range(256)) * 20
CASES = [
    # name, bytes, label, what is said
    ("empty.csv", b"", None, "has no rows"),
    ("header.csv", b"a,y\n", None, "has no row that can be used"),
    ("latin.csv", "a,y\nä,2\n".encode("latin-1"), None, "line 2 is not UTF-8 text"),
    ("utf16.csv", "a,y\n1,2\n".encode("utf-16"), None, "line 1 is not UTF-8 text"),
    ("long.csv", b"a" * (1 << 24), None, "line 1 is longer than 16 MiB"),
    ("noise.csv.gz", NOISE, None, "cannot be read: Not a gzipped file"),
    ("empty.csv.gz", b"", None, "has no rows"),
    ("cut.csv.gz", cut(gzip.compress(MANY.encode())), None, "and on cannot be read"),
    ("noise.zip", NOISE, None, "cannot be read: File is not a zip file"),
    ("empty.zip", b"", None, "cannot be read: File is not a zip file"),
    ("cut.zip", cut(zip_of(a__csv=MANY)), None, "cannot be read: File is not a zip file"),
    ("broken.zip", flipped(zip_of(a__csv="".join(map(str, range(99999))))), None, "cannot be"),
    ("two.zip", zip_of(a__csv="a\n1\n", b__csv="a\n1\n"), None, "holds 'a.csv', 'b.csv'"),
    ("none.zip", zip_of(), None, "must hold one .csv file, and holds nothing"),
    ("other.zip", zip_of(readme__txt="hi"), None, "and holds 'readme.txt'"),
    ("locked.zip", locked_zip(), None, "cannot be unpacked"),
    ("nolabel.zip", zip_of(a__csv="a,class\n1,2\n"), "clas", "did you mean 'class'?"),
    ("bad.jsonl", b'{"a": 1}\n{"a": \n', None, "line 2 is not JSON"),
    ("empty.parquet", b"", None, "cannot be read"),
    ("noise.parquet", NOISE, None, "cannot be read"),
    ("cut.parquet", cut(parquet_of()), None, "cannot be read"),
    ("headless.parquet", parquet_of()[9000:], None, "cannot be read"),
    ("rowless.parquet", parquet_of(TABLE.slice(0, 0)), None, "has no row that can be used"),
    ("lists.parquet", parquet_of(LISTS), None, "column 'tags' of"),
    ("nolabel.parquet", parquet_of(), "bb", "did you mean 'b'?"),
    ("twice.arrow", arrow_of(pa.table([[1], [2]], ["a", "a"])), None, "the column 'a' twice"),
    ("bytes.arrow", arrow_of(pa.table({"a": [b"\xff\xfe"]})), None, "cannot be read"),
    ("empty.arrow", b"", None, "cannot be read"),
    ("noise.arrow", NOISE, None, "cannot be read"),
    ("cut.arrow", cut(arrow_of()), None, "cannot be read"),
    ("cut.ipc", cut(arrow_of(new=ipc.new_stream)), None, "row 15000 and on cannot be read"),
    ("old.feather", b"FEA1" + NOISE, None, "is of Feather's first version"),
    ("rowless.feather", arrow_of(TABLE.slice(0, 0)), None, "has no row that can be used"),
    ("empty.avro", b"", None, "is no Avro container file"),
    ("noise.avro", NOISE, None, "is no Avro container file"),
    ("cut.avro", cut(avro_of()), None, "and on cannot be read"),
    ("flipped.avro", flipped(avro_of(codec="deflate")), None, "and on cannot be read"),
    ("rowless.avro", avro_of(rows=iter(())), None, "has no row that can be used"),
    ("nolabel.avro", avro_of(), "bb", "did you mean 'b'?"),
    ("headless.avro", b"Obj\x01" + NOISE, None, "cannot be read"),
    (
        "list.avro",
        avro_of(field_of({"type": "array", "items": "int"}), [{"a": [1]}]),
        None,
        "field 'a' of",
    ),
    (
        "endless.avro",
        avro_of(field_of(["null", "row"]), [{"a": None}]),
        None,
        "field 'a' of",
    ),
    ("bytes.avro", avro_of(field_of("bytes"), [{"a": b"x"}]), None, "is of type bytes"),
    ("plain.avro", avro_of("long", [1, 2]), None, "holds no records but each a long"),
    ("empty.arff", b"", None, "has no rows"),
    ("nodata.arff", HEADER.partition("@data")[0].encode(), None, "it has no line @data"),
    ("noise.arff", NOISE, None, "is not UTF-8 text"),
    ("rowless.arff", HEADER.encode(), None, "has no row that can be used"),
    ("badhead.arff", b"@relation r\n@attribute a\n@data\n1\n", None, "is not ARFF"),
    ("badtype.arff", b"@relation r\n@attribute a color\n@data\n1\n", None, "is not ARFF"),
    ("nolabel.arff", f"{HEADER}1,UP\n".encode(), "x", "has no column 'x'"),
    (
        "width.arff",
        f"{HEADER}1,UP\n1\n".encode(),
        "y",
        "line 6 is no row of 2 values: it has 1",
    ),
    ("number.arff", f"{HEADER}1,UP\nx,UP\n".encode(), "y", "line 6 is no row of 2 values"),
    ("sparse.arff", f"{HEADER}{{0 1}}\n{{7 1}}\n".encode(), "y", "line 6 is no row"),
    ("cut.arff.gz", cut(gzip.compress((HEADER + "1,UP\n" * 99999).encode())), "y", "and on"),
    ("empty.libsvm", b"# nothing\n\n", None, "has no rows"),
    ("noise.svm", NOISE, None, "is not UTF-8 text"),
    ("label.svm", b"1 1:2\n1 1:2\n", "y", "leave the label 'y' away"),
    ("value.svm", b"1 1:2\n1 1:x\n", None, "line 2 is not LABEL NAME:VALUE"),
    ("pair.svm", b"1 1:2\n1 12\n", None, "line 2 is not LABEL NAME:VALUE"),
    ("twice.svm", b"1 1:2\n1 1:2 1:3\n", None, "line 2 is not LABEL NAME:VALUE …: it names a"),
    ("text.svm", b"1 1:2\nyes 1:3\n", None, "line 2 is not LABEL NAME:VALUE"),
]


@pytest.mark.parametrize(("name", "data", "label", "said"), CASES, ids=[it[0] for it in CASES])
def test_a_broken_file_is_one_sentence(tmp_path, name, data, label, said):
    """It names the file, and the place where there is one; no other error comes out."""
    path, sentences = tmp_path / name, []
    path.write_bytes(data)
    try:
        summary = produce(
            MemoryLog(), Replay(source=str(path), label=label), say=sentences.append
        )
    except SettingError as error:
        sentences = [str(error)]
    else:
        assert summary.skipped > 0

    told = [sentence for sentence in sentences if said in sentence]
    assert len(told) == 1, sentences
    assert name in told[0]
    assert "\n" not in told[0]
    assert not told[0].endswith(".")


@pytest.mark.parametrize(
    ("ending", "data"),
    [
        (".parquet", parquet_of(TABLE.slice(0, 300))),
        (".arrow", arrow_of(TABLE.slice(0, 300))),
        (".ipc", arrow_of(TABLE.slice(0, 300), ipc.new_stream)),
        (".avro", avro_of(rows=[{"a": n, "b": "x"} for n in range(300)], codec="deflate")),
        (".zip", zip_of(a__csv="a,b\n" + "1,2\n" * 300)),
        (".csv.gz", gzip.compress(b"a,b\n" + b"1,2\n" * 300)),
    ],
    ids=["parquet", "arrow", "ipc", "avro", "zip", "gz"],
)
def test_cut_anywhere_and_flipped_anywhere_no_traceback_comes(tmp_path, ending, data):
    """A file damaged at any place is read, or refused with a sentence."""
    path, refused = tmp_path / f"damaged{ending}", []
    step = max(1, len(data) // 60)
    for at in range(0, len(data), step):
        for damaged in (data[:at], data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1 :]):
            path.write_bytes(damaged)
            try:
                produce(MemoryLog(), Replay(source=str(path), limit=400))
            except SettingError as error:
                refused.append(str(error))
    assert len(refused) > 40
    assert all(path.name in sentence for sentence in refused)


def test_a_member_that_unpacks_to_much_is_never_held_whole(tmp_path):
    """Of 400 MB in one archive of 400 kB the first rows are there in no time."""
    path = tmp_path / "bomb.zip"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("a.csv", "w", force_zip64=True) as member,
    ):
        member.write(b"a,b\n")
        for _ in range(100):
            member.write(b"1,2\n" * 1_000_000)
    assert path.stat().st_size < 1_000_000

    summary = produce(MemoryLog(), Replay(source=str(path), limit=5))

    assert summary.samples == 5


def test_without_its_library_a_file_says_what_to_install(tmp_path, monkeypatch):
    """The extra is named, for Parquet, Arrow and Avro."""
    for module in [name for name in sys.modules if name.startswith("producer.sources.a")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "fastavro", None)
    for ending, extra in ((".parquet", "parquet"), (".arrow", "parquet"), (".avro", "avro")):
        path = tmp_path / f"a{ending}"
        path.write_bytes(b"")
        with pytest.raises(SettingError, match=rf"install driftline\[{extra}\]"):
            produce(MemoryLog(), Replay(source=str(path)))


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize(
    ("lines", "first", "last"),
    [
        # Two quotes alone in one column make a row of the right width, and others do not.
        ({1500: '7,"v,UP', 2500: '7,"v,UP'}, 1500, 2500),
        ({1500: '7,"v,UP', 2500: '"7,v,UP'}, 1500, 2500),
        ({1500: '"7,v,UP', 2500: '7,v,"UP'}, 1500, 2500),
        ({1499: "", 1500: '7,v,"UP', 2500: 'v",v,7'}, 1500, 2500),
        ({1500: '7,"v,UP'}, 1500, 3001),
        ({1498: "", 1499: "", 1500: '7,"v,UP', 1600: '7,"v,UP'}, 1500, 1600),
    ],
)
def test_rows_within_an_open_quote_are_told_of_and_counted(tmp_path, end, lines, first, last):
    """The sentence has the first and last of the lines, and each counts as left out."""
    path, said = tmp_path / "q.csv", []
    rows = {n: f"{n},v{n},{'UP' if n % 2 else 'DOWN'}" for n in range(2, 3002)} | lines
    path.write_bytes("".join(f"{row}{end}" for row in ["a,b,y", *rows.values()]).encode())

    summary = produce(MemoryLog(), Replay(source=str(path), label="y"), say=said.append)

    blank = sum(not row for row in lines.values())
    assert summary.skipped == last - first + 1
    assert summary.samples + summary.skipped + blank == 3000
    (sentence,) = [it for it in said if "opens a quote" in it]
    assert f"line {first} opens a quote that reaches to line {last}: " in sentence
    assert f"{last - first + 1:,} lines" in sentence


def test_a_text_of_many_lines_is_a_value(tmp_path):
    """It stands in quotes, and its lines are no rows; neither are hundreds of empty lines."""
    path, text = tmp_path / "letters.csv", "Dear all,\n\nyours\n" * 100
    path.write_text(f'a,b,y\n1,"{text}",UP\n' + "\n" * 300 + f'2,b,UP\n3,"{text}",DOWN\n')
    log = MemoryLog()

    summary = produce(log, Replay(source=str(path), label="y"))

    assert (summary.samples, summary.skipped) == (3, 0)
    topic = log.topic("memory.samples")
    found = [json.loads(it.value) for it in topic.scan(0, 1, topic.end()[0])]
    assert [it["x"]["b"] for it in found] == [text, "b", text]
