"""Sources that other distributions bring, by entry points.

A distribution that registers, in the group `driftline.sources`, a scheme such as `acme` for a
function `open(text, label)` makes `acme:anything` a source. The function is given what stands
behind the colon, and the name of the label or None. It returns a `Source`, or raises
`SettingError` with a sentence for a person. Its rows must be the same, in the same order,
whenever they are read: only so a producer that starts again knows which it has written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib.metadata import EntryPoint, entry_points

from producer.sources.source import Flaw, Listing, Pair, Source
from stream.errors import SettingError, StreamError

GROUP = "driftline.sources"
"""The group of entry points."""

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]+")


def plugins(bundled: Iterable[str]) -> dict[str, list[EntryPoint]]:
    """Return the entry points of other distributions by scheme, `bundled` ones left out."""
    found: dict[str, list[EntryPoint]] = {}
    for point in entry_points(group=GROUP):
        if point.name not in bundled and _SCHEME.fullmatch(point.name):
            found.setdefault(point.name, []).append(point)
    return found


def listed(bundled: Iterable[str]) -> list[Listing]:
    """Return the schemes there are, each named with the distribution that brings it."""
    return [
        Listing(name=f"{scheme}:", brought_by=", ".join(map(_owner, points)))
        for scheme, points in sorted(plugins(bundled).items())
    ]


def shadowed(bundled: Iterable[str]) -> list[str]:
    """Return a sentence for each entry point whose scheme is not to be had."""
    return [
        f"{_owner(point)} brings a source {point.name!r}, which is not used: "
        + (
            "driftline has its own of that name"
            if point.name in bundled
            else "a name is of small letters, digits, +, . and -, and begins with a letter"
        )
        for point in entry_points(group=GROUP)
        if point.name in bundled or not _SCHEME.fullmatch(point.name)
    ]


def open_plugin(points: list[EntryPoint], text: str, label: str | None) -> Source:
    """Return the source that another distribution makes of a text.

    Raises `SettingError`, which names the distribution, whatever is wrong with it.
    """
    if len(points) > 1:
        raise SettingError(
            f"{' and '.join(map(_owner, points))} both bring a source {points[0].name!r}; "
            "uninstall one of them"
        )
    (point,) = points
    with _guarded(point):
        source: object = point.load()(text, label)
    if not isinstance(source, Source):
        raise SettingError(
            f"the source {point.name!r} of {_owner(point)} gave {type(source).__name__} "
            "instead of a producer.sources.source.Source; ask its makers"
        )

    def rows() -> Iterator[Pair | Flaw]:
        with _guarded(point):
            yield from source.rows()

    return replace(source, rows=rows, labels=None)


@contextmanager
def _guarded(point: EntryPoint) -> Iterator[None]:
    """Say in one sentence whatever goes wrong in the code of others."""
    try:
        yield
    except StreamError:
        raise
    except Exception as error:
        said = " ".join(str(error).split()) or "no reason given"
        raise SettingError(
            f"the source {point.name!r} of {_owner(point)} is broken: {type(error).__name__}: "
            f"{said}; ask its makers"
        ) from error


def _owner(point: EntryPoint) -> str:
    return (
        f"{point.dist.name} {point.dist.version}" if point.dist else "an unknown distribution"
    )
