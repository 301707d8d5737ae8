"""The form of records on the wire, and what is refused there."""

import contextlib
import json
import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from stream.errors import RecordError
from stream.records import (
    LARGEST,
    MAX_DECLARED,
    MAX_DEPTH,
    MAX_FIELDS,
    MAX_ID,
    MAX_LABEL,
    MAX_RECORD,
    MAX_STRING,
    ArmTotals,
    Declare,
    EndGrain,
    Outcomes,
    Record,
    Rows,
    Totals,
    decode,
    decode_command,
    decode_full,
    decode_mark,
    decode_numbers,
    decode_outcomes,
    encode,
    text_of,
)

texts = st.text(st.characters(codec="utf-8"), max_size=20)
floats = st.floats(allow_nan=False, allow_infinity=False)
integers = st.integers(-(2**63), 2**63 - 1)
numbers = st.floats(-LARGEST, LARGEST)
values = st.none() | st.booleans() | integers | numbers | texts
labels = st.booleans() | integers | floats | texts
anyway = {"id": st.none() | integers | texts, "ts": st.none() | floats}
words = texts.filter(bool)
records = st.one_of(
    st.builds(
        Record, x=st.dictionaries(texts, values, max_size=8), y=st.none() | labels, **anyway
    ),
    st.builds(Record, y=labels, **anyway),
    st.builds(Record, forget=st.just(True), **anyway),
    st.builds(Record, command=words, **anyway),
    st.builds(Record, mark=words, **anyway),
)


def reason_of(value: bytes) -> str:
    """Return the reason for which a value is refused."""
    with pytest.raises(RecordError) as caught:
        decode(value)
    return caught.value.reason


def sample(**x: Any) -> bytes:
    """Return a sample as a stranger would write it."""
    return json.dumps({"x": x}).encode()


def same(a: object, b: object) -> bool:
    """Return whether two values are equal and of one type; -0.0 is not 0.0."""
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, float) and isinstance(b, float):
        return a == b and math.copysign(1, a) == math.copysign(1, b)
    return type(a) is type(b) and a == b


@given(records)
def test_what_is_encoded_is_decoded_again(record: Record) -> None:
    """Every record comes back from the wire with the types of all its values."""
    back = decode(encode(record))
    assert all(same(getattr(back, f), getattr(record, f)) for f in record.__struct_fields__)


