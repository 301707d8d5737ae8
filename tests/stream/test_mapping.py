"""How somebody else's record becomes one of ours, and what is refused there."""

import contextlib
import json
import tracemalloc
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.errors import RecordError, SettingError
from stream.flatten import MAX_DEPTH
from stream.mapping import FieldMap, Found, describe, reader
from stream.records import MAX_FIELDS, MAX_RECORD, MAX_STRING, UNSET, Record

ORDER = {
    "order": {"id": "o-1", "at": "2024-01-01T00:00:00Z"},
    "customer": {"age": 41, "odd.key": True, "address": {"city": "Graz"}},
    "items": [{"price": 9.5}, {"price": 1}],
    "paid": "yes",
    "note": None,
}
FULL = FieldMap(id="order.id", ts="order.at", y="paid")

keys = st.sampled_from(["a", "b", "c", "a.b", "x[0]", ""]) | st.text(
    st.characters(codec="utf-8"), max_size=3
)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(min_value=-1e100, max_value=1e100)
    | st.text(st.characters(codec="utf-8"), max_size=4)
)
trees = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
)
roots = st.dictionaries(keys, trees, max_size=4)
paths = st.sampled_from(["a", "b", "c", "a.b", "a.c", "b[0]", "a.b.c", 'a["a.b"]'])


def text(content: object) -> bytes:
    """Return a record as a stranger would write it."""
    return json.dumps(content).encode()


def read(content: object, **mapping: Any) -> Record:
    """Return the record that a mapping makes of a content."""
    return reader(FieldMap(**mapping))(text(content))


def reason_of(value: bytes, **mapping: Any) -> str:
    """Return the reason for which a value is refused."""
    with pytest.raises(RecordError) as caught:
        reader(FieldMap(**mapping))(value)
    return caught.value.reason


def flat(
    node: Any, name: str | None = None, left_out: tuple[str, ...] = ()
) -> list[tuple[str, Any]]:
    """Lay a record flat as one would on paper: all names and values, in order."""
    if name in left_out:
        return []
    if isinstance(node, dict):
        prefix = "" if name is None else f"{name}."
        return [it for k, v in node.items() for it in flat(v, f"{prefix}{k}", left_out)]
    if isinstance(node, list):
        return [it for n, v in enumerate(node) for it in flat(v, f"{name}[{n}]", left_out)]
    return [(str(name), node)]


def test_a_record_is_taken_apart() -> None:
    """Id, event time and label go to their places, and all the rest is features."""
    assert reader(FULL)(text(ORDER)) == Record(
        id="o-1",
        ts=1704067200.0,
        y="yes",
        x={
            "customer.age": 41,
            "customer.odd.key": True,
            "customer.address.city": "Graz",
            "items[0].price": 9.5,
            "items[1].price": 1,
            "note": None,
        },
    )


def test_features_can_be_chosen_left_out_and_renamed() -> None:
    """A path that ends at an object brings all below it, less what is dropped."""
    found = read(
        ORDER,
        x=["customer", "items[1].price", "absent"],
        drop=["customer.address"],
        rename={"customer.age": "age", "items[1].price": "second"},
    )
    assert found == Record(x={"age": 41, "customer.odd.key": True, "second": 1})


def test_the_label_is_never_a_feature() -> None:
    """Nor are id and time within an object, but named themselves they are."""
    content = {"p": {"id": 1, "at": 5, "y": 0, "a": 2}}
    where = {"id": "p.id", "ts": "p.at", "y": "p.y"}

    assert read(content, x=["p"], **where).x == {"p.a": 2}
    assert read(content, x=["p.a", "p.at", "p.id"], **where).x == {
        "p.a": 2,
        "p.at": 5,
        "p.id": 1,
    }
    with pytest.raises(SettingError, match="which is the label"):
        FieldMap(x=["p.y"], **where)


def test_a_label_alone_has_no_features() -> None:
    """An empty list of features makes a label of a record, which must have one."""
    mapping = {"x": (), "id": "order.id", "y": "paid"}

    found = read(ORDER, **mapping)

    assert (found.id, found.y, found.x) == ("o-1", "yes", UNSET)
    assert reason_of(text(ORDER | {"paid": None}), **mapping) == "missing_label"
    with pytest.raises(SettingError, match="brings nothing"):
        FieldMap(x=(), id="order.id")


