"""What is no record, and mutants of what is one: each is refused for a known reason."""

import json
import random
import time
from collections import Counter

import pytest

from stream.errors import RecordError
from stream.records import Record, decode, decode_command, decode_mark, encode
from stream.refusals import REASONS
from tests.corpus import FOLDER, KINDS, bad, bad_for, odd
from tests.mutants import mutant

MUTANTS = 50_000
_LATER = {
    *(
        "unknown_command",
        "bad_command",
        "no_id",
        "unknown_id",
        "unknown_arm",
        "duplicate_question",
    ),
    *("label_type", "unknown_class", "third_class", "text_feature"),
}
"""Reasons that only a learner finds."""


def taken(value):
    """Return a record, and what its command or mark is, or the refusal."""
    try:
        record = decode(value)
        if record.command:
            decode_command(value)
        elif record.mark:
            decode_mark(value)
    except RecordError as refusal:
        return refusal
    return record


def test_the_corpus_is_large_and_of_many_kinds():
    """Hundreds of records, none twice, with nearly every reason there is."""
    values = [each.value for each in bad()]
    reasons = {reason for each in bad() for reason in each.reasons.values()}
    assert len(values) == len(set(values)) >= 500
    assert len({each.file for each in bad()}) >= 20
    assert reasons <= REASONS.keys()
    assert REASONS.keys() - reasons == {
        *("model_error", "not_learned"),  # of a model that fails
        "missing_feature",  # of one that is no preset: these are never shown a null
        *("missing_id", "missing_label", "bad_time"),  # of mappings alone
    }
    assert len(odd()) >= 60
    assert all(len(bad_for(kind)) >= 500 for kind in KINDS)
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 300_000


@pytest.mark.parametrize("file", sorted({each.file for each in bad()}))
def test_what_is_no_record_has_the_reason_why(file):
    """Each in less than the twentieth of a second, with a sentence fit for a log."""
    for each in bad():
        if each.file != file:
            continue
        began = time.thread_time()
        found = taken(each.value)
        assert time.thread_time() - began < 0.05, each
        reasons = set(each.reasons.values())
        if isinstance(found, Record):
            assert reasons <= _LATER | {"number_range"}, each
        else:
            assert {found.reason} == reasons, f"{each} is {found.reason}: {found}"
            assert 10 < len(str(found)) <= 400
            assert str(found).isprintable()


@pytest.mark.parametrize(("why", "value"), odd(), ids=[why for why, _ in odd()])
def test_what_is_odd_but_good_is_a_record(why, value):
    """A sample with a label; what it says is what Python's own reader reads, but for size."""
    record = decode(value)
    theirs = json.loads(value.replace(b"9" * 5000, b"9"))
    assert record.x == theirs["x"]
    assert (record.id, record.ts, record.y) == (theirs.get("id"), theirs.get("ts"), theirs["y"])


def strict(value):
    """Return what Python's reader makes of bytes; raises `ValueError` for what is no JSON."""

    def refuse(word):
        raise ValueError(f"{word} is no JSON")

    # The reader guesses the encoding, and lets surrogates and any length of digits pass or not.
    return json.loads(value.decode(), parse_constant=refuse, parse_int=float)


def test_a_mutant_is_a_record_or_is_refused_for_a_known_reason():
    """Nothing else, at once; and what Python's reader takes for no JSON is none to us."""
    chance = random.Random(20261121)
    found = Counter()
    for _ in range(MUTANTS):
        value = mutant(chance)
        began = time.thread_time()
        what = taken(value)
        assert time.thread_time() - began < 0.05, value
        if isinstance(what, RecordError):
            assert what.reason in REASONS, value
            found[what.reason] += 1
            continue
        found["record"] += 1
        assert isinstance(strict(value), dict), value
        # What was taken can be written, and means the same when it is read again.
        again = decode(encode(what))
        assert encode(again) == encode(what), value
    assert found["record"] > MUTANTS / 50
    assert len(found) > 12, found
