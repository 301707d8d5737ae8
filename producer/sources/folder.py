"""Many files as one source: those of a folder, or of a pattern."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from glob import glob, has_magic
from os.path import exists, isdir
from pathlib import Path
from typing import Any, cast

from producer.sources.files import SCANNED
from producer.sources.source import Flaw, Pair, Source
from stream.errors import SettingError

Opener = Callable[[Path, str | None], Source]


def is_many(text: str) -> bool:
    """Return whether a path is that of a folder, or a pattern and no file's own name.

    >>> is_many("day-*.csv"), is_many("elec.csv")
    (True, False)
    """
    # Unlike a Path of this Python, these take a name that is too long for one of no file.
    return isdir(text) or (has_magic(text) and not exists(text))


def files_of(text: str) -> list[Path]:
    """Return the files of a folder or pattern, or the one file itself, in order.

    Numbers in names are put in order as numbers. Of a folder, names that begin with a dot
    or an underscore are passed over, as other tools do. Raises `SettingError` when there is
    none, or a folder holds another.
    """
    if not is_many(text):
        return [Path(text)]
    folder = Path(text)
    if not folder.is_dir():
        found = [Path(each) for each in glob(text, recursive=True)]
        found = [path for path in found if not path.is_dir()]
        if not found:
            raise SettingError(f"no file is called like {text!r}; give another pattern")
        return sorted(found, key=_order)
    try:
        found = [path for path in folder.iterdir() if path.name[0] not in "._"]
    except OSError as error:
        raise SettingError(f"{text!r} cannot be read: {error}") from error
    root = folder.resolve()
    for path in sorted(found, key=_order):
        if not path.resolve().is_relative_to(root):
            raise SettingError(
                f"{text!r} holds the link {path.name!r} to what is outside of it; copy that, "
                f"or give a pattern, such as {str(folder / '*')!r}, if it is meant"
            )
        if path.is_dir():
            raise SettingError(
                f"{text!r} holds the folder {path.name!r}; give a pattern, such as "
                f"{str(folder / '**' / '*.csv')!r}"
            )
    if not found:
        raise SettingError(f"{text!r} has no file in it; give a folder that has some")
    return sorted(found, key=_order)


def size_of(text: str) -> int:
    """Return the bytes of all files of a path."""
    return sum(path.stat().st_size for path in files_of(text))


def open_many(
    text: str, label: str | None, opener_of: Callable[[Path], Opener | None]
) -> Source:
    """Return the rows of all files of a folder or pattern, one file after the other.

    Raises `SettingError` when the files are of several kinds, when one cannot be opened, has
    other columns than the first or no rows.
    """
    paths = files_of(text)
    opener = _one_kind(text, paths, opener_of)
    sources = [opener(path, label) for path in paths]
    for path, source in zip(paths, sources, strict=True):
        _check(path, source, paths[0], sources[0])
    return _joined(text, paths, sources)


def _one_kind(
    text: str, paths: Sequence[Path], opener_of: Callable[[Path], Opener | None]
) -> Opener:
    first = opener_of(paths[0])
    for path in paths:
        if first is None or opener_of(path) is not first:
            both = "" if path is paths[0] else f"{_short(text, paths[0])!r} and "
            raise SettingError(
                f"{text!r} holds {both}{_short(text, path)!r}, and its files must be of one "
                "kind that can be read; give a pattern such as "
                f"{str(paths[0].parent / '*.csv')!r}"
            )
    return cast(Opener, first)


def _joined(text: str, paths: Sequence[Path], sources: Sequence[Source]) -> Source:
    first = sources[0]
    reading = _Reading()
    classes = list(dict.fromkeys(each for source in sources for each in source.classes or ()))
    known = [source.rows_known for source in sources]
    alone = [source.labels for source in sources]
    kinds = _kinds(paths, sources)

    def rows() -> Iterator[Pair | Flaw]:
        for path, source in zip(paths, sources, strict=True):
            reading.begin(path, source)
            for reading.row, raw in enumerate(source.rows()):
                yield raw

    def labels() -> Iterator[Any]:
        for each in alone:
            yield from each() if each else ()

    return Source(
        name=Path(text).name,
        rows=rows,
        label=first.label,
        place=reading.place,
        columns=first.columns,
        task=first.task,
        classes=classes or None,
        finite=all(source.finite for source in sources) and size_of(text) <= SCANNED,
        tabular=first.tabular,
        kinds=kinds,
        ready=frozenset.intersection(*(source.ready for source in sources))
        & {name for name in kinds if kinds[name] == first.kinds.get(name)},
        labels=labels if all(alone) else None,
        rows_known=None if None in known else sum(rows or 0 for rows in known),
    )


class _Reading:
    """Where the reading of many files is."""

    def __init__(self) -> None:
        self.row = 0
        self._path = Path()
        self._place: Callable[[], str] | None = None

    def begin(self, path: Path, source: Source) -> None:
        """Begin with a file."""
        self._path, self._place, self.row = path, source.place, 0

    def place(self) -> str:
        """Return the file and its row last given, as its own source calls it."""
        return self._place() if self._place else f"{str(self._path)!r} row {self.row}"


def _check(path: Path, source: Source, first_path: Path, first: Source) -> None:
    if source.rows_known == 0 or next(source.rows(), None) is None:
        raise SettingError(
            f"{str(path)!r} has no rows; take it out, or give a pattern without it"
        )
    differing = sorted(set(source.columns or ()) ^ set(first.columns or ()))
    if differing:
        owner, other = path, first_path
        if differing[0] in (first.columns or ()):
            owner, other = first_path, path
        raise SettingError(
            f"{str(owner)!r} has a column {differing[0]!r}, and {str(other)!r} has none; the "
            "files of one source must have the same columns"
        )


def _kinds(paths: Sequence[Path], sources: Sequence[Source]) -> dict[str, str]:
    """Return the types of columns; whole numbers in one file may be any in another."""
    kinds = dict(sources[0].kinds)
    for path, source in zip(paths, sources, strict=True):
        for name in kinds.keys() | source.kinds.keys():
            known, found = kinds.get(name), source.kinds.get(name)
            if known == found:
                continue
            if {known, found} != {"integer", "number"}:
                raise SettingError(
                    f"column {name!r} of {str(path)!r} is of type {found or 'text'}, and of "
                    f"{str(paths[0])!r} of type {known or 'text'}; write the files alike"
                )
            kinds[name] = "number"
    return kinds


def _short(text: str, path: Path) -> str:
    return path.name if Path(text).is_dir() else str(path)


def _order(path: Path) -> list[tuple[tuple[int, int | str], ...]]:
    """Return what puts file 10 behind file 9.

    >>> sorted([Path("10.csv"), Path("9.csv")], key=_order)[0].name
    '9.csv'
    """
    return [
        tuple((0, int(each)) if each.isdecimal() else (1, each) for each in _parts(part))
        for part in (*path.parts, path.name)
    ]


def _parts(text: str) -> list[str]:
    return [part for part in re.split(r"(\d+)", text) if part]
