"""From what a user calls a source to what opens it; nothing is imported early."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from difflib import get_close_matches
from importlib import import_module
from os.path import isfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from producer.sources.folder import Opener, is_many, open_many
from producer.sources.plugins import listed, open_plugin, plugins, shadowed
from producer.sources.source import Listing, Source
from stream.errors import SettingError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

FILES = {
    ".csv": "producer.sources.csv:open_csv",
    ".csv.gz": "producer.sources.csv:open_csv",
    ".zip": "producer.sources.csv:open_csv",
    ".jsonl": "producer.sources.jsonl:open_jsonl",
    ".jsonl.gz": "producer.sources.jsonl:open_jsonl",
    ".parquet": "producer.sources.arrow:open_parquet",
    ".arrow": "producer.sources.arrow:open_ipc",
    ".feather": "producer.sources.arrow:open_ipc",
    ".ipc": "producer.sources.arrow:open_ipc",
    ".avro": "producer.sources.avro:open_avro",
    ".arff": "producer.sources.arff:open_arff",
    ".arff.gz": "producer.sources.arff:open_arff",
    ".libsvm": "producer.sources.libsvm:open_libsvm",
    ".libsvm.gz": "producer.sources.libsvm:open_libsvm",
    ".svm": "producer.sources.libsvm:open_libsvm",
    ".svm.gz": "producer.sources.libsvm:open_libsvm",
}
"""How a source that is a file ends, and what opens it: a function of its path and the label."""

_EXTRAS = {"pyarrow": "parquet", "fastavro": "avro"}


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

    `river:NAME` and `sklearn:NAME` are data sets, `synth:NAME(…)` is a generator of River's,
    the only one that takes `drifts`; other schemes come of other distributions. Anything
    else is the path of a file, of a folder, or a pattern. Raises `SettingError` when it
    cannot be opened or does not take the other settings.
    """
    kind, colon, name = text.partition(":")
    scheme = SCHEMES.get(kind) if colon else None
    if drifts and not (scheme and scheme.drifting):
        raise SettingError(
            f"drifts are made by synth: sources only; {text!r} has its own or none"
        )
    if scheme is None:
        points = _plugged(text)
        return open_plugin(points, name, label) if points else _open_path(text, label)
    opened: Callable[..., Source] = _load(scheme.opener, text)
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
    return bool(colon) and (kind in SCHEMES or bool(_plugged(text)))


def listings() -> list[Listing]:
    """Return what is known of every data set and generator, before any is read."""
    own = (_load(scheme.listing, name)() for name, scheme in SCHEMES.items())
    return [*(each for found in own for each in found), *listed(SCHEMES)]


def unused() -> list[str]:
    """Return a sentence for each source of another distribution that cannot be used."""
    return shadowed(SCHEMES)


def _plugged(text: str) -> list[EntryPoint]:
    kind, colon, _ = text.partition(":")
    return plugins(SCHEMES).get(kind, []) if colon else []


def _open_path(text: str, label: str | None) -> Source:
    if is_many(text):
        return open_many(text, label, _opener)
    opener = _opener(Path(text))
    if opener is None:
        raise _no_source(text)
    return opener(Path(text), label)


def _opener(path: Path) -> Opener | None:
    """Return what opens a file of that name; None where nothing does."""
    name = path.name.lower()
    found = next((FILES[ending] for ending in FILES if name.endswith(ending)), None)
    return _load(found, str(path)) if found else None


def _load(reference: str, text: str) -> Callable[..., Any]:
    module, _, name = reference.partition(":")
    try:
        found: Callable[..., Any] = getattr(import_module(module), name)
    except ModuleNotFoundError as error:
        extra = _EXTRAS.get((error.name or "").partition(".")[0])
        if extra is None:
            raise
        raise SettingError(
            f"{text!r} needs {error.name}, which is not there; install driftline[{extra}]"
        ) from error
    return found


def _no_source(text: str) -> SettingError:
    if isfile(text):
        return SettingError(f"{text!r} must end in one of {', '.join(FILES)} to be read")
    by_name = {each.name.partition(":")[2]: each.name for each in listings()}
    close = get_close_matches(text.rpartition(":")[2], by_name, n=1)
    if close:
        hint = f"did you mean {by_name[close[0]]!r}?"
    else:
        begin = ", ".join(f"{scheme}:" for scheme in SCHEMES)
        hint = f"give the path of a file, or a name after {begin}"
    return SettingError(f"there is no source {text!r}; {hint}")
