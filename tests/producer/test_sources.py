"""Every source gives what the library's own reader gives."""

import datetime as dt
import json
import os
import subprocess
import sys
from inspect import signature
from itertools import islice

import pytest
from river import datasets
from river import stream as river_stream
from river.datasets import synth
from sklearn import datasets as sklearn_datasets

from producer.sources import river, sklearn
from producer.sources import synth as generators
from producer.sources.drifts import drifting, schedule


def seconds(value):
    """Return a datetime as driftline sends it."""
    if isinstance(value, dt.datetime):
        return (value if value.tzinfo else value.replace(tzinfo=dt.UTC)).timestamp()
    return value


def as_told(pairs):
    """Return River's pairs of features and label as they look after JSON."""
    return [({str(k): seconds(v) for k, v in x.items()}, y) for x, y in pairs]


def samples(partition):
    """Return features and label of the samples of a partition."""
    return [(message["x"], message["y"]) for message in partition if "x" in message]


@pytest.mark.parametrize(
    "name",
    [
        "AirlinePassengers",
        "Bananas",
        "ChickWeights",
        "ImageSegments",
        "Phishing",
        "SP500Stocks",
        "TrumpApproval",
        "WaterFlow",
    ],
)
def test_a_bundled_set_of_river_arrives_whole(replayed, name):
    """Features, labels and order are River's; ids are row numbers."""
    (partition,) = replayed(f"river:{name}")

    assert samples(partition) == as_told(getattr(datasets, name)())
    told = [message["id"] for message in partition if "x" in message]
    assert told == list(range(len(told)))


def test_the_list_of_bundled_sets_is_what_river_brings():
    """Sets with several labels, and those to be downloaded, are not among them."""
    assert set(river.bundled()) == {
        *("AirlinePassengers", "Bananas", "ChickWeights", "ImageSegments", "Phishing"),
        *("SP500Stocks", "Shuttle", "TrumpApproval", "WaterFlow"),
    }


@pytest.mark.parametrize("name", [each.name.partition(":")[2] for each in sklearn.listed()])
def test_a_bundled_set_of_scikit_learn_arrives_whole(replayed, name):
    """Features, labels and order are those of River's reader of such sets."""
    (partition,) = replayed(f"sklearn:{name}")

    bunch = getattr(sklearn_datasets, f"load_{name}")()
    expected = river_stream.iter_sklearn_dataset(bunch)
    assert samples(partition) == as_told((x, y) for x, y in expected)


@pytest.mark.parametrize("name", sorted(generators.generators()))
def test_a_generator_arrives_as_river_makes_it(replayed, name):
    """With the same seed the rows are River's own."""
    (partition,) = replayed(f"synth:{name}", seed=7, limit=200)

    kind = generators.generators()[name]
    seeds = ("seed", "seed_model", "seed_tree", "seed_sample")
    wanted = {seed: 7 for seed in seeds if seed in signature(kind).parameters}
    assert samples(partition) == as_told(islice(kind(**wanted), 200))


def test_a_generator_takes_arguments(replayed):
    """What stands in brackets goes to River; a seed there beats the setting."""
    (partition,) = replayed("synth:Agrawal(seed=3, perturbation=0.2)", seed=7, limit=50)

    assert samples(partition) == as_told(islice(synth.Agrawal(seed=3, perturbation=0.2), 50))


def test_classes_come_first(replayed):
    """Where the classes are known, the first record declares them."""
    assert [
        replayed(source, limit=1)[0][0].get("classes")
        for source in (
            "river:Phishing",
            "river:ImageSegments",
            "sklearn:iris",
            "synth:LED",
            "synth:SEA",
        )
    ] == [
        [False, True],
        ["brickface", "cement", "foliage", "grass", "path", "sky", "window"],
        [0, 1, 2],
        list(range(10)),
        [False, True],
    ]
    assert "x" in replayed("river:TrumpApproval", limit=1)[0][0]


@pytest.mark.parametrize("name", ["table.csv", "table.csv.gz", "table.csv.zip"])
def test_a_csv_file_arrives_as_river_reads_it(replayed, table, name):
    """With converters for its types, River's iter_csv gives the same rows."""
    path = table(40, name)

    (partition,) = replayed(path, label="class")

    converters = {"x": float, "class": int, "day": dt.datetime.fromisoformat}
    expected = river_stream.iter_csv(path, target="class", converters=converters)
    assert samples(partition) == as_told(expected)


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_a_header_without_commas_says_what_separates(replayed, write, delimiter):
    """Semicolons, tabs and bars separate columns too."""
    path = write("a.csv", "a,b,y\n1,x,0\n".replace(",", delimiter))

    assert samples(replayed(path, label="y")[0]) == [({"a": 1, "b": "x"}, 0)]