@given(
    st.binary(max_size=200)
    | st.recursive(values, lambda inner: st.lists(inner) | st.dictionaries(texts, inner)).map(
        lambda value: json.dumps({"x": value, "y": value}).encode()
    )
)
def test_whatever_comes_is_a_record_or_has_a_reason_why_not(value: bytes) -> None:
    """Nothing that can stand in a topic raises anything but a refusal."""
    with contextlib.suppress(RecordError):
        assert isinstance(decode(value), Record)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"", "empty"),
        (b" \n\t ", "empty"),
        (b'{"x": {}' + b" " * MAX_RECORD, "too_large"),
        (b'{"x": {"a": "\xff"}}', "not_utf8"),
        (b'{"x": {"a": "\xed\xa0\x80"}}', "not_utf8"),
        (b'{"x": {"a": "\xc0\xaf"}}', "not_utf8"),
        (b'{"x": {"a": 1}', "truncated"),
        (b'{"x": {"a": 1}} trailing', "trailing_data"),
        (b"{'x': {}}", "malformed_json"),
        (b'{"x": {"a": NaN}}', "not_finite"),
        (b'{"x": {"a": Infinity}}', "not_finite"),
        (b'{"x": {"a": 01}}', "malformed_json"),
        (b'\xef\xbb\xbf{"x": {}}', "byte_order_mark"),
        (rb'{"x": {"a": "\ud800"}}', "lone_surrogate"),
        (b"[" * 100_000, "too_deep"),
        (b'{"x": ' + b"[" * 100_000, "too_deep"),
        (b'{"z": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "too_deep"),
        (b'{"x": {}, "z": ' + b"[" * MAX_DEPTH + b"]" * MAX_DEPTH + b"}", "too_deep"),
        (
            b'{"x": {}, "z": ' + b'{"a":' * MAX_DEPTH + b"1" + b"}" * MAX_DEPTH + b"}",
            "too_deep",
        ),
        (b"[]", "not_object"),
        (b"null", "not_object"),
        (b'{"x": {"a": [1]}}', "nested"),
        (b'{"x": {"a": {"b": 1}}}', "nested"),
        (b'{"x": null}', "wrong_type"),
        (b'{"id": 1.5, "y": 1}', "wrong_type"),
        (b'{"ts": "now", "y": 1}', "wrong_type"),
        (b'{"forget": 1, "id": 1}', "wrong_type"),
        (b'{"x": {"a": 1e999}}', "number_range"),
        (b'{"x": {"a": 9223372036854775808}}', "number_range"),
        (b'{"id": -9223372036854775809, "y": 1}', "number_range"),
        (b'{"x": {"a": ' + b"1" * 5000 + b"}}", "number_range"),
        (b"{}", "no_content"),
        (b'{"id": 1, "ts": 2, "unknown": 3}', "no_content"),
        (b'{"y": null}', "no_content"),
        (b'{"id": 1, "x": {}, "forget": true}', "ambiguous"),
        (b'{"x": {"a": 1}, "command": "end-grain"}', "ambiguous"),
        (b'{"x": {"a": 1}, "mark": "drift"}', "ambiguous"),
        (b'{"forget": false, "mark": ""}', "no_content"),
        (b'{"id": 1, "y": 1, "forget": true}', "ambiguous"),
        (b'{"command": "end-grain", "mark": "drift"}', "ambiguous"),
        (b'{"x": {"a": 1e101}}', "number_range"),
        (b'{"z": "\xff", "x": {}}', "not_utf8"),
        (json.dumps({"x": {}, "y": "s" * (MAX_LABEL + 1)}).encode(), "string_too_long"),
        (json.dumps({"x": {}, "id": "s" * (MAX_ID + 1)}).encode(), "string_too_long"),
        (sample(**{str(n): n for n in range(MAX_FIELDS + 1)}), "too_many_fields"),
        (sample(a="s" * (MAX_STRING + 1)), "string_too_long"),
        (sample(**{"s" * (MAX_STRING + 1): 1}), "string_too_long"),
        (json.dumps({"id": "s" * (MAX_STRING + 1), "y": 1}).encode(), "string_too_long"),
    ],
    ids=lambda value: value if isinstance(value, str) else repr(value[:30]),
)
def test_a_refused_record_has_the_reason_why(value: bytes, reason: str) -> None:
    """Each way to be no record has its own code."""
    assert reason_of(value) == reason


def test_what_is_just_within_the_limits_is_a_record() -> None:
    """The greatest record, the most fields, the longest string are still taken."""
    filling = MAX_RECORD - len(b'{"x": {}}')
    assert decode(b'{"x": {}}' + b" " * filling).x == {}
    most = {str(n): n for n in range(MAX_FIELDS)}
    assert decode(sample(**most)).x == most
    longest = "s" * MAX_STRING
    assert decode(sample(a=longest)).x == {"a": longest}
    assert decode(sample(a=2**63 - 1, b=-(2**63))).x == {"a": 2**63 - 1, "b": -(2**63)}

    named = {"id": "i" * MAX_ID, "x": {"a": LARGEST, "b": -LARGEST}, "y": "l" * MAX_LABEL}
    assert decode(json.dumps(named).encode()) == Record(**named)
    deepest = b"[" * (MAX_DEPTH - 1) + b"]" * (MAX_DEPTH - 1)
    assert decode(b'{"x": {}, "z": ' + deepest + b"}") == Record(x={})
    brackets = b'{"x": {}, "z": "' + b"[{" * 9999 + b'"}'
    assert decode(brackets) == Record(x={})
    assert encode(decode_full([brackets])[0]) == encode(Record(x={}))


