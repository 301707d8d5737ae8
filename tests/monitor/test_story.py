import pytest

from monitor.sentences import group, sentence
from monitor.story import moved, story
from monitor.tally import Noted

WHY = {"detector": "ADWIN", "before": 0.12, "after": 0.31}


def happened(kind, at, partition=0, **details):
    """Return an event at a place."""
    return at, Noted(partition, at, kind, details, at)


@pytest.mark.parametrize(
    ("kind", "details", "words"),
    [
        ("reset", WHY, "ADWIN, error 0.12 → 0.31: the model is replaced by a new one"),
        ("reset", {}, "the model is replaced by a new one"),
        ("drift", WHY, "ADWIN sees it: error 0.12 → 0.31"),
        ("warning", WHY, "ADWIN warns: error 0.12 → 0.31"),
        ("improvement", WHY, "ADWIN sees it get better: error 0.12 → 0.31"),
        ("arm-drift", {**WHY, "arm": "tree"}, "tree: ADWIN sees it: error 0.12 → 0.31"),
        ("refit", {"cause": "every", "every": 9, "samples": 5}, "every 9 samples: a new model"),
        ("promotion", {"from": "a", "to": "b", "why": "rule"}, "it is better: b answers in pl"),
        (
            "input-drift",
            {"feature": "x", "value": "up"} | WHY,
            "x, share of up moves: 0.12 → 0",
        ),
        ("guess-drift", {"of": "probability"} | WHY, "the probability of the guess moves"),
        ("mark", {"mark": "drift", "kind": "abrupt"}, "the world changes: abrupt drift"),
        ("new-kind", {"x": 1}, "new-kind"),
        ("drift", {"detector": "a\x1b[31m", "before": None, "after": "x"}, "\\x1b[31m sees"),
        ("slower", {"samples": "9" * 900}, "it learns more slowly for 999"),
    ],
)
def test_what_happened_and_why_is_said(kind, details, words):
    """In one short line that gives no orders, whatever the details are."""
    said = sentence(Noted(0, 7, kind, details, 7))
    assert words in said
    assert len(said) <= 160
    assert said.isprintable()


def test_the_first_alarm_after_a_true_drift_has_its_delay():
    """Counted in guesses of its own partition; a second alarm, and another's, has none."""
    events = [
        happened("drift", 10, **WHY),
        happened("mark", 100),
        happened("drift", 120, partition=1, **WHY),
        happened("drift", 150, **WHY),
        happened("drift", 190, **WHY),
        happened("mark", 200),
        happened("mark", 300),
        happened("drift", 301, **WHY),
    ]
    assert [each["delay"] for each in story(events)] == [
        None,
        None,
        None,
        50,
        None,
        None,
        None,
        1,
    ]


def test_what_is_no_news_is_not_told():
    """Declarations and wishes to forget are events, and nobody's news."""
    assert story([happened("declare", 1), happened("forget", 2)]) == []
    assert group("input-drift") == "heard"


def test_features_that_moved_are_counted():
    """The one that moved last comes first, with where it went the last time."""
    events = [
        happened("input-drift", 1, feature="a", **WHY),
        happened("input-drift", 2, feature="b", value="up", **WHY),
        happened("input-drift", 3, feature="a", detector="ADWIN", before=1.0, after=2.0),
    ]
    found = moved(events)
    assert [(it["feature"], it["value"], it["times"], it["x"]) for it in found] == [
        ("a", None, 2, 3),
        ("b", "up", 1, 2),
    ]
    assert (found[0]["before"], found[0]["after"]) == ("1", "2")
