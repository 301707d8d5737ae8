"""No row of a source is left out in silence, and none is sent that a learner would refuse."""

import json
from pathlib import Path

import pytest

from learner.config import Config
from learner.loop import learn
from learner.run import Run
from producer.feed import Feed
from producer.replay import Replay, produce
from producer.sources.csv import open_csv
from stream.errors import SettingError
from stream.memory import MemoryLog


def replay(path, log=None, **settings):
    """Replay a file; return the summary, and the sentences on rows that were left out."""
    said = []
    summary = produce(log or MemoryLog(), Replay(source=path, **settings), say=said.append)
    return summary, [each for each in said if "left out" in each]


FLAWS = {
    "9": "has only 1 values for 3 columns",
    "9,9,9,9": "has more than 3 values for 3 columns",
    "nine,b,1": "column 'a' is of type integer, and 'nine' is no number",
    "0x1F,b,1": "column 'a' is of type integer, and '0x1F' is no number",
    "1e200,b,1": "column 'a' is of type integer, and '1e200' is beyond ±1e+100",
    f"1,{'s' * 70_000},1": "a text has 70000 characters, 65536 are allowed",
    f"1,b,{'l' * 300}": "the label in column 'y' has 300 characters, 256 are allowed",
}


@pytest.mark.parametrize("row", FLAWS, ids=lambda row: row[:12])
def test_a_row_that_cannot_be_a_sample_is_said_and_counted(write, row):
    """With its line and what is wrong there; the others are sent."""
    good = "".join(f"{i},b{i},{'UD'[i % 2]}\n" for i in range(1200))
    path = write("a.csv", f"a,t,y\n{good}{row}\n5,b,U\n")

    summary, (said, total) = replay(path, label="y")

    assert (summary.samples, summary.skipped) == (1201, 1)
    assert said.startswith(f"{path!r} line 1202")
    assert FLAWS[row] in said
    assert len(said) < 500
    assert total == "rows left out: 1"


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
def test_a_fraction_where_integers_were_said_is_left_out(write, name):
    """A column that only began with integers may have fractions; one said to may not."""
    values = ["1", "2.0", *["3"] * 1100, "4.5", "null"]
    lines = [f'{{"a": {it}}}' for it in values] if name == "a.jsonl" else ["a", *values]
    path, log = write(name, "\n".join(lines) + "\n"), MemoryLog()

    summary, said = replay(path, log, types={"a": "integer"})

    assert (summary.samples, summary.skipped) == (1103, 1)
    assert "column 'a' is of type integer, and 4.5 is no whole number" in said[0]
    topic = log.topic(f"{log.stream}.samples")
    sent = [json.loads(entry.value)["x"]["a"] for entry in topic.scan(0, 0, topic.end()[0])]
    assert sent == [1, 2, *[3] * 1100, None]
    assert replay(path)[0].samples == 1104


def test_the_first_of_each_kind_is_said_and_all_are_counted(write):
    """A thousand alike are one sentence; a control character in one gives no orders."""
    bad = (
        "nine,1,b\n" + "\x1b[2J,1,b\n" * 999 + "5\n" * 50 + "5,1,b,6\n" * 7 + "7,eight,b\n" * 3
    )
    path = write("a.csv", "a,b,t\n" + "1,1,b\n" * 1100 + bad)

    summary, said = replay(path)

    assert (summary.samples, summary.skipped) == (1100, 1060)
    assert [each.split(" line ")[1].split(";")[0] for each in said[:-1]] == [
        "1102: column 'a' is of type integer, and 'nine' is no number",
        "2102 has only 1 values for 3 columns",
        "2152 has more than 3 values for 3 columns",
        "2159: column 'b' is of type integer, and 'eight' is no number",
    ]
    assert said[-1] == "rows left out: 1,060"
    path = write("b.csv", "a\n" + "1\n" * 1100 + "\x1b[2J\n")
    assert "'\\x1b[2J' is no number" in replay(path)[1][0]


def test_every_row_is_sent_or_counted(write, tmp_path):
    """Lines of a hundred kinds: what was sent is learned to the last, the rest was skipped."""
    lines = [{"a": i, "t": "u", "y": i % 2} for i in range(1000)]
    odd = [
        *({"a": 10**n, "y": 1} for n in (17, 18, 19, 30, 99, 101, 300)),
        *(
            {"a": "text", "y": 1},
            {"a": True, "y": 1},
            {"a": None, "y": 0},
            {"a": "1", "y": "0"},
        ),
        *({"y": 1}, {}, {"a": 1}, {"a": [1]}, {"a": {}}, {"a": 1, "y": []}, {"y": 0.5}),
        {"a": 1, "y": 1, **{f"f{n}": n for n in range(1100)}},
        {"a": 1, "y": 1, **{f"f{n}": "s" * 300 for n in range(1000)}},
        {"a": 1, "t": "s" * 70_000, "y": 1},
        {"a": 1, "k" * 70_000: 1, "y": 1},
        {"a": 1, "t": "\x1b[2J\u2028", "y": 1},
        {"a": 1, "id": "i" * 2000, "y": 1},
    ]
    texts = [json.dumps(each) for each in lines + odd]
    texts += [
        "{",
        "[]",
        "1",
        '"a"',
        "null",
        '{"a": NaN, "y": 1}',
        '{"a": 1e999, "y": 1}',
        "x" * 9,
    ]
    for number, text in enumerate(texts):
        if text.startswith("{") and '"id"' not in text and len(text) > 2:
            texts[number] = text.replace("{", f'{{"id": "r{number}", ', 1)
    path, log = write("a.jsonl", "\n".join(texts)), MemoryLog()

    summary, said = replay(path, log, label="y", id="id")

    assert summary.samples + summary.skipped == len(texts)
    assert 1000 < summary.samples < len(texts)
    assert 5 < len(said) <= 21
    learned = learn(
        log, Config(model="hoeffding-tree"), Run(state=tmp_path / "state", until_end=True)
    )
    assert learned.dead_by_reason.keys() <= {"model_error", "not_learned"}
    assert learned.samples == summary.samples - learned.dead_by_reason.get("model_error", 0)


@pytest.mark.parametrize("settings", [{}, {"loop": 0}, {"loop": 0, "limit": 5}])
def test_where_every_row_is_left_out_it_ends_with_the_first_flaw(write, settings):
    """Also one that would be read for ever."""
    path = write("a.csv", "a,y,when\n1,0,01/02/2024 10:00\n2,1,02/02/2024 10:00\n")
    with pytest.raises(SettingError, match=r"no row that can be used: .* line 2: '01/02/2024"):
        replay(path, label="y", time="when", **settings)


def test_a_label_too_long_is_declared_to_nobody(write):
    """A declaration is a record too."""
    path = write("a.csv", "a,y\n" + "1,U\n1,D\n" * 9 + f"1,{'l' * 300}\n")
    assert Feed(open_csv(Path(path), "y")).schema.classes == ["D", "U"]
