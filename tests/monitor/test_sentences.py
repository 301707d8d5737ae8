"""What is said of events that anyone may have written."""

import pytest

from monitor.sentences import LONGEST, group, sentence, short
from monitor.tally import Noted


@pytest.mark.parametrize("kind", ["{", "{a:200000000}", "{0}", "}", "{__class__}"])
def test_a_kind_is_no_pattern(kind):
    """It is shown as it is, and nothing is filled in."""
    assert sentence(Noted(0, 1, kind, {"a": "x"}, 1)) == kind


def test_a_number_beyond_all_bounds_is_said_to_be_so():
    """JSON knows no largest one."""
    assert short(10**400) == "beyond all bounds"
    said = sentence(Noted(0, 1, "drift", {"before": 10**400, "after": 0.5}, 1))
    assert "beyond all bounds" in said


@pytest.mark.parametrize("kind", ["drop", "pause", "reset", "swap", "joined"])
def test_what_a_policy_does_has_words_of_its_own(kind):
    """Nobody need know the kinds of events by heart."""
    said = sentence(Noted(0, 1, kind, {}, 1))
    assert kind not in said.split()
    assert len(said) <= LONGEST
    assert group(kind) == "done"
