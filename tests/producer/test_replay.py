"""What a replay writes, and what a second one adds."""

import pytest

from producer.replay import Replay, describe, produce
from producer.settings import writer_name
from stream.errors import Fenced
from stream.memory import MemoryLog
from stream.records import decode, decode_command, encode
from stream.topic import Retention, partition_of


def ids(partition):
    """Return the ids of the samples of a partition, in order."""
    return [message["id"] for message in partition if "x" in message]


def test_ids_count_on_over_loops(replayed, write):
    """The number of a row is its id, also of the rows behind one that is left out."""
    path = write("a.csv", "a,y\n1,0\n2\n3,1\n")

    assert ids(replayed(path, label="y", loop=3)[0]) == [0, 2, 3, 5, 6, 8]


def test_a_limit_counts_samples(replayed, table):
    """Over loops too; loop 0 goes on for ever."""
    assert ids(replayed(table(4), label="class", loop=0, limit=11)[0]) == list(range(11))
    assert ids(replayed(table(4), label="class", limit=0)[0]) == []


def test_a_named_id_is_not_counted(replayed, table):
    """An id from a column comes again in each loop."""
    assert ids(replayed(table(2), label="class", id="x", loop=2)[0]) == ["0.5", "1.5"] * 2


def test_retention_is_for_a_new_topic(table):
    """Asked of one that is there, it is said that it has its own."""
    log, said = MemoryLog(), []
    keep = Retention(seconds=60.0)
    for limit in (1, 2):
        assert not said
        replay = Replay(source=table(4), label="class", limit=limit, retention=keep)
        produce(log, replay, say=said.append if limit == 2 else lambda _: None)
    assert any("keeps the retention it was made with" in sentence for sentence in said)


def test_classes_come_too_late_for_a_replay_that_has_begun(table):
    """This is said, but not where they are those it began with."""
    path, log = table(4), MemoryLog()
    told = {}
    for classes in (None, (1, 0), (0, 1, 2)):
        said = told[classes] = []
        produce(log, Replay(source=path, label="class", classes=classes), say=said.append)
    late = {
        key: any("no longer be declared" in it for it in said) for key, said in told.items()
    }
    assert late == {None: False, (1, 0): False, (0, 1, 2): True}


def test_shuffling_is_seeded(replayed, table):
    """The same seed gives the same order, another another; every row keeps its number."""
    path = table(50)

    first = ids(replayed(path, label="class", shuffle=True, seed=1)[0])

    assert first == ids(replayed(path, label="class", shuffle=True, seed=1)[0])
    assert first != ids(replayed(path, label="class", shuffle=True, seed=2)[0])
    assert sorted(first) == list(range(50))
    looped = ids(replayed(path, label="class", shuffle=True, loop=2)[0])
    assert looped[:50] == first
    assert [id - 50 for id in looped[50:]] != first
    assert sorted(looped) == list(range(100))


def test_a_sample_lies_where_its_key_says(replayed, table):
    """The key is the id, or the text of the feature that is named as key."""
    by_id = replayed(table(30), label="class", partitions=3)
    by_color = replayed(table(30), label="class", partitions=3, key="color")

    for p in range(3):
        assert all(partition_of(str(id).encode(), 3) == p for id in ids(by_id[p]))
        colors = {m["x"]["color"] for m in by_color[p] if "x" in m}
        assert all(partition_of(color.encode(), 3) == p for color in colors)


def test_every_partition_hears_of_the_classes(replayed, table):
    """The first record of each is a command that the stream's own reader understands."""
    for partition in replayed(table(5), label="class", partitions=4):
        command = encode(partition[0])
        assert decode(command).command == "declare"
        assert decode_command(command).classes == [0, 1]


def test_classes_can_be_set(replayed, table):
    """Those that are set are declared, whatever the file holds."""
    assert replayed(table(5), label="class", classes=[0, 1, 2])[0][0]["classes"] == [0, 1, 2]


def test_without_a_time_a_sample_has_that_of_its_writing(replayed, table):
    """With a column of event time it has that."""
    assert replayed(table(2), label="class")[0][1]["ts"] == 0
    assert replayed(table(2), label="class", time="day")[0][2]["ts"] == 1704070800


