"""Learning on, or training anew: held against the same by hand."""

import contextlib
import json
import random

import pytest
from river import datasets, naive_bayes, tree

from driftline import produce
from driftline.compare.lessons import lessons
from driftline.compare.records import of_stream
from driftline.compare.retrain import PASSES, WAYS, Training, train
from stream.connect import connect
from stream.errors import SettingError
from stream.records import encode

PIECES, LAST = 12, 3
SEGMENTS = [(dict(x), y) for x, y in datasets.ImageSegments()]


@pytest.fixture(scope="module")
def segments(tmp_path_factory):
    """Give the records of a data set of 2,310 samples."""
    url = f"sqlite:{tmp_path_factory.mktemp('data') / 's.db'}"
    produce(url, source="river:ImageSegments")
    return of_stream(url)


def training(records, way, model="naive-bayes", **settings):
    """Return a task with 12 pieces, 3 of them the window."""
    how = {"pieces": PIECES, "seed": 1, "last": LAST, "config": {}} | settings
    return Training(model=model, way=way, records=records, **how)


def by_hand(make, way):
    """Return the wrong guesses on each piece, of River's own model trained in a way."""
    size = len(SEGMENTS) / PIECES
    ends = [round(size * n) for n in range(PIECES + 1)]
    model, wrong = make(), []
    for n in range(1, PIECES):
        taught = SEGMENTS[ends[n - 1] : ends[n]]
        if n > 1 and way == "nothing":
            taught = []
        elif n > 1 and way != "continue":
            begin = 0 if way == "refit-all" else ends[max(0, n - LAST)]
            model, rng, order = make(), random.Random(1 + n), list(range(begin, ends[n]))
            taught = []
            for _ in range(PASSES):
                rng.shuffle(order)
                taught += [SEGMENTS[i] for i in order]
        for x, y in taught:
            model.learn_one(x, y)
        asked = SEGMENTS[ends[n] : ends[n + 1]]
        wrong.append(sum(model.predict_one(x) != y for x, y in asked))
    return wrong


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("model", "make"),
    [
        ("naive-bayes", naive_bayes.GaussianNB),
        ("hoeffding-tree", tree.HoeffdingTreeClassifier),
    ],
)
def test_each_way_is_that_of_river_s_own_model(segments, way, model, make):
    """Piece by piece, from the second on; seconds and sums go with them."""
    found = train(training(segments, way, model))

    wrong = by_hand(make, way)
    assert [piece.error for piece in found.pieces] == wrong
    judged = [piece.judged for piece in found.pieces]
    assert sum(judged) == len(SEGMENTS) - found.pieces[0].begin
    assert found.score == pytest.approx(1 - sum(wrong) / sum(judged))
    assert (found.samples, found.refused) == (len(SEGMENTS), 0)
    if way == "nothing":
        assert sum(piece.seconds for piece in found.pieces[1:]) < found.pieces[0].seconds


def test_all_ways_have_the_same_first_model(segments):
    """There is nothing older to train on."""
    first = {way: train(training(segments, way, "sgd")).pieces[0].error for way in WAYS}
    assert len(set(first.values())) == 1


def test_labels_that_come_late_are_joined_and_the_rest_is_counted(tmp_path):
    """As the learner does it: in the order of the labels, with the classes declared before."""
    url = f"sqlite:{tmp_path / 's.db'}"
    produce(url, source="river:Phishing", label_delay=30)
    with contextlib.closing(connect(url)) as log:
        writer = log.writer("test")
        for value in (b'{"oops": 1}', encode({"id": "x", "y": 1}), encode({"mark": "drift"})):
            writer.append("local.samples", value, partition=0)
        writer.commit()

    found = lessons(of_stream(url))

    pairs = [(dict(x), y) for x, y in datasets.Phishing()]
    assert [*zip(found.xs, found.ys, strict=True)] == pairs
    assert [*found.classes] == [False, True]
    assert found.refused == 2


def test_numbers_are_judged_by_their_distance(tmp_path):
    """The figure is the mean absolute error."""
    url = f"sqlite:{tmp_path / 's.db'}"
    produce(url, source="sklearn:diabetes")
    trained = {
        way: train(training(of_stream(url), way, "linear", pieces=4, last=1)) for way in WAYS
    }
    assert {each.task for each in trained.values()} == {"regression"}
    assert trained["refit-all"].score < trained["nothing"].score
    assert all(20 < each.score < 200 for each in trained.values())


@pytest.mark.parametrize(
    ("model", "pieces", "sentence"),
    [
        ("half-space-trees", 12, "scores anomalies"),
        ("naive-bayes", 5000, "2,310 labelled samples are no 5000 pieces"),
    ],
)
def test_what_cannot_be_trained_is_a_sentence(segments, model, pieces, sentence):
    """Which is that of its row."""
    with pytest.raises(SettingError, match=sentence):
        train(training(segments, "continue", model, pieces=pieces))


@pytest.mark.timeout(300)
def test_the_command_ranks_the_ways_and_draws_them(run, tmp_path):
    """One row a model and way, with its pieces, and a page with both charts."""
    code, out, err = run(
        *("compare", "--source", "river:ImageSegments", "--models", "naive-bayes"),
        *("--baseline", "full-retrain", "--html", "page.html", "--json", "--limit", "600"),
    )
    assert code == 0, err
    board = json.loads(out.splitlines()[-1])
    assert [row["policy"] for row in board["rows"]] == [*WAYS]
    assert all(len(row["pieces"]) == PIECES - 1 for row in board["rows"])
    text = (tmp_path / "page.html").read_text()
    assert 'id="score0"' in text
    assert 'id="seconds0"' in text
    assert "What failed" not in text
