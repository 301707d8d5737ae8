"""One line at a time through an iterator of River's, which ends at the first bad one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from producer.sources.source import Pair

Reader = Callable[[Any], Iterator[Any]]
"""Of an iterator of lines makes one of pairs, a line each."""


class Handed:
    """What reads single lines by a `reader` that was made for whole files.

    `header` are the lines it is given first, also when it has to begin anew.
    """

    def __init__(self, reader: Reader, header: tuple[str, ...] = ()) -> None:
        self._reader, self._header = reader, header
        self._line = ""
        self._pairs: Iterator[Any] | None = None

    def read(self, line: str) -> Pair:
        """Return features and label of one line, or raise `ValueError`."""
        self._line = line
        if self._pairs is None:
            self._pairs = self._reader(self._lines())
        try:
            pair: Pair = next(self._pairs)
        except (ValueError, LookupError) as error:
            # An error ends an iterator; the next line needs another.
            self._pairs = None
            raise ValueError(" ".join(str(error).split())) from error
        return pair

    def _lines(self) -> Iterator[str]:
        yield from self._header
        while True:
            yield self._line
