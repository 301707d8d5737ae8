"""What is wrong is said in one sentence: which setting, what was found, what to do."""

import gzip

import pytest

from producer.replay import Replay, describe, produce
from stream.errors import SettingError
from stream.memory import MemoryLog
from stream.topic import Retention


def refusal(**settings):
    """Return the sentence with which a replay is refused, before anything is written."""
    log = MemoryLog()
    with pytest.raises(SettingError) as caught:
        produce(log, Replay(**settings))
    assert log._topics == {}
    with pytest.raises(SettingError) as again:
        describe(Replay(**settings))
    assert str(again.value) == str(caught.value)
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert not sentence.endswith(".")
    return sentence


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"source": "river:Phising"}, "did you mean 'Phishing'?"),
        ({"source": "river:Nothing"}, "there are AirlinePassengers, BETH, Bananas"),
        ({"source": "river:Yeast"}, "several labels a sample"),
        ({"source": "sklearn:digit"}, "did you mean 'digits'?"),
        ({"source": "synth:Agraval"}, "did you mean 'Agrawal'?"),
        ({"source": "synth:Logical"}, "there is no generator called 'Logical'"),
        ({"source": "Phishing"}, "did you mean 'river:Phishing'?"),
        ({"source": "rivr:Phishing"}, "did you mean 'river:Phishing'?"),
        ({"source": "kafka://x/y"}, "give the path of a file, or a name after river:"),
        ({"source": "none.csv"}, "'none.csv' does not exist"),
        ({"source": "none.jsonl.gz"}, "'none.jsonl.gz' does not exist"),
        ({"source": "synth:Agrawal(7)"}, "must read like synth:Agrawal"),
        ({"source": "synth:Agrawal(seed=open('x'))"}, "must read like synth:Agrawal"),
        ({"source": "synth:Agrawal(sed=7)"}, "no parameter 'sed'; did you mean 'seed'?"),
        ({"source": "synth:Agrawal(classification_function=77)"}, "does not take"),
        ({"source": "synth:SEA", "drifts": ["abrupt"]}, "must read like abrupt@15000"),
        ({"source": "synth:SEA", "drifts": ["abrup@5"]}, "did you mean 'abrupt'?"),
        ({"source": "synth:SEA", "drifts": ["abrupt@5+5"]}, "an abrupt one has none"),
        ({"source": "synth:SEA", "drifts": ["gradual@5"]}, "needs a width"),
        ({"source": "synth:SEA", "drifts": ["abrupt@0"]}, "must lie at row 1 or later"),
        ({"source": "synth:SEA", "drifts": ["recurring@5"]}, "nothing to come back from"),
        ({"source": "synth:SEA", "drifts": ["abrupt@5", "abrupt@5"]}, "give them in order"),
        ({"source": "synth:LED", "drifts": ["abrupt@5"]}, "cannot drift; Agrawal"),
        ({"source": "river:Phishing", "drifts": ["abrupt@5"]}, "by synth: sources only"),
        ({"source": "river:Phishing", "label": "y"}, "brings its own label"),
        ({"source": "river:Phishing", "id": "htps"}, "did you mean 'https'?"),
        ({"source": "river:Phishing", "time": "htps"}, "did you mean 'https'?"),
        ({"source": "river:Phishing", "drop": ["htps"]}, "did you mean 'https'?"),
        ({"source": "river:Phishing", "key": "htps"}, "did you mean 'https'?"),
        ({"source": "river:Phishing", "types": {"htps": "number"}}, "did you mean 'https'?"),
        ({"source": "river:Phishing", "types": {"https": "nmber"}}, "did you mean 'number'?"),
        ({"source": "river:Phishing", "task": "regresion"}, "did you mean 'regression'?"),
        ({"source": "river:ImageSegments", "task": "regression"}, "regression needs numbers"),
        ({"source": "river:Phishing", "label_delay": "3 days"}, "such as 90s, 15m or 3d"),
        ({"source": "river:Phishing", "label_delay": -1}, "such as 90s, 15m or 3d"),
        ({"source": "river:Phishing", "label_delay": "9" * 15 + "d"}, "such as 90s, 15m"),
        ({"source": "river:Phishing", "label_delay": "3d"}, "needs event time"),
        ({"source": "x" * 300}, "there is no source 'xxx"),
        ({"source": "synth:SEA", "drifts": ["abrupt@_"]}, "must read like abrupt@15000"),
        (
            {"source": "synth:SEA(seed='a')", "drifts": ["abrupt@5"]},
            "a seed that is a whole number, not 'a'",
        ),
        ({"source": "river:Phishing", "speed": 2}, "needs event time"),
        ({"source": "river:Phishing", "speed": 2, "rate": 2}, "two paces"),
        ({"source": "river:Phishing", "rate": 0}, "rate must be a number above 0, got 0"),
        (
            {"source": "river:Phishing", "drop": ["label"]},
            "drop cannot be 'label', which is the",
        ),
        ({"source": "river:Phishing", "key": "label"}, "key cannot be 'label', which is the"),
        (
            {"source": "river:Phishing", "retention": Retention(seconds=0)},
            "retention seconds must be above 0, got 0",
        ),
        (
            {"source": "river:Phishing", "retention": Retention(size=-1)},
            "retention bytes must be above 0, got -1",
        ),
        ({"source": "river:Phishing", "classes": ["a"]}, "classes must be at least two, got"),
        ({"source": "river:Phishing", "classes": [0, 1, True]}, "classes must differ, got [0,"),
        ({"source": "river:Phishing", "limit": -1}, "limit must be a whole number of 0"),
        ({"source": "river:Phishing", "loop": -1}, "loop must be a whole number of 0"),
        (
            {"source": "river:Phishing", "partitions": 0},
            "partitions must be a whole number from 1",
        ),
        (
            {"source": "river:WaterFlow", "speed": 2, "shuffle": True},
            "shuffle undoes the order",
        ),
        (
            {"source": "synth:SEA", "drifts": ["abrupt@5"], "shuffle": True},
            "shuffle undoes the order",
        ),
    ],
)
def test_a_wrong_setting_is_one_sentence(settings, said):
    """It names the setting and what was found, and nothing has been written."""
    assert said in refusal(**settings)


