"""A folder or a pattern is one source, of files in order."""

import json

import pyarrow as pa
import pytest
from pyarrow import parquet

from producer.feed import Feed
from producer.replay import Replay, produce
from producer.settings import writer_name
from producer.sources.table import open_source
from stream.errors import SettingError
from stream.memory import MemoryLog


@pytest.fixture
def folder(tmp_path):
    """Give a function that fills a folder with files, and returns its path."""

    def folder(**files):
        path = tmp_path / "days"
        path.mkdir(exist_ok=True)
        for name, text in files.items():
            (path / name.replace("__", ".")).write_text(text)
        return str(path)

    return folder


def values(log):
    """Return the records of the one partition of a log."""
    topic = log.topic(f"{log.stream}.samples")
    return [json.loads(entry.value) for entry in topic.scan(0, 0, topic.end()[0])]


def sentence(source, **settings):
    """Return the sentence with which a source is refused, before anything is written."""
    with pytest.raises(SettingError) as caught:
        Feed(open_source(source, **settings))
    return str(caught.value)


def test_files_come_in_the_order_of_their_numbers(folder, replayed):
    """Day 10 comes behind day 9, ids count on, and hidden files are passed over."""
    days = {f"day{n}__csv": f"n,y\n{n},{n % 2}\n{n + 100},1\n" for n in range(1, 13)}
    path = folder(**days, __SUCCESS="", **{"_x__csv": "no", "__hidden": "no"})

    (partition,) = replayed(path, label="y")

    told = [message for message in partition if "x" in message]
    assert [message["x"]["n"] for message in told][::2] == list(range(1, 13))
    assert [message["id"] for message in told] == list(range(24))
    assert partition[0]["classes"] == [0, 1]


def test_a_pattern_chooses_and_goes_down(folder, replayed, tmp_path):
    """Two stars lead through folders; what does not match is not read."""
    path = folder(b__csv="n\n2\n", c__txt="what?")
    for name in ("10", "9"):
        (tmp_path / "days" / name).mkdir()
        (tmp_path / "days" / name / "a.csv").write_text(f"n\n{name}\n")

    (partition,) = replayed(f"{path}/**/*.csv")

    assert [message["x"]["n"] for message in partition] == [9, 10, 2]
    assert "holds the folder '9'" in sentence(path)


def test_a_name_that_looks_like_a_pattern_is_a_name(folder, replayed):
    """Where there is such a file, it is meant."""
    path = folder(**{"a[1]__csv": "n\n1\n", "a1__csv": "n\n2\n"})

    assert [m["x"]["n"] for m in replayed(f"{path}/a[1].csv")[0]] == [1]
    assert [m["x"]["n"] for m in replayed(f"{path}/a?.csv")[0]] == [2]


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "has no file in it"),
        ({"a__csv": "n\n1\n", "b__jsonl": '{"n": 1}\n'}, "holds 'a.csv' and 'b.jsonl'"),
        ({"a__csv": "n\n1\n", "b__txt": "n\n1\n"}, "holds 'a.csv' and 'b.txt'"),
        ({"a__txt": "n\n1\n"}, "holds 'a.txt', and its files must be of one kind"),
        ({"a__csv": "n\n1\n", "b__csv": ""}, "b.csv' has no rows"),
        ({"a__csv": "n\n1\n", "b__csv": "n\n"}, "b.csv' has no rows; take it out"),
        ({"a__csv": "n\n1\n", "b__csv": "n,m\n1,2\n"}, "b.csv' has a column 'm', and"),
        ({"a__csv": "n,m\n1,2\n", "b__csv": "n\n1\n"}, "a.csv' has a column 'm', and"),
    ],
)
def test_what_does_not_belong_together_is_named(folder, files, said):
    """Other columns, other kinds and empty files are refused, none is passed over."""
    assert said in sentence(folder(**files))


def test_a_pattern_without_files_is_refused(tmp_path):
    """It names the pattern."""
    assert "no file is called like" in sentence(str(tmp_path / "*.csv"))
    assert "has no column 'y' for the label" in sentence(str(_numbers(tmp_path)), label="y")


def _numbers(path):
    for name, column in (("a", [1, 2]), ("b", [0.5, 1.5])):
        parquet.write_table(pa.table({"n": column, "m": [1, 2]}), path / f"{name}.parquet")
    return path


def test_whole_numbers_in_one_file_may_be_any_in_another(tmp_path):
    """The column is then one of numbers; other types of one column are refused."""
    feed = Feed(open_source(str(_numbers(tmp_path))))

    assert [row.x["n"] for row in feed.read()] == [1.0, 2.0, 0.5, 1.5]
    assert [type(row.x["n"]) for row in feed.read()] == [float] * 4
    assert feed.schema.columns == {"n": "number", "m": "integer"}
    assert feed.schema.rows == 4
    parquet.write_table(pa.table({"n": [True], "m": [1]}), tmp_path / "c.parquet")
    assert "column 'n' of" in sentence(str(tmp_path))