def test_without_a_label_it_is_a_question() -> None:
    """A label that is missing, or null, makes no difference."""
    assert read({"a": 1}, y="b.c").y is None
    assert read({"a": 1, "b": {"c": None}}, y="b.c").y is None


@given(roots, st.lists(paths, max_size=2, unique=True))
def test_it_is_what_one_would_lay_flat_by_hand(root: dict, drop: list[str]) -> None:
    """All values below the root, but those dropped, once each; or a name came twice."""
    # By hand a key with a dot in it and a way of two steps look alike, so none is dropped.
    if any("." in key or "[" in key for key in str(root).split("'")[1::2]):
        drop = []
    expected = flat(root, left_out=tuple(drop))
    names = [name for name, _ in expected]
    if len(set(names)) < len(names):
        assert reason_of(text(root), drop=drop) == "ambiguous"
        return

    found = read(root, drop=drop)

    assert list(found.x.items()) == expected
    assert [type(value) for value in found.x.values()] == [type(v) for _, v in expected]


@given(roots, st.none() | st.lists(paths, min_size=1, max_size=2, unique=True), paths)
def test_what_is_described_is_what_is_read(root: dict, x: list[str] | None, drop: str) -> None:
    """Each feature, with the value it has and the path at which a mapping finds it again."""
    with contextlib.suppress(SettingError, RecordError):
        mapping = FieldMap(x=x, drop=[drop], y="y", rename={"a": "b"})
        record = reader(mapping)(text(root | {"y": 1}))
        found = describe(text(root | {"y": 1}), mapping)

        assert found[0] == Found("y", "y", 1, "y")
        assert [(it.name, it.value) for it in found[1:]] == list(record.x.items())
        for it in found[1:]:
            (alone,) = read(root, x=[it.path]).x.values()
            assert alone == it.value


@given(
    st.binary(max_size=100)
    | trees.map(text)
    | st.builds(lambda root: text(root)[:-1] + b"}", roots)
    | st.text(max_size=30).map(lambda t: b'{"id": 1, "ts": "%b"}' % t.encode(errors="replace")),
    st.sampled_from(["s", "ms", "us", "ns", "iso", None]),
)
def test_whatever_comes_is_a_record_or_has_a_reason_why_not(
    value: bytes, unit: str | None
) -> None:
    """Nothing that can stand in a topic raises anything but a refusal."""
    for mapping in (
        FieldMap(),
        FieldMap(id="id", ts="ts", ts_unit=unit, y="a"),
        FieldMap(id="a", ts="b", ts_unit=unit, y="c.a", x=["a.b", "b"]),
        FieldMap(id="a", y="b", x=()),
    ):
        with contextlib.suppress(RecordError):
            assert isinstance(reader(mapping)(value), Record)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"", "empty"),
        (b"{" + b" " * MAX_RECORD, "too_large"),
        (b'{"i": "\xff"}', "not_utf8"),
        (b'{"i": 1, "a": NaN}', "not_finite"),
        (b'{"i": 1', "truncated"),
        (b"[1]", "not_object"),
        (b"{}", "missing_id"),
        (b'{"i": null}', "missing_id"),
        (b'{"i": 1.5}', "wrong_type"),
        (b'{"i": true}', "wrong_type"),
        (b'{"i": {}}', "wrong_type"),
        (b'{"i": 9223372036854775808}', "number_range"),
        (b'{"i": 1, "y": {"a": 1}}', "wrong_type"),
        (b'{"i": 1, "y": []}', "wrong_type"),
        (b'{"i": 1, "y": -9223372036854775809}', "number_range"),
        (b'{"i": 1, "a": {"b": 9223372036854775808}}', "number_range"),
        (b'{"i": 1, "a": 9223372036854775808}', "number_range"),
        (b'{"i": 1, "a": 1e999}', "number_range"),
        (b'{"i": 1, "a": {"b": 1}, "a.b": 2}', "ambiguous"),
        (b'{"i": 1, "t": true}', "bad_time"),
        (b'{"i": 1, "t": "noon"}', "bad_time"),
        (b'{"i": 1, "t": {"a": 1}}', "bad_time"),
        (b'{"i": 1, "t": 1e300}', "bad_time"),
        (b'{"i": 1, "t": "2024-13-01"}', "bad_time"),
        (
            text({"i": 1, **dict.fromkeys(map(str, range(MAX_FIELDS + 1)), 0)}),
            "too_many_fields",
        ),
        (text({"i": 1, "a": list(range(MAX_FIELDS + 1))}), "too_many_fields"),
        (text({"i": 1, "a": "b" * (MAX_STRING + 1)}), "string_too_long"),
        (text({"i": "b" * (MAX_STRING + 1)}), "string_too_long"),
        (b'{"i":1,"a":' + b'{"a":' * 10_000 + b"1" + b"}" * 10_001, "too_deep"),
        (b'{"i":1,"t":' + b'{"a":' * 800 + b"1" + b"}" * 801, "too_deep"),
    ],
)
def test_what_cannot_be_read_is_refused_by_reason(value: bytes, reason: str) -> None:
    """Each reason has its own code."""
    assert reason_of(value, id="i", ts="t", y="y") == reason


