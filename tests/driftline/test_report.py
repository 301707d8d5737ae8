import csv
import struct
import sys

import pytest

from driftline import learn, produce

WIDTH, HEIGHT = 1650, 750


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    """Give a stream that a learner has met a drift in."""
    folder = tmp_path_factory.mktemp("report")
    url = f"sqlite:{folder / 's.db'}"
    produce(url, source="synth:Sine(seed=42)", drifts=["abrupt@2000"], limit=4000)
    learn(url, model="hoeffding-tree")
    return url


@pytest.fixture
def report(run, url):
    """Give a function that writes a report of that stream: exit code, stdout, stderr."""

    def report(*more):
        return run("report", "--stream", url, "--window", 100, *more)

    return report


def test_the_curve_is_a_table(report):
    """It goes to stdout: the place of each point, the model, the baselines."""
    code, out, _ = report("--format", "csv")
    assert code == 0
    rows = list(csv.DictReader(out.splitlines()))
    assert list(rows[0]) == ["scored", "accuracy", "no_change", "majority"]
    places = [int(row["scored"]) for row in rows]
    assert places == sorted(places)
    assert len(places) > 100
    assert all(0 <= float(value) <= 1 for row in rows for value in list(row.values())[1:])
    before = [float(r["accuracy"]) for r in rows if 1500 < int(r["scored"]) < 2000]
    after = [float(r["accuracy"]) for r in rows if 2000 < int(r["scored"]) < 2100]
    assert min(after) < min(before) - 0.1


def test_the_page_carries_all_it_needs(report, tmp_path):
    """One file: nothing in it is fetched, and it tells of the drift and the answer."""
    code, _, err = report()
    assert (code, err) == (0, "wrote report.html\n")
    text = (tmp_path / "report.html").read_text()
    assert "<script src" not in text
    assert "<link" not in text
    for words in ("abrupt drift", "ADWIN sees it", "the model is replaced", "Class by class"):
        assert words in text


def test_a_dash_is_standard_output(report, tmp_path):
    """Told as any other program is: --output -, with no file left behind."""
    code, out, _ = report("--output", "-")
    assert code == 0
    assert "abrupt drift" in out
    assert not list(tmp_path.glob("report*"))


def test_the_picture_is_always_the_same(report, tmp_path):
    """A png of a known size, to the last byte."""
    texts = []
    for name in ("a.png", "b.png"):
        assert report("--format", "png", "--output", name)[0] == 0
        texts.append((tmp_path / name).read_bytes())
    assert texts[0] == texts[1]
    assert texts[0].startswith(b"\x89PNG")
    assert struct.unpack(">II", texts[0][16:24]) == (WIDTH, HEIGHT)


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (("--name", "nobody"), "nobody.outcomes"),
        (("--output", "/no/such/folder/x.html"), "make it first"),
        (("--format", "pdf"), "html"),
        (("--window", "0"), "--window must be"),
    ],
)
def test_what_cannot_be_is_said(report, more, sentence):
    """In a sentence that says what to do."""
    code, _, err = report(*more)
    assert code in (1, 2)
    assert sentence in err
    assert len(err.splitlines()) == 1


def test_a_missing_library_is_named(report, monkeypatch):
    """Without the extra there is no picture, and a sentence names it."""
    for name in ("matplotlib", "matplotlib.axes", "matplotlib.figure", "matplotlib.ticker"):
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.delitem(sys.modules, "driftline.report.png", raising=False)
    code, _, err = report("--format", "png")
    assert code == 2
    assert "install driftline[report]" in err
