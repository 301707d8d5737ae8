import time

from monitor import look
from monitor.follow import Follower
from monitor.lately import FEATURES, SHOWN
from monitor.picture import picture
from stream.errors import TopicTimeout
from stream.memory import MemoryLog, MemoryTopic
from stream.records import Record, encode
from tests.monitor.made import ANOMALIES, CLASSES, NUMBERS, Step, said, store

RIGHT, WRONG = Step("up", "up"), Step("up", "down", p_pred=0.75)


def followed(steps, xs, *, task=CLASSES, windows=(100,), looked=True, clock=time.monotonic):
    """Follow a learner of these steps, whose samples have these features, as a page does."""
    log = MemoryLog("tale")
    for name in ("samples", "main.outcomes"):
        log.create(f"tale.{name}", partitions=1)
    writer = log.writer("source")
    for x in xs:
        value = x if isinstance(x, bytes) else encode(Record(x=x, y="up"))
        writer.append("tale.samples", value, partition=0)
    writer.commit()
    store(log, {0: said(steps, [(7, True)] * 100, task=task)})
    follower = Follower(log, ["main"], windows, clock=clock)
    follower.catch_up()
    if looked:
        follower.recall()
    return follower


def mistakes(steps, xs, **more):
    """Return the mistakes that a page shows."""
    return picture(followed(steps, xs, **more).boards[0])["mistakes"]


def test_the_newest_mistakes_come_with_their_features():
    """The newest first, each with what its sample held."""
    steps = [RIGHT, WRONG] * 20
    found = mistakes(steps, [{"n": at} for at in range(40)])
    assert [(it["offset"], it["x"]) for it in found] == [
        (at, {"n": at}) for at in range(39, 39 - 2 * SHOWN, -2)
    ]
    assert (found[0]["y"], found[0]["y_pred"], found[0]["p_pred"]) == ("up", "down", 0.75)


def test_a_mistake_out_of_the_window_is_forgotten():
    """So that a monitor begun later shows the same ones."""
    assert mistakes([WRONG] + [RIGHT] * 100, [{}] * 101, windows=(100,)) == []


def test_of_numbers_the_furthest_off_are_shown():
    """The largest absolute errors among the last rows, the largest first."""
    steps = [Step(0.0, float(at % 10)) for at in range(50)]
    found = mistakes(steps, [{}] * 50, task=NUMBERS)
    assert [it["error"] for it in found] == [9.0] * 5 + [8.0]


def test_of_scores_the_normal_rows_that_scored_highest_are_shown():
    """They are what a detector of anomalies got wrong; a score that is no number is none."""
    steps = [Step(False, 0.1), Step(True, 0.9), Step(False, 0.8), Step(False, None, flag=3)]
    found = mistakes(steps, [{}] * 4, task=ANOMALIES)
    assert [it["y_pred"] for it in found] == [0.8, 0.1]


def test_what_nobody_can_read_is_none():
    """A record that is no sample, or not there, has no features, and is no fault."""
    assert [it["x"] for it in mistakes([WRONG] * 3, [b"no json", {"a": 1}])] == [
        None,
        {"a": 1},
        None,
    ]


def test_features_are_cut_to_size():
    """However many there are, and however long; none gives orders."""
    ((first, *_),) = [mistakes([WRONG], [{f"f{at:04}": "x\x1b" * 99 for at in range(99)}])]
    assert len(first["x"]) == FEATURES
    assert all(len(text) <= 80 and text.isprintable() for text in first["x"].values())


def test_samples_are_read_only_while_somebody_looks():
    """Without a page the picture has no mistakes to show."""
    follower = followed([WRONG], [{}])
    follower.boards[0].mistakes = None
    follower.step()
    assert picture(follower.boards[0])["mistakes"] is None


def test_figures_never_wait_for_samples_that_do_not_come(monkeypatch):
    """After one that is not answered the others are left for later; then all are there."""
    now, asked, scan = [0.0], [], MemoryTopic.scan

    def silent(topic, *place, within=None):
        if not topic.name.endswith("samples"):
            return scan(topic, *place)
        asked.append(within)
        raise TopicTimeout("no answer")

    def turns(many, seconds):
        asked.clear()
        for _ in range(many):
            now[0] += seconds
            follower.step()
        return len(asked), [it["x"] for it in picture(follower.boards[0])["mistakes"]]

    monkeypatch.setattr(MemoryTopic, "scan", silent)
    xs = [{"n": at} for at in range(6)]
    follower = followed([RIGHT, WRONG] * 3, xs, looked=False, clock=lambda: now[0])
    follower.watched = lambda: True
    assert turns(5, look.REST / 10) == (1, [None] * 3)
    assert asked == [look.WITHIN]
    assert [it["looked"] for it in picture(follower.boards[0])["mistakes"]] == [False] * 3
    assert turns(1, look.REST) == (1, [None] * 3)
    monkeypatch.setattr(MemoryTopic, "scan", scan)
    assert turns(1, look.REST) == (0, [{"n": 5}, {"n": 3}, {"n": 1}])