def test_a_second_run_adds_nothing(told, table):
    """All that there is was there already; the pace does not matter."""
    log, path = MemoryLog(), table(20)
    first = produce(log, Replay(source=path, label="class"))
    before = told(log)

    again = produce(log, Replay(source=path, label="class", rate=1e9))

    assert (first.samples, first.resumed) == (20, 0)
    assert (again.samples, again.resumed) == (0, 21)
    assert told(log) == before


def test_partitions_that_were_added_take_only_what_is_new(told, table):
    """What the old ones have is not written again; each begins with the classes."""
    log, path = MemoryLog(), table(40)
    produce(log, Replay(source=path, label="class", limit=20))
    before = told(log)
    log.widen("memory.samples", 3)

    again = produce(log, Replay(source=path, label="class", limit=20))
    assert (again.samples, again.resumed) == (0, 20)
    assert told(log)[0] == before[0]
    assert [[set(each) for each in told(log)[p]] for p in (1, 2)] == [
        [{"command", "classes"}]
    ] * 2

    more = produce(log, Replay(source=path, label="class"))
    ids = [each["id"] for partition in told(log) for each in partition if "id" in each]
    assert more.samples == 20
    assert sorted(ids) == list(range(40))
    assert all(told(log))


@pytest.mark.parametrize("more", [{"limit": 30}, {"loop": 2}, {"limit": None}])
def test_raising_limit_or_loop_goes_on(told, table, replayed, more):
    """What is added is what was missing."""
    log, path = MemoryLog(), table(20)
    settings = {"label": "class", "loop": 1, "limit": 15, "time": "day"}
    more = {"limit": None} | more
    produce(log, Replay(source=path, **settings))

    produce(log, Replay(source=path, **settings | more))

    assert told(log) == replayed(path, **settings | more)


def test_a_file_that_grew_goes_on(told, table):
    """New rows at its end are added, and only they."""
    log = MemoryLog()
    produce(log, Replay(source=table(20), label="class"))

    summary = produce(log, Replay(source=table(30), label="class"))

    assert summary.samples == 10
    assert ids(told(log)[0]) == list(range(30))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({}, {"shuffle": True}),
        ({}, {"drop": ["x"]}),
        ({}, {"types": {"x": "category"}}),
        ({}, {"label_delay": 3}),
        ({"label_delay": 3, "limit": 5}, {"label_delay": 3, "limit": 6}),
        ({"shuffle": True, "seed": 1}, {"shuffle": True, "seed": 2}),
    ],
)
def test_other_settings_are_another_replay(table, first, second):
    """What decides over the order is in the writer's name, and a person is told."""
    log, path, said = MemoryLog(), table(20), []
    first, second = (
        Replay(source=path, label="class", **settings) for settings in (first, second)
    )
    assert writer_name("s", first) != writer_name("s", second)
    produce(log, first)

    summary = produce(log, second, say=said.append)

    assert summary.resumed == 0
    assert any("holds records of another replay" in sentence for sentence in said)


def test_the_size_of_a_file_decides_over_a_shuffle(table):
    """A longer file is shuffled otherwise, and its labels are held back otherwise."""
    for settings in ({"shuffle": True}, {"label_delay": 3}):
        names = {writer_name("s", Replay(source=table(n), **settings)) for n in (5, 6, 5)}
        assert len(names) == 2


@pytest.mark.parametrize("told_first", [None, [0, 1]])
def test_classes_told_in_one_run_only_shift_nothing(told, told_first):
    """The first number is theirs, whether they are known or not."""
    log = MemoryLog()
    settings = {"source": "synth:Friedman", "task": "classification", "limit": 9}
    produce(log, Replay(**settings, classes=told_first))
    before = told(log)

    produce(log, Replay(**settings, classes=None if told_first else [0, 1]))

    assert told(log) == before


def test_what_goes_to_all_partitions_goes_to_each_once(told):
    """A log that kept it in some of them only gets it in the others."""
    log, replay = MemoryLog(), Replay(source="synth:SEA", limit=9, partitions=3)
    log.create("memory.samples", partitions=3)
    writer = log.writer(writer_name("memory", replay))
    writer.append("memory.samples", b'{"command":"declare"}', partition=1, row=0)
    writer.commit()

    produce(log, replay)

    assert [sum("command" in m for m in partition) for partition in told(log)] == [1, 1, 1]


