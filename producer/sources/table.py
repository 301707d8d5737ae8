"""From what a user calls a source to the file that opens it; nothing is imported early."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

from producer.sources.source import Source
from stream.errors import SettingError

KINDS = ("river:", "sklearn:", "synth:")
"""How a source that is no file begins."""
ENDINGS = (".csv", ".csv.gz", ".jsonl", ".jsonl.gz")
"""How a source that is a file ends."""


def open_source(
    text: str, *, label: str | None = None, drifts: Sequence[str] = (), seed: int = 1
) -> Source:
    """Return the source that `text` names.

    `river:NAME` and `sklearn:NAME` are bundled data sets, `synth:NAME(…)` is a generator of
    River's, the only one that takes `drifts`; anything else is the path of a file. Raises
    `SettingError` when it cannot be opened or does not take the other settings.
    """
    kind, colon, name = text.partition(":")
    if drifts and kind != "synth":
        raise SettingError(
            f"drifts are made by synth: sources only; {text!r} has its own or none"
        )
    if colon and f"{kind}:" in KINDS:
        if label is not None:
            raise SettingError(f"{text!r} brings its own label; leave the label {label!r} away")
        return _open_named(kind, name, drifts, seed)
    if text.lower().endswith(ENDINGS):
        return _open_file(Path(text), label)
    raise _no_source(text)


def is_named(text: str) -> bool:
    """Return whether `text` names a data set or generator, and no file.

    >>> is_named("river:Phishing"), is_named("elec.csv")
    (True, False)
    """
    return text.startswith(KINDS)


def _open_named(kind: str, name: str, drifts: Sequence[str], seed: int) -> Source:
    if kind == "river":
        from producer.sources.river import open_river

        return open_river(name)
    if kind == "sklearn":
        from producer.sources.sklearn import open_sklearn

        return open_sklearn(name)
    from producer.sources.synth import open_synth

    return open_synth(name, drifts, seed)


def _open_file(path: Path, label: str | None) -> Source:
    if path.name.lower().endswith(ENDINGS[:2]):
        from producer.sources.csv import open_csv

        return open_csv(path, label)
    from producer.sources.jsonl import open_jsonl

    return open_jsonl(path, label)


def _no_source(text: str) -> SettingError:
    if Path(text).is_file():
        return SettingError(f"{text!r} must end in one of {', '.join(ENDINGS)} to be read")
    by_name = {known.partition(":")[2]: known for known in names()}
    close = get_close_matches(text.rpartition(":")[2], by_name, n=1)
    if close:
        hint = f"did you mean {by_name[close[0]]!r}?"
    else:
        hint = f"give the path of a file, or a name after {', '.join(KINDS)}"
    return SettingError(f"there is no source {text!r}; {hint}")


def names() -> list[str]:
    """Return what every bundled data set and generator is called."""
    from producer.sources import river, sklearn, synth

    return [
        *(f"river:{name}" for name in river.bundled()),
        *(f"sklearn:{name}" for name in sklearn.bundled()),
        *(f"synth:{name}" for name in synth.generators()),
    ]
