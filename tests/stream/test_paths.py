"""Paths into a record."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.errors import SettingError
from stream.paths import ABSENT, getter, path_of, steps_of, tree_of, within

keys = st.text(st.characters(codec="utf-8"), max_size=8)
ways = st.lists(keys | st.integers(0, 999_999), min_size=1, max_size=5).map(tuple)


@given(ways)
def test_a_path_leads_where_it_was_written_from(steps: tuple[str | int, ...]) -> None:
    """Whatever the keys are, their path is read as the same steps, with and without `$`."""
    path = path_of(steps)

    assert steps_of(path, "y") == steps
    assert steps_of(f"${path}" if path.startswith("[") else f"$.{path}", "y") == steps


@pytest.mark.parametrize(
    ("path", "steps"),
    [
        ("a", ("a",)),
        ("$.a.b", ("a", "b")),
        ("$x.a b", ("$x", "a b")),
        ("items[0].price", ("items", 0, "price")),
        ("$['a.b'][12]", ("a.b", 12)),
        (r'a["say \"so\""].é', ("a", 'say "so"', "é")),
    ],
)
def test_what_a_path_says(path: str, steps: tuple[str | int, ...]) -> None:
    """Names, places, and names in brackets where a dot or a quote is part of them."""
    assert steps_of(path, "y") == steps


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("", "its end"),
        ("$", "its end"),
        (".a", "'.a' at character 1"),
        ("a.", "'.' at character 2"),
        ("a..b", "'..b' at character 2"),
        ("a.*", "'.*' at character 2"),
        ("a[*]", "'[*]' at character 2"),
        ("a[-1]", "'[-1]' at character 2"),
        ("a[0:2]", "'[0:2]' at character 2"),
        ("a[?(@.b)]", "'[?(@.b)]' at character 2"),
        ("a[b]", "'[b]' at character 2"),
        ("a[0]b", "'b' at character 5"),
        ('a["b]', "'[\"b]' at character 2"),
        ("a.[0]", "'.[0]' at character 2"),
    ],
)
def test_what_is_no_path_is_refused_where_it_ends_to_be_one(path: str, place: str) -> None:
    """The sentence names the setting, the path and the place."""
    with pytest.raises(SettingError) as caught:
        steps_of(path, "drop")
    assert str(caught.value).startswith(
        f"path {path!r} of drop cannot be followed from {place}"
    )


def test_a_path_leads_to_a_value_or_nowhere() -> None:
    """A null is a value; a key of a list, a place in an object and one too far are nothing."""
    root = {"a": {"b": None, "0": 1}, "items": [{"c": 2}], "d": 3}
    found = {
        path: getter(steps_of(path, "y"))(root)
        for path in ("d", "a.b", "a.0", "items[0].c", "e", "a[0]", "items.c", "items[1]", "d.e")
    }
    assert found == {
        "d": 3,
        "a.b": None,
        "a.0": 1,
        "items[0].c": 2,
        **dict.fromkeys(("e", "a[0]", "items.c", "items[1]", "d.e"), ABSENT),
    }


@given(st.lists(ways, max_size=6), ways)
def test_a_tree_knows_what_its_paths_cover(paths: list, way: tuple) -> None:
    """A way lies behind the end of a path exactly if one of the paths begins it."""
    covered = any(way[: len(path)] == path for path in paths)
    assert (within(tree_of(paths), way) is None) == covered