@pytest.mark.parametrize(
    ("name", "text", "settings", "said"),
    [
        ("a.csv", "", {}, "has no rows"),
        ("a.jsonl", "\n\n", {}, "has no rows"),
        ("a.csv", "a,y\n", {}, "has no row that can be used"),
        ("a.csv", "a,y\n1\n", {}, "can be used: "),
        ("a.csv", "a,a\n1,2\n", {}, "names the column 'a' twice"),
        ("a.csv", "a,class\n1,2\n", {"label": "clas"}, "did you mean 'class'?"),
        ("a.jsonl", '{"a": 1, "class": 2}\n', {"label": "clas"}, "did you mean 'class'?"),
        ("a.csv", "a,y\n1,2\n", {"time": "b"}, "there are a"),
        (
            "a.csv",
            "a,y\n1,2\n",
            {"label": "y", "id": "y"},
            "id cannot be 'y', which is the label",
        ),
        ("a.csv", "a,y\r1,2\r", {}, "line 1 is not CSV"),
        ("a.csv", 'a,"y\n' + "1,2\n" * 50_000, {}, "is not CSV: field larger"),
        ("a.csv", b"a,y\n\xff,2\n", {}, "line 2 is not UTF-8 text"),
        ("a.csv", "a,y\n" + "x" * 200_000 + ",1\n", {}, "is not CSV: field larger"),
        ("a.txt", "a,y\n1,2\n", {}, "must end in one of .csv, .csv.gz, "),
        (
            "a.csv",
            ",".join(map(str, range(1025))) + "\n" + "1," * 1024 + "1\n",
            {},
            "1025 columns",
        ),
    ],
)
def test_a_wrong_file_is_one_sentence(write, name, text, settings, said):
    """It names the file, and the column or line."""
    assert said in refusal(source=write(name, text), **settings)


def test_a_file_that_is_no_gzip_or_breaks_off_is_named(tmp_path):
    """A name that ends in .gz is a promise; a file cut short does not keep it."""
    plain, cut = tmp_path / "a.csv.gz", tmp_path / "b.csv.gz"
    plain.write_text("a,y\n1,2\n")
    cut.write_bytes(gzip.compress(b"a,y\n" + b"1,2\n" * 9000)[:-20])

    assert "Not a gzipped file" in refusal(source=str(plain))
    assert "b.csv.gz' line" in refusal(source=str(cut), label="y")
