"""From what a user calls a source to what opens it; nothing is imported early."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from producer.sources.source import Listing, Source
from stream.errors import SettingError

FILES = {
    ".csv": "producer.sources.csv:open_csv",
    ".csv.gz": "producer.sources.csv:open_csv",
    ".jsonl": "producer.sources.jsonl:open_jsonl",
    ".jsonl.gz": "producer.sources.jsonl:open_jsonl",
}
"""How a source that is a file ends, and what opens it: a function of its path and the label."""


class Scheme(NamedTuple):
    """What opens the sources whose name begins so, and what lists them.

    The opener takes what stands behind the colon; and then the label, unless the sources
    bring their own, or drifts and seed where they are `drifting`.
    """

    opener: str
    listing: str
    own_label: bool = True
    drifting: bool = False


SCHEMES = {
    "river": Scheme("producer.sources.river:open_river", "producer.sources.river:listed"),
    "sklearn": Scheme(
        "producer.sources.sklearn:open_sklearn", "producer.sources.sklearn:listed"
    ),
    "synth": Scheme(
        "producer.sources.synth:open_synth", "producer.sources.synth:listed", drifting=True
    ),
}
"""How a source that is no file begins, before a colon."""


def open_source(
    text: str, *, label: str | None = None, drifts: Sequence[str] = (), seed: int = 1
) -> Source:
    """Return the source that `text` names.

    `river:NAME` and `sklearn:NAME` are bundled data sets, `synth:NAME(…)` is a generator of
    River's, the only one that takes `drifts`; anything else is the path of a file. Raises
    `SettingError` when it cannot be opened or does not take the other settings.
    """
    kind, colon, name = text.partition(":")
    scheme = SCHEMES.get(kind) if colon else None
    if drifts and not (scheme and scheme.drifting):
        raise SettingError(
            f"drifts are made by synth: sources only; {text!r} has its own or none"
        )
    if scheme is None:
        return _open_file(text, label)
    opened: Callable[..., Source] = _load(scheme.opener)
    if not scheme.own_label:
        return opened(name, label)
    if label is not None:
        raise SettingError(f"{text!r} brings its own label; leave the label {label!r} away")
    return opened(name, drifts, seed) if scheme.drifting else opened(name)


def is_named(text: str) -> bool:
    """Return whether `text` names a data set or generator, and no file.

    >>> is_named("river:Phishing"), is_named("elec.csv")
    (True, False)
    """
    kind, colon, _ = text.partition(":")
    return bool(colon) and kind in SCHEMES


def listings() -> list[Listing]:
    """Return what is known of every data set and generator, before any is read."""
    return [each for scheme in SCHEMES.values() for each in _load(scheme.listing)()]


def _open_file(text: str, label: str | None) -> Source:
    opener = next((FILES[end] for end in FILES if text.lower().endswith(end)), None)
    if opener is None:
        raise _no_source(text)
    opened: Callable[[Path, str | None], Source] = _load(opener)
    return opened(Path(text), label)


def _load(reference: str) -> Callable[..., Any]:
    module, _, name = reference.partition(":")
    found: Callable[..., Any] = getattr(import_module(module), name)
    return found


def _no_source(text: str) -> SettingError:
    if Path(text).is_file():
        return SettingError(f"{text!r} must end in one of {', '.join(FILES)} to be read")
    by_name = {each.name.partition(":")[2]: each.name for each in listings()}
    close = get_close_matches(text.rpartition(":")[2], by_name, n=1)
    if close:
        hint = f"did you mean {by_name[close[0]]!r}?"
    else:
        begin = ", ".join(f"{scheme}:" for scheme in SCHEMES)
        hint = f"give the path of a file, or a name after {begin}"
    return SettingError(f"there is no source {text!r}; {hint}")
