"""Classes, as records bring them: numbers to keep them under, and names to show them by.

A class may be any text: of 64 KiB, with line ends in it, or one of ten thousand. A label of
a metric may not. So few classes are shown by name, the ones seen most since the learner's
start, and the rest together as `OTHER`; no two of them ever have one name.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from stream.records import OTHER, Totals

NAMED = 10
"""Classes shown by name, at most."""
NAME = 64
"""Characters of a name, at most."""
_DIGEST = 16
_CUT = re.compile(r".*~[0-9a-f]{16}", re.DOTALL)
_KEPT = 256
"""Characters of a class that is kept as it is; a longer one is kept as its digest."""

Key = Any
"""What a class is told by: itself, its digest as bytes, or REST. True and 1 are one class."""
REST: Key = ("rest",)
"""Stands for the classes that `Totals.confusion` has put together; equals no label."""


class Codes(dict[Any, int]):
    """A whole number for each class that is asked for, and the classes by their number.

    >>> codes = Codes()
    >>> codes["UP"], codes["DOWN"], codes["UP"], codes.keys_by_code
    (0, 1, 0, ['UP', 'DOWN'])
    """

    def __init__(self) -> None:
        super().__init__()
        self.keys_by_code: list[Key] = []

    def __missing__(self, label: Any) -> int:
        key = kept(label)
        # A long text is looked up by its digest each time, so that it is never stored.
        if key is not label and key in self:
            return self[key]
        self[key] = code = len(self.keys_by_code)
        self.keys_by_code.append(key)
        return code


def kept(label: Any) -> Key:
    """Return what a class is told by.

    >>> kept("UP"), len(kept("UP" * 1000))
    ('UP', 16)
    """
    if isinstance(label, str) and len(label) > _KEPT:
        text = label.encode(errors="surrogatepass")
        return hashlib.blake2b(text, digest_size=_DIGEST).digest()
    return label


def in_order(keys: Iterable[Key]) -> list[Key]:
    """Return classes in an order of their own: numbers, texts, then whatever else.

    >>> in_order(["b", 2, True, "a", REST])
    [True, 2, 'a', 'b', ('rest',)]
    """
    return sorted(keys, key=_place)


def _place(key: Key) -> tuple[int, Any]:
    if isinstance(key, int | float):
        return 0, key
    if isinstance(key, str):
        return 1, key
    return (2, key) if isinstance(key, bytes) else (3 + (key is REST), 0)


class Known:
    """The classes of some partitions' totals, and which of them have a name of their own."""

    def __init__(self, totals: Sequence[Totals]) -> None:
        texts: dict[Key, str] = {}
        seen: Counter[Key] = Counter()
        keys = _Keys()
        for each in totals:
            for text, row in each.confusion.items():
                for found in (text, *row):
                    # Where partitions spell one class differently (1, true) the first does.
                    texts.setdefault(keys[found], found)
                seen[keys[text]] += sum(row.values())
        self.whole = REST not in texts
        """Whether each class is told apart from all others."""
        texts.pop(REST, None)
        self.keys = in_order(texts)
        # Sorting is stable: classes seen equally often stay in their order.
        ranked = sorted(self.keys, key=lambda key: -seen[key])
        self.names: dict[Key, str] = {}
        """The names of the classes seen most, most of them first."""
        for key in ranked[:NAMED]:
            name = name_of(texts[key])
            if name not in self.names.values():
                self.names[key] = name

    @property
    def positive(self) -> Key | None:
        """The class that counts as positive: of two the greater; of more there is none.

        As scikit-learn has it: 1 rather than 0, true than false, "yes" than "no".
        """
        return self.keys[1] if len(self.keys) == 2 and self.whole else None

    def name(self, key: Key) -> str:
        """Return the name of a class, `OTHER` for those without one."""
        return self.names.get(key, OTHER)


def pairs_of(totals: Iterable[Totals]) -> Counter[tuple[Key, Key]]:
    """Return how often each label met each guess since the learner's start."""
    pairs: Counter[tuple[Key, Key]] = Counter()
    keys = _Keys()
    for each in totals:
        for text, row in each.confusion.items():
            for guess, count in row.items():
                pairs[keys[text], keys[guess]] += count
    return pairs


def named(pairs: Mapping[tuple[Key, Key], int], known: Known) -> dict[tuple[str, str], int]:
    """Return the pairs by name, label first."""
    found: Counter[tuple[str, str]] = Counter()
    for (label, guess), count in pairs.items():
        found[known.name(label), known.name(guess)] += count
    return dict(found)


class _Keys(dict[str, Key]):
    """`key_of`, looked up once for each text."""

    def __missing__(self, text: str) -> Key:
        key = self[text] = key_of(text)
        return key


def key_of(text: str) -> Key:
    """Return the class whose JSON text this is.

    >>> key_of("true"), key_of('"UP"'), key_of("other")
    (True, 'UP', ('rest',))
    """
    label = _read(text)
    return REST if label is None or isinstance(label, list | dict) else kept(label)


def name_of(text: str) -> str:
    r"""Return the name of the class whose JSON text this is, of at most `NAME` characters.

    A text is shown without its quotes, unless that would look like another class.

    >>> name_of("1"), name_of('"UP"'), name_of('"1"'), name_of('"other"'), name_of('"a\\nb"')
    ('1', 'UP', '"1"', '"other"', '"a\\nb"')
    """
    label = _read(text)
    name = text
    if isinstance(label, str):
        plain = label.isprintable() and not label.startswith('"') and label.strip()
        name = label if plain and label != OTHER and _read(label) is None else json.dumps(label)
    if len(name) > NAME or (len(name) == NAME and _CUT.fullmatch(name)):
        digest = hashlib.blake2b(
            name.encode(errors="surrogatepass"), digest_size=_DIGEST // 2
        ).hexdigest()
        name = f"{name[: NAME - 1 - len(digest)]}~{digest}"
    return name


def _read(text: str) -> Any:
    """Return what a JSON text says, or None where it is none."""
    try:
        return json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")