def test_pace_and_partitions_do_not_change_the_name(table):
    """A restart may be faster, and of the seed only what is random depends."""
    path = table(5)

    names = {
        writer_name("s", Replay(source=path, **settings))
        for settings in ({}, {"rate": 5}, {"seed": 9}, {"partitions": 3}, {"limit": 2})
    }

    assert len(names) == 1
    assert names.pop().startswith("s.table.csv.")


def test_two_files_of_one_name_are_two(table, write, tmp_path):
    """The whole path decides, however it is written."""
    path = table(5)
    (tmp_path / "other").mkdir()
    other = write("other/table.csv", "a,y\n1,0\n")

    assert writer_name("s", Replay(source=path)) != writer_name("s", Replay(source=other))
    roundabout = str(tmp_path / "other" / ".." / "table.csv")
    assert writer_name("s", Replay(source=path)) == writer_name("s", Replay(source=roundabout))


def test_a_topic_keeps_its_partitions(table, told):
    """Another number of partitions is not made, and a person is told."""
    log, said = MemoryLog(), []
    log.create("memory.samples", partitions=2)

    summary = produce(
        log, Replay(source=table(9), label="class", partitions=5), say=said.append
    )

    assert summary.partitions == len(told(log)) == 2
    assert "memory.samples was made with 2 partitions and keeps them" in said


def test_a_newer_producer_fences_an_older(table):
    """When the same replay is started elsewhere, the first one ends and has added nothing."""
    log, path = MemoryLog(), table(30)
    replay = Replay(source=path, label="class")
    asked = 0

    def stopping():
        nonlocal asked
        asked += 1
        if asked == 20:
            produce(log, replay)
        return False

    with pytest.raises(Fenced):
        produce(log, replay, stopping=stopping)

    assert log.topic("memory.samples").end() == {0: 31}


def test_what_is_produced_is_summed_up(write):
    """The summary counts samples, questions, labels, marks and rows left out."""
    path = write("a.csv", "a,y\n1,0\n2,\n3\n4,1\n")
    said, progress = [], []

    plain = produce(MemoryLog(), Replay(source=path, label="y"), say=said.append)
    delayed = produce(MemoryLog(), Replay(source=path, label="y", label_delay=1))
    marked = produce(
        MemoryLog(),
        Replay(source="synth:SEA", limit=20, drifts=["abrupt@9"], partitions=3),
        progress=progress.append,
    )

    assert (plain.samples, plain.questions, plain.labels, plain.skipped) == (3, 1, 0, 1)
    assert [sentence for sentence in said if "left out" in sentence] == [
        f"{path!r} line 4 has only 1 values for 2 columns; such rows are left out and counted",
        "rows left out: 1",
    ]
    assert said[0] == "a.csv: classification of 'y' (0, 1) by integer a"
    assert (delayed.samples, delayed.questions, delayed.labels) == (3, 3, 2)
    assert (marked.samples, marked.marks, marked.partitions) == (20, 1, 3)
    assert (progress[-1].samples, progress[-1].total, progress[-1].messages) == (20, 20, 22)


def test_a_preview_writes_nothing(table):
    """It has the schema, the first rows and how many can be read in a second."""
    preview = describe(Replay(source=table(20), label="class", time="day"))

    assert dict(preview.schema.columns) == {
        "day": "datetime",
        "x": "number",
        "color": "category",
    }
    assert (preview.schema.task, preview.schema.classes) == ("classification", [0, 1])
    assert (preview.schema.rows, preview.schema.time) == (20, "day")
    assert [row.id for row in preview.rows] == [0, 1, 2, 3, 4]
    assert preview.rows_per_second > 0


def test_what_comes_before_a_break_is_kept(told, write):
    """A file that breaks off ends the run with a sentence, and what could be read is there."""
    good = "a,y\n" + "1,0\n" * 3000
    path = write("a.csv", good.encode() + b"\xff,1\n")
    log = MemoryLog()

    with pytest.raises(Exception, match="is not UTF-8 text"):
        produce(log, Replay(source=path, label="y", classes=[0, 1]))

    (partition,) = told(log)
    assert 0 < len(ids(partition)) <= 3000