def test_many_are_decoded_like_one() -> None:
    """Together they are the same records, or refused if one of them is."""
    good = [encode(Record(id=i, x={"a": i, "b": True}, y="é")) for i in range(40)]
    text, null = sample(a="t"), sample(a=None)
    for together in (decode_full, decode_numbers):
        assert together([]) == []
        assert [*map(encode, together([*good, b'{"y":1}']))] == [*good, b'{"y":1}']
        for bad in (null, b"", b"\xff", b'{"x": {}, "z": "\xff"}', b'{"id": 1}',
                    b'{"x": {}, "mark": "m"}', sample(a="s" * (MAX_STRING + 1)),
                    b'{"x": {}' + b" " * MAX_RECORD + b"}"):  # fmt: skip
            with pytest.raises(RecordError):
                together([*good, bad, *good])
    assert decode_full([text])[0].x == {"a": "t"}
    with pytest.raises(RecordError):
        decode_numbers([text])


def test_the_kinds_of_records_are_told_apart_by_their_fields() -> None:
    """A question has no y, a label no x; unknown fields count for nothing."""
    question = decode(b'{"id": "17", "x": {"a": null}, "y": null, "new": [1, {}]}')
    assert (question.id, question.x, question.y) == ("17", {"a": None}, None)
    label = decode(b'{"id": 17, "y": false}')
    assert (label.id, label.x, label.y) == (17, UNSET, False)
    assert decode(b'{"id": 17, "forget": true}').forget


def test_of_a_key_said_twice_the_last_counts() -> None:
    """Duplicate keys are no error, as in Python's own json."""
    assert decode(b'{"x": {"a": 1, "a": 2}, "y": 1, "y": 2}') == Record(x={"a": 2}, y=2)


def test_a_pair_of_surrogates_is_one_character() -> None:
    """An escaped emoji is read like a plain one."""
    assert decode(rb'{"x": {"a": "\ud83d\ude00"}}').x == {"a": "😀"}


def test_what_is_not_finite_is_written_as_null() -> None:
    """NaN and the infinities have no place in JSON."""
    assert encode({"p": [math.nan, math.inf, 0.5]}) == b'{"p":[null,null,0.5]}'


def test_commands_are_decoded_by_their_word() -> None:
    """A declaration brings its classes with their types; an unknown word has a reason."""
    declared = decode_command(b'{"command": "declare", "classes": [1, true, "1"]}')
    assert isinstance(declared, Declare)
    assert [type(label) for label in declared.classes] == [int, bool, str]
    assert isinstance(decode_command(b'{"command": "end-grain", "id": 1}'), EndGrain)
    many = json.dumps({"command": "declare", "classes": [*range(MAX_DECLARED + 1)]}).encode()
    for value, reason in (
        (b'{"command": "stop"}', "unknown_command"),
        (b"{}", "unknown_command"),
        (b'{"command": "declare"}', "bad_command"),
        (b'{"command": "declare", "classes": []}', "bad_command"),
        (b'{"command": "declare", "classes": [1.5]}', "bad_command"),
        (many, "bad_command"),
    ):
        with pytest.raises(RecordError) as caught:
            decode_command(value)
        assert caught.value.reason == reason


def test_a_mark_gives_what_it_says() -> None:
    """All fields of a mark but its word and id are its details."""
    assert decode_mark(b'{"mark": "drift", "id": 1, "ts": 2.5, "to": "b"}') == {
        "ts": 2.5,
        "to": "b",
    }


