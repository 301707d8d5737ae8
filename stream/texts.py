"""Texts of strangers, made fit to be shown to a person."""

from __future__ import annotations

from itertools import chain

SHOWN = 400
"""Characters of a text that are shown, at most."""
_ORDERS = chain(
    range(0x20),
    range(0x7F, 0xA0),
    range(0x200E, 0x2010),  # the direction in which to write
    range(0x2028, 0x202F),  # ends of lines, and directions
    range(0x2066, 0x206A),
    range(0xD800, 0xE000),  # halves of characters, which nothing can write
    (0xFEFF,),
)
_ESCAPES = {order: chr(order).encode("unicode_escape").decode() for order in _ORDERS}


def escaped(text: str) -> str:
    r"""Return a text with nothing in it that a terminal obeys, or that ends a line.

    >>> escaped("a\x1b[31mb\n")
    'a\\x1b[31mb\\n'
    """
    return text if text.isprintable() else text.translate(_ESCAPES)


def shown(text: str, most: int = SHOWN) -> str:
    """Return a text as it may stand in a line on a terminal: escaped, and not too long.

    >>> shown("abcdef", 3)
    'ab…'
    """
    text = escaped(text[: most + 1])
    return text if len(text) <= most else text[: most - 1] + "…"
