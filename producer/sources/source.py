"""What every source gives, whatever its kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from stream.errors import SettingError
from stream.records import Label

Pair = tuple[dict[str, Any], Any]
"""Features and label, as River's own iterators give them; a label that is missing is None."""


class Flaw(ValueError):
    """A row that cannot be used; its text says where it stands and what was found."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A true drift, said by the source: it comes right before row `at`, counted from 0.

    `kind` is abrupt, gradual or recurring; `width` is the length of the transition in rows,
    of which `at` is the middle.
    """

    kind: str
    at: int
    width: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Rows as they are found, before their columns are given types.

    `rows` starts anew at each call, and yields a `Flaw` in place of a row that cannot be
    read. `place` says where the row last yielded stands, for a message. `label` is the name
    of what the rows are labelled with, None where there are no labels. `task` and `classes`
    are None where only the rows can tell. `rows_known` is their number. Rows of a `finite`
    source may be read once beforehand, to learn the classes.
    """

    name: str
    rows: Callable[[], Iterator[Pair | Flaw]]
    label: str | None
    place: Callable[[], str] | None = None
    columns: Sequence[str] | None = None
    task: str | None = None
    classes: Sequence[Label] | None = None
    finite: bool = True
    time: str | None = None
    marks: tuple[Mark, ...] = ()
    rows_known: int | None = None
    tabular: bool = False
    """Whether all values are texts, and all rows have all columns: a CSV file."""
    kinds: Mapping[str, str] = field(default_factory=dict)
    """The types of columns, and of the label, where the source knows them."""
    ready: frozenset[str] = frozenset()
    """Columns whose values are of the type in `kinds`, with None for all that is missing; not
    empty only where every row has all columns, in the same order."""
    uniform: bool = False
    """Whether all rows are like the first ones: where those need no converting, none does."""
    labels: Callable[[], Iterator[Any]] | None = None
    """The labels alone, where they can be read without the rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What is known of a source before it is read; None where that is nothing.

    `task` is classification or regression; `rows` is also None where there is no end.
    `classes` is their number. `download` is the number of bytes that have to be fetched
    first, None where there is nothing to fetch. `brought_by` names the distribution of a
    source that is not driftline's own.
    """

    name: str
    task: str | None = None
    rows: int | None = None
    features: int | None = None
    classes: int | None = None
    download: int | None = None
    brought_by: str | None = None


def suggestion(name: str, names: Iterable[str]) -> str:
    """Return the end of a sentence that names what was perhaps meant.

    >>> suggestion("Phising", ["Phishing", "Bananas"])
    "; did you mean 'Phishing'?"
    >>> suggestion("x", ["Phishing", "Bananas"])
    '; there are Bananas, Phishing'
    """
    names = sorted(names)
    by_fold = {known.casefold(): known for known in names}
    close = get_close_matches(name.casefold(), by_fold, n=1)
    if close:
        return f"; did you mean {by_fold[close[0]]!r}?"
    shown = names if len(names) <= 30 else [*names[:30], "…"]
    return f"; there are {', '.join(shown)}"


def is_label(setting: str, name: str, source: str) -> SettingError:
    """Return the error for a setting that needs a column and was given the label."""
    return SettingError(
        f"{setting} cannot be {name!r}, which is the label of {source!r}; name another column"
    )


def chosen_label(path: Path, label: str | None, columns: Sequence[str]) -> None:
    """Refuse a label that is not among the columns of a file."""
    if label is not None and label not in columns:
        raise SettingError(
            f"{str(path)!r} has no column {label!r} for the label{suggestion(label, columns)}"
        )


def said_twice(path: Path, columns: Sequence[str]) -> None:
    """Refuse a file that gives two columns one name."""
    twice = sorted(name for name, times in Counter(columns).items() if times > 1)
    if twice:
        raise SettingError(
            f"{str(path)!r} names the column {twice[0]!r} twice; rename one of them"
        )


def unknown(what: str, name: str, names: Iterable[str]) -> SettingError:
    """Return the error for a `what` that does not exist, with the nearest one that does."""
    return SettingError(f"there is no {what} {name!r}{suggestion(name, names)}")