@pytest.mark.parametrize(
    ("value", "look"),
    [
        (b'{"mark": "m", "big": 1e999}', decode_mark),
        (b'{"mark": "m", "z": "\xff"}', decode_mark),
        (b'{"command": "declare", "classes": ["\xff"]}', decode_command),
        (b'{"first": 1, "z": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", decode_outcomes),
    ],
    ids=["mark out of range", "mark not utf-8", "command not utf-8", "outcomes too deep"],
)
def test_a_second_look_at_a_record_refuses_what_it_cannot_read(
    value: bytes, look: Callable[[bytes], object]
) -> None:
    """What the first look has let pass is refused like anything else."""
    with pytest.raises(RecordError):
        look(value)


def outcomes() -> Outcomes:
    """Return a message of one row."""
    rows = Rows(
        offset=[3], of=[1], id=["17"], ts=[None], y=[True], y_pred=[None], p_true=[0.25],
        p_pred=[None], arm=["main"], flag=[1], no_change_error=[1.0], majority_error=[0.0],
    )  # fmt: skip
    totals = Totals(
        task="class", samples=2, confusion={"true": {"other": 1}}, dead={"empty": 1}
    )
    return Outcomes(1, 3, rows, [(2, "drift", {"error": 0.5})], totals)


def test_outcomes_come_back_whole() -> None:
    """Rows, events and totals survive the wire; what is no such message is refused."""
    message = outcomes()
    assert decode_outcomes(encode(message)) == message
    for value, reason in (
        (b"", "empty"),
        (b"[]", "not_object"),
        (b'{"first": 1}', "wrong_type"),
        (b"\xff", "not_json"),
        (b'{"first": 1, "z": ' + b"[" * 100_000, "too_deep"),
    ):
        with pytest.raises(RecordError) as caught:
            decode_outcomes(value)
        assert caught.value.reason == reason


def numbers_of(kind: type) -> list[str]:
    """Return the fields of totals that hold one number."""
    blank = kind("class") if kind is Totals else kind()
    return [
        name for name in kind.__struct_fields__ if type(getattr(blank, name)) in (int, float)
    ]


@pytest.mark.parametrize(
    ("part", "field", "value"),
    [
        ("totals", "dead", {"empty": -1}),
        ("totals", "actions", {"swap": 10**400}),
        ("totals", "confusion", {"true": {"true": 2**63}}),
        *(("totals", name, value) for name in numbers_of(Totals) for value in (-1, 10**400)),
        *(
            ("totals", "arms", {"main": {name: value}})
            for name in numbers_of(ArmTotals)
            for value in (-1, 10**400)
        ),
        ("rows", "offset", [2**63 - 1]),
        ("rows", "of", [-1]),
        ("rows", "of", [-(2**70)]),
        ("rows", "id", [2**64]),
        ("rows", "flag", [10**400]),
        (None, "first", -1),
        (None, "last", 2**63 - 1),
        (None, "events", [[2**63 - 1, "drift", {}]]),
    ],
    ids=lambda value: str(value)[:40],
)
def test_outcomes_with_a_number_that_none_can_have_are_refused(
    part: str | None, field: str, value: object
) -> None:
    """Counts and sums below nothing, places that no log has, whole numbers beyond a float."""
    message = json.loads(encode(outcomes()))
    within = message[part] if part else message
    assert field in within
    within[field] = value
    with pytest.raises(RecordError) as caught:
        decode_outcomes(json.dumps(message).encode())
    assert caught.value.reason == "number_range"


def test_outcomes_may_have_the_last_place_and_the_largest_count() -> None:
    """The bounds themselves are within them."""
    message = outcomes()
    message.rows.offset = message.rows.of = [2**63 - 2]
    message.first, message.last = 0, 2**63 - 2
    assert message.totals
    message.totals.scored = 2**63 - 1
    assert decode_outcomes(encode(message)) == message


def test_labels_have_a_text_for_each_class() -> None:
    """Classes that are different have texts that are."""
    labels = [True, False, 1, "1", "true", "é"]
    assert [json.loads(text_of(label)) for label in labels] == labels
    assert len({text_of(label) for label in labels}) == len(labels)