def test_a_quoted_value_may_hold_anything(replayed, write):
    """Commas, quotes and line ends within quotes are text; a signature in front is not."""
    path = write("a.csv", '\ufeffa,y\r\n"x, ""y""\nz",1\r\n\r\nw,0\r\n')

    assert samples(replayed(path, label="y")[0]) == [({"a": 'x, "y"\nz'}, 1), ({"a": "w"}, 0)]


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz", "A.JSONL"])
def test_json_lines_arrive_as_written(replayed, write, name):
    """JSON's own types are kept; a feature may be missing, and a new one may come."""
    rows = [
        {"a": 1, "b": "12", "c": True, "y": "up"},
        {"a": 2, "b": None, "d": 0.5, "y": "down"},
    ]
    path = write(name, "\n\n".join(map(json.dumps, rows)) + "\n")

    assert samples(replayed(path, label="y")[0]) == [
        ({"a": 1, "b": "12", "c": True}, "up"),
        ({"a": 2, "b": None, "d": 0.5}, "down"),
    ]


def test_importing_the_producer_imports_no_library():
    """What a source needs is imported when it is opened, so that help comes at once."""
    code = (
        "import sys, producer.replay\n"
        "print([m for m in ('river', 'sklearn', 'numpy', 'pandas') if m in sys.modules])"
    )
    run = [sys.executable, "-c", code]
    env = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    assert subprocess.run(run, capture_output=True, text=True, env=env).stdout.strip() == "[]"


def test_a_gradual_drift_is_river_s_concept_drift_stream():
    """Where River's own does not overflow, the order of draws is the same."""
    expected = synth.ConceptDriftStream(
        stream=synth.Agrawal(seed=1),
        drift_stream=synth.Agrawal(seed=2, classification_function=1),
        position=300,
        width=50,
        seed=5,
    )
    streams = [synth.Agrawal(seed=1), synth.Agrawal(seed=2, classification_function=1)]
    told = drifting([iter(it) for it in streams], schedule(["gradual@300+50"]), seed=5)

    assert list(islice(told, 1000)) == list(expected.take(1000))


def test_drifts_change_the_concept_where_they_say(replayed):
    """An abrupt drift moves on at its row, a recurring one goes back to the first concept."""
    drifts = ["abrupt@100", "abrupt@200", "recurring@300"]

    told = samples(replayed("synth:STAGGER", seed=4, limit=400, drifts=drifts)[0])

    first = synth.STAGGER(seed=4)
    pairs = iter(first)
    expected = list(islice(pairs, 100))
    expected += synth.STAGGER(seed=5, classification_function=1).take(100)
    expected += synth.STAGGER(seed=6, classification_function=2).take(100)
    assert told == as_told([*expected, *islice(pairs, 100)])


def test_a_drift_far_ahead_does_not_overflow(replayed):
    """A narrow transition may lie any number of rows ahead."""
    (partition,) = replayed("synth:SEA", limit=3000, drifts=["gradual@2900+2"])

    assert len(samples(partition)) == 3000


@pytest.mark.parametrize(
    "name",
    ["Agrawal", "Hyperplane", "Mixed", "RandomRBF", "RandomRBFDrift", "RandomTree", "Sine"],
)
def test_every_generator_with_concepts_drifts(replayed, name):
    """A drift changes the rows behind it, and none before."""
    calm = samples(replayed(f"synth:{name}", limit=60)[0])
    moved = samples(replayed(f"synth:{name}", limit=60, drifts=["abrupt@30"])[0])

    assert moved[:30] == calm[:30]
    assert moved[30:] != calm[30:]


def test_drifts_are_said_in_every_partition_at_their_place(replayed):
    """Each partition has each mark, before all of its samples from there on."""
    drifts = ["abrupt@50", "gradual@100+20", "recurring@150"]

    partitions = replayed("synth:Agrawal", limit=200, drifts=drifts, partitions=3)

    marks = [
        {"mark": "drift", "kind": "abrupt", "at": 50, "width": 1},
        {"mark": "drift", "kind": "gradual", "at": 100, "width": 20},
        {"mark": "drift", "kind": "recurring", "at": 150, "width": 1},
    ]
    for partition in partitions:
        assert [message for message in partition if "mark" in message] == marks
        for mark in marks:
            place = partition.index(mark)
            assert all(m.get("id", -1) < mark["at"] for m in partition[:place])
            assert all(m.get("id", 999) >= mark["at"] for m in partition[place:])


def test_a_mark_waits_for_its_question(replayed):
    """Labels held back do not count: the mark comes right before the sample it speaks of."""
    (partition,) = replayed("synth:SEA", limit=30, drifts=["abrupt@20"], label_delay=5)

    place = next(i for i, message in enumerate(partition) if "mark" in message)
    assert partition[place + 1]["id"] == 20
    assert "x" in partition[place + 1]


def test_the_drifts_a_generator_brings_are_said(replayed):
    """FriedmanDrift's own changes are marks, and a limit before one leaves it unsaid."""
    source = "synth:FriedmanDrift(drift_type='gsg', position=(20, 60), transition_window=10)"

    (partition,) = replayed(source, limit=60)

    assert [m for m in partition if "mark" in m] == [
        {"mark": "drift", "kind": "gradual", "at": 20, "width": 10}
    ]