def test_depth_is_bounded() -> None:
    """So many levels are taken apart, and not one more."""
    for closing, opening in (("}", '{"a":'), ("]", "[")):
        deep = [
            b'{"a":' + (opening * n + "1" + closing * n).encode() + b"}"
            for n in (MAX_DEPTH, MAX_DEPTH + 1)
        ]
        assert len(reader(FieldMap())(deep[0]).x) == 1
        assert reason_of(deep[1]) == "too_deep"
        assert reader(FieldMap(drop=["a"]))(deep[1]).x == {}


@pytest.mark.parametrize(
    ("given", "unit"),
    [
        (1704067200, None),
        (1704067200000, None),
        (1704067200000000, None),
        (1704067200000000000, None),
        (1704067200.0, "s"),
        ("1704067200", None),
        ("1704067200.0", "s"),
        (1704067200000, "ms"),
        ("1704067200000000", "us"),
        ("2024-01-01", None),
        ("2024-01-01T00:00:00Z", "iso"),
        (" 2024-01-01 01:00:00+01:00 ", None),
        ("20240101", "iso"),
    ],
)
def test_one_moment_in_many_forms(given: object, unit: str | None) -> None:
    """Seconds and their fractions, ISO 8601 with a zone and without, and texts of numbers."""
    assert read({"t": given}, ts="t", ts_unit=unit).ts == 1704067200.0


