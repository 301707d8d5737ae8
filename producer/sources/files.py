"""The lines of a file, and what can be wrong with it."""

from __future__ import annotations

import gzip
import lzma
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import IO, Any
from zipfile import BadZipFile, ZipFile

from stream.errors import SettingError

SCANNED = 256 * 1024 * 1024
"""Bytes of the largest file that is read once beforehand, to learn its classes."""
LONGEST = 16 * 1024 * 1024
"""Bytes of the longest line, far above what a record may have."""

_SIGNATURE = b"\xef\xbb\xbf"


class Lines:
    """The lines of a UTF-8 text file, unzipped when its name ends in .gz or .zip.

    Of a .zip it is the one member whose name ends in `member`. `number` is that of the line
    last given, from 1. Reading raises `SettingError` when the file is missing, is no text or
    breaks off. A file is never held whole, whatever it unpacks to.
    """

    def __init__(self, path: Path, *, member: str = ".csv") -> None:
        self.path, self.number, self._member = path, 0, member

    def __iter__(self) -> Iterator[str]:
        """Yield the lines, with their ends, from the first one on."""
        self.number = 0
        try:
            with _opened(self.path, self._member) as file:
                # The signature some editors put in front belongs to no column's name.
                line = file.readline(LONGEST).removeprefix(_SIGNATURE)
                while line:
                    self.number += 1
                    if len(line) == LONGEST:
                        raise self._too_long()
                    yield line.decode()
                    line = file.readline(LONGEST)
        except FileNotFoundError:
            raise SettingError(
                f"{str(self.path)!r} does not exist; give the path of a file"
            ) from None
        except UnicodeDecodeError as error:
            raise SettingError(
                f"{self.place()} is not UTF-8 text ({error.reason}); convert the file"
            ) from error
        except (
            BadZipFile,
            EOFError,
            NotImplementedError,  # a way of packing that is not known here
            OSError,
            lzma.LZMAError,
            zlib.error,
        ) as error:
            raise SettingError(f"{self.place()} and on cannot be read: {error}") from error

    def _too_long(self) -> SettingError:
        return SettingError(
            f"{self.place()} is longer than {LONGEST >> 20} MiB; end every row with a line end"
        )

    def place(self) -> str:
        """Return the file and the line last given."""
        return f"{str(self.path)!r} line {self.number}"

    def empty(self) -> SettingError:
        """Return the error for a file without rows."""
        return SettingError(f"{str(self.path)!r} has no rows; give a file that has some")


@contextmanager
def _opened(path: Path, member: str) -> Iterator[IO[bytes]]:
    ending = path.suffix.lower()
    if ending == ".gz":
        # A buffer of its own gives lines twice as fast as gzip's.
        with gzip.open(path, "rb") as packed, BufferedReader(packed) as file:
            yield file
    elif ending == ".zip":
        with (
            ZipFile(path) as archive,
            _member(path, archive, member) as packed,
            BufferedReader(packed) as file,
        ):
            yield file
    else:
        with path.open("rb") as file:
            yield file


def _member(path: Path, archive: ZipFile, ending: str) -> Any:
    """Open the one member of that ending; the copies that macOS adds are none."""
    names = [each.filename for each in archive.infolist() if not each.is_dir()]
    names = [name for name in names if not name.startswith("__MACOSX/")]
    fitting = [name for name in names if name.lower().endswith(ending)]
    if len(fitting) != 1:
        found = ", ".join(map(repr, (fitting or names)[:9])) or "nothing"
        raise SettingError(
            f"{str(path)!r} must hold one {ending} file, and holds {found}; unpack it, and "
            "give the file or the folder"
        )
    try:
        return archive.open(fitting[0])
    except RuntimeError as error:
        # That is a password, which is not asked for here.
        raise SettingError(f"{str(path)!r} cannot be unpacked: {error}") from error


def scannable(path: Path) -> bool:
    """Return whether the file, a .zip unpacked, is small enough to be read beforehand."""
    size = path.stat().st_size
    if path.suffix.lower() == ".zip":
        with ZipFile(path) as archive:
            size = sum(member.file_size for member in archive.infolist())
    return size <= SCANNED