def test_a_bad_row_says_in_which_file_it_stands(folder):
    """Its line is counted in that file."""
    said = []
    path = folder(a__csv="n,m\n1,1\n2,2\n", b__csv="n,m\n3,3\n4\n5,5\n")

    summary = produce(MemoryLog(), Replay(source=path), say=said.append)

    assert (summary.samples, summary.skipped) == (4, 1)
    assert any("b.csv' line 3 has only 1 values" in each for each in said)


def test_a_row_of_another_type_says_in_which_file_it_stands(tmp_path):
    """Also where a file has rows and no lines."""
    for name, words in (("a", ["2024-01-01", "2024-01-02"]), ("b", ["2024-01-03", "late"])):
        parquet.write_table(pa.table({"day": words * 600}), tmp_path / f"{name}.parquet")

    feed = Feed(open_source(str(tmp_path)))

    assert len(list(feed.read())) == 1800
    assert "b.parquet' row 1: column 'day' is of type datetime" in feed.flaws[0]


def test_a_file_that_breaks_off_ends_the_replay_with_its_name(tmp_path):
    """What came before is there, and the file after it is not read."""
    table = pa.table({"n": list(range(50_000))})
    for name in "abc":
        parquet.write_table(table, tmp_path / f"{name}.parquet", row_group_size=10_000)
    path = tmp_path / "b.parquet"
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) * 3 // 4] = bytes(len(data) * 3 // 4 - len(data) // 2)
    path.write_bytes(data)
    log = MemoryLog()

    with pytest.raises(SettingError, match=r"b.parquet' row \d+ and on cannot be read"):
        produce(log, Replay(source=str(tmp_path)))

    assert 60_000 <= len(values(log)) < 100_000


def test_a_replay_goes_on_when_files_are_added(folder):
    """Stopped within the second file, and with a third one added, each row is there once."""
    files = {f"{n}__csv": "n\n" + "".join(f"{n * 10 + i}\n" for i in range(4)) for n in (9, 10)}
    path, log = folder(**files), MemoryLog()
    produce(log, Replay(source=path, limit=6))
    produce(log, Replay(source=path))
    assert [each["x"]["n"] for each in values(log)] == [*range(90, 94), *range(100, 104)]

    last = produce(log, Replay(source=folder(a__csv="n\n7\n")))

    assert last.resumed == 8
    assert [each["x"]["n"] for each in values(log)] == [*range(90, 94), *range(100, 104), 7]
    assert [each["id"] for each in values(log)] == list(range(9))


def test_the_size_of_a_folder_is_that_of_its_files(folder):
    """With a delay or a shuffle an added file makes another replay, without it does not."""
    path = folder(a__csv="n\n1\n")
    plain, mixed = Replay(source=path), Replay(source=path, shuffle=True)
    before = writer_name("s", plain), writer_name("s", mixed)
    folder(b__csv="n\n1\n")

    assert writer_name("s", plain) == before[0]
    assert writer_name("s", mixed) != before[1]
    assert writer_name("s", Replay(source=f"{path}/*.csv")).startswith("s.-.csv.")


FOUR = {f"{n}__csv": "n\n" + "".join(f"{n * 10 + i}\n" for i in range(4)) for n in (1, 2)}


@pytest.mark.parametrize("partitions", [1, 3])
@pytest.mark.parametrize("limit", [3, 6, None])
@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"0__csv": "n\n7\n"}, "its new file '0.csv' comes before '1.csv'"),
        ({"1a__csv": "n\n7\n"}, "its new file '1a.csv' comes before '2.csv'"),
        ({"1__csv": "n\n7\n"}, "its first 2 files are no longer"),
        ({"2__csv": "n\n7\n"}, "its first 2 files are no longer"),
        ({"0__csv": "n\n7\n", "3__csv": "n\n8\n"}, "its new file '0.csv' comes before '1.csv'"),
    ],
)
def test_a_file_that_moves_rows_is_refused(folder, partitions, limit, files, said):
    """Going on goes by the number of the row, so one would be lost, and another there twice."""
    path, log = folder(**FOUR), MemoryLog()
    produce(log, Replay(source=path, limit=limit, partitions=partitions))
    topic = log.topic(f"{log.stream}.samples")
    end = topic.end()
    folder(**files)

    with pytest.raises(SettingError, match="going on goes by the number") as caught:
        produce(log, Replay(source=path, partitions=partitions))

    assert said in str(caught.value)
    assert topic.end() == end


def test_files_are_compared_with_those_of_the_last_time(folder):
    """The last one may grow, others come behind it, and then it may grow no more."""
    path, log = folder(**FOUR), MemoryLog()
    produce(log, Replay(source=path))
    folder(**{"2__csv": FOUR["2__csv"] + "24\n"})
    produce(log, Replay(source=path))
    folder(**{"2__csv": FOUR["2__csv"] + "24\n25\n", "3__csv": "n\n30\n"})
    produce(log, Replay(source=f"{path}/."))
    assert [each["x"]["n"] for each in values(log)] == [*range(10, 14), *range(20, 26), 30]

    folder(**{"2__csv": FOUR["2__csv"] + "24\n25\n26\n"})
    with pytest.raises(SettingError, match="its first 3 files are no longer"):
        produce(log, Replay(source=path))