@given(
    st.datetimes(min_value=datetime(1973, 3, 4), max_value=datetime(5138, 1, 1)),
    st.integers(-14, 14),
)
def test_every_unit_is_told_by_its_size(moment: datetime, hours: int) -> None:
    """A moment written in any unit, without its name, is the moment it was."""
    local = moment.replace(tzinfo=timezone(timedelta(hours=hours)))
    seconds = local.timestamp()
    if not 1e8 < seconds < 1e11:
        return
    micros = (local - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    for form in (local.isoformat(), seconds, seconds * 1e3, micros, micros * 1000):
        assert read({"t": form}, ts="t").ts == pytest.approx(seconds, abs=1e-3)


@pytest.mark.parametrize(
    ("unit", "value"), [("ms", "2024-01-01"), ("iso", 1704067200), ("iso", "1704067200")]
)
def test_a_unit_that_is_named_is_kept_to(unit: str, value: object) -> None:
    """What has another form than was said is refused."""
    assert reason_of(text({"t": value}), ts="t", ts_unit=unit) == "bad_time"


def test_a_time_may_be_missing() -> None:
    """Then there is none."""
    assert read({"a": 1}, ts="t").ts is None
    assert read({"a": 1, "t": None}, ts="t").ts is None


@pytest.mark.parametrize(
    ("mapping", "sentence"),
    [
        ({"ts_unit": "weeks"}, "ts_unit must be s, ms, us, ns or iso, got 'weeks'"),
        ({"y": "a..b"}, "path 'a..b' of y cannot be followed"),
        ({"drop": ["a."]}, "path 'a.' of drop cannot"),
        ({"x": ["a", "a.b"]}, "x names 'a' and 'a.b', which is the same or within it"),
        ({"x": ["a", "$.a"]}, "x names 'a' and 'a', which is the same"),
        ({"x": ["a.b"], "drop": ["a"]}, "x names 'a.b', and drop leaves it out"),
        ({"rename": {"a": "c", "b": "c"}}, "rename gives 'c' to two features"),
    ],
)
def test_a_mapping_that_cannot_be_meant_is_refused(mapping: dict, sentence: str) -> None:
    """In a sentence that names what stands against what."""
    with pytest.raises(SettingError) as caught:
        FieldMap(**mapping)
    assert str(caught.value).startswith(sentence)


def test_two_features_of_one_name_are_refused() -> None:
    """A new name may not be one that is there, but two may change places."""
    swapped = read({"a": 1, "b": 2}, rename={"a": "b", "b": "a"})
    assert swapped.x == {"b": 1, "a": 2}
    assert reason_of(text({"a": 1, "b": 2}), rename={"a": "b"}) == "ambiguous"


def test_one_record_is_described() -> None:
    """What a person is shown: the part, the name, the value and the path of each."""
    mapping = FieldMap(id="order.id", ts="order.at", y="paid", rename={"customer.age": "age"})
    assert [tuple(it) for it in describe(text(ORDER), mapping)] == [
        ("id", "id", "o-1", "order.id"),
        ("ts", "ts", 1704067200.0, "order.at"),
        ("y", "y", "yes", "paid"),
        ("x", "age", 41, "customer.age"),
        ("x", "customer.odd.key", True, 'customer["odd.key"]'),
        ("x", "customer.address.city", "Graz", "customer.address.city"),
        ("x", "items[0].price", 9.5, "items[0].price"),
        ("x", "items[1].price", 1, "items[1].price"),
        ("x", "note", None, "note"),
    ]


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"id": "i" * 1025, "y": 1}, "string_too_long"),
        ({"id": "i", "y": "l" * 257}, "string_too_long"),
        ({"id": "i", "y": 1, "deep": {"a": [1, -1e101]}}, "number_range"),
    ],
)
def test_what_no_record_of_ours_holds_is_refused(record, reason):
    """By the limits that hold for our own records."""
    with pytest.raises(RecordError) as caught:
        reader(FieldMap(id="id", y="y"))(json.dumps(record).encode())
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (text({"k" * 64_000: {str(n): n for n in range(1024)}}), "too_large"),
        (text({"k" * 64_000: list(range(1024))}), "too_large"),
        (text({"k" * 64_000: [[]] * 40_000}), "too_large"),
        (text({"k" * 9_000: {f"{n:x}": 0 for n in range(14_000)}}), "too_large"),
        (text({"k" * 250: {f"key-{n:08d}": n for n in range(9_000)}}), "too_many_fields"),
        (text({"k" * 250: [[n] for n in range(14_000)]}), "too_many_fields"),
        (text({"k" * 250: [0] * 80_000}), "too_many_fields"),
        (text({f"key-{n:08d}": n for n in range(9_000)}), "too_many_fields"),
    ],
)
def test_a_small_record_never_becomes_a_large_one(value: bytes, reason: str) -> None:
    """Names repeat the way to them, and are refused before they fill the memory."""
    assert len(value) <= MAX_RECORD
    tracemalloc.start()
    try:
        assert reason_of(value) == reason
        assert tracemalloc.get_traced_memory()[1] < 24_000_000
    finally:
        tracemalloc.stop()


def test_long_names_are_allowed_up_to_the_size_of_a_record() -> None:
    """So many that their features still fit into one."""
    names = [f"{'k' * 1000}.{n}" for n in range(250)]
    value = text({"k" * 1000: dict.fromkeys(map(str, range(250)), 0)})
    assert list(reader(FieldMap())(value).x) == names
