"""The records of `tests/corpus/`, bad and odd; its README says how they are written."""

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "corpus"
KINDS = ("tree", "logistic", "sgd", "regression", "anomaly")
"""The runs that take the corpus; a record may be bad for some of them only."""
_EVERY = "every beginning of "
_ODD = "odd-but-good"
_SPECIAL = re.compile("⟨((?:[^⟨⟩]|⟨[^⟨⟩]*⟩)*)⟩")


@dataclass(frozen=True)
class Bad:
    """A record that is refused: where it comes from, and its reason in each kind of run."""

    file: str
    value: bytes
    reasons: dict[str, str]

    def __str__(self) -> str:
        return f"{self.file}: {self.value[:60]!r}"


@cache
def bad() -> list[Bad]:
    """Return all records that are refused by some run, no two alike in one file."""
    found = []
    for path in sorted(FOLDER.glob("*.txt")):
        if path.stem == _ODD:
            continue
        for reason, text in _lines(path):
            reasons = dict(part.split(":") for part in reason.split() if ":" in part)
            reasons = reasons or dict.fromkeys(KINDS, reason)
            assert reasons.keys() <= set(KINDS), f"{path.name}: {reason}"
            value = _bytes(text.removeprefix(_EVERY))
            cuts = range(1, len(value)) if text.startswith(_EVERY) else [len(value)]
            found += [Bad(path.stem, value[:cut], reasons) for cut in cuts]
    return found


@cache
def bad_for(kind: str) -> list[tuple[bytes, str]]:
    """Return the records that a run of a kind refuses, each with its reason."""
    return [(each.value, each.reasons[kind]) for each in bad() if kind in each.reasons]


@cache
def odd() -> list[tuple[str, bytes]]:
    """Return the records that look wrong and are learned, each with why."""
    return [(why, _bytes(text)) for why, text in _lines(FOLDER / f"{_ODD}.txt")]


def _lines(path: Path) -> list[tuple[str, str]]:
    lines = path.read_text().split("\n")
    pairs = [line.partition(" | ") for line in lines if line and not line.startswith("# ")]
    return [(before, after) for before, _, after in pairs]


def _bytes(text: str) -> bytes:
    value, at = b"", 0
    for found in _SPECIAL.finditer(text):
        value += text[at : found.start()].encode() + _made(found[1])
        at = found.end()
    return value + text[at:].encode()


def _made(what: str) -> bytes:
    if times := re.match(r"(\d+)×", what):
        return _bytes(what[times.end() :]) * int(times[1])
    if fields := re.fullmatch(r"(\d+) fields", what):
        return json.dumps({f"f{n}": n for n in range(int(fields[1]))}).encode()
    if classes := re.fullmatch(r"(\d+) classes", what):
        return json.dumps([*range(int(classes[1]))]).encode()
    return bytes.fromhex(what)
