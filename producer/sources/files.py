"""The lines of a file, and what can be wrong with it."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path

from stream.errors import SettingError

SCANNED = 256 * 1024 * 1024
"""Bytes of the largest file that is read once beforehand, to learn its classes."""


class Lines:
    """The lines of a UTF-8 text file, unzipped when its name ends in .gz.

    `number` is that of the line last given, from 1. Reading raises `SettingError` when the
    file is missing, is no text or breaks off.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.number = path, 0

    def __iter__(self) -> Iterator[str]:
        """Yield the lines, with their ends, from the first one on."""
        self.number = 0
        opener = gzip.open if self.path.suffix.lower() == ".gz" else open
        try:
            with opener(self.path, "rb") as file:
                for line in file:
                    self.number += 1
                    # The signature some editors put in front belongs to no column's name.
                    yield line.decode("utf-8-sig" if self.number == 1 else "utf-8")
        except FileNotFoundError:
            raise SettingError(
                f"{str(self.path)!r} does not exist; give the path of a file"
            ) from None
        except UnicodeDecodeError as error:
            raise SettingError(
                f"{self.place()} is not UTF-8 text ({error.reason}); convert the file"
            ) from error
        except (OSError, EOFError, zlib.error) as error:
            raise SettingError(f"{self.place()} and on cannot be read: {error}") from error

    def place(self) -> str:
        """Return the file and the line last given."""
        return f"{str(self.path)!r} line {self.number}"

    def empty(self) -> SettingError:
        """Return the error for a file without rows."""
        return SettingError(f"{str(self.path)!r} has no rows; give a file that has some")


def scannable(path: Path) -> bool:
    """Return whether the file is small enough to be read beforehand."""
    return path.stat().st_size <= SCANNED
