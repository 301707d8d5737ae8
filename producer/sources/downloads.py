"""Data sets of River's that are fetched on first use, into River's own cache."""

from __future__ import annotations

import csv
import http.client
import logging
import lzma
import os
import shutil
import socket
import tarfile
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from traceback import clear_frames
from typing import Any
from urllib.error import HTTPError
from zipfile import BadZipFile

from producer.sources.files import SCANNED
from producer.sources.source import Flaw, Pair
from stream.errors import SettingError

_log = logging.getLogger("driftline.producer")

PATIENCE = 30.0
"""Seconds that a server may be silent."""

_UNREADABLE = (
    EOFError,
    LookupError,
    OSError,
    TypeError,
    ValueError,
    csv.Error,
    zlib.error,
)


def home() -> Path:
    """Return River's cache: `RIVER_DATA`, else `river_data` in the user's own folder."""
    return Path(os.environ.get("RIVER_DATA", "~/river_data")).expanduser()


def bytes_to_fetch(dataset: Any) -> int | None:
    """Return the size of a set that is not in the cache, None for one that is."""
    # To ask River makes the cache, which merely looking should not.
    there = home().is_dir() and dataset.is_downloaded
    return None if there else int(dataset.size)


def fetch(name: str, dataset: Any) -> None:
    """Bring a set into River's cache, unless it is there.

    Raises `SettingError` when that fails; nothing half done is then left where it could be
    taken for the whole.
    """
    size = bytes_to_fetch(dataset)
    if size is None:
        return
    folder = home() / type(dataset).__name__
    _log.warning(
        "%s is fetched once, %s, from %s into %s", name, _size(size), dataset.url, folder
    )
    try:
        with _undone_on_failure(folder), _patience():
            dataset.download(verbose=False)
            if not dataset.is_downloaded:
                raise SettingError(
                    f"{name} came from {dataset.url} in another size than {size:,} bytes, and "
                    "may have changed there; give the path of a file of it"
                )
    except (
        OSError,
        EOFError,
        RuntimeError,
        BadZipFile,
        http.client.HTTPException,
        lzma.LZMAError,
        tarfile.TarError,
        zlib.error,
    ) as error:
        if isinstance(error, HTTPError):
            # It is the answer as well, and holds the connection.
            error.close()
        said = " ".join(str(getattr(error, "reason", error)).split()) or type(error).__name__
        raise SettingError(
            f"{name} has to be fetched from {dataset.url}, which failed ({said}); try again "
            f"with a network, or put the unpacked file where River looks, {str(dataset.path)!r}"
        ) from error


def read(dataset: Any) -> Iterator[Pair | Flaw]:
    """Yield the rows of a set that is in the cache, with features named by texts.

    Raises `SettingError` when the file is not what River expects.
    """
    limit, pairs = csv.field_size_limit(), iter(dataset)
    try:
        for x, y in pairs:
            yield {str(name): value for name, value in x.items()}, y
    except _UNREADABLE as error:
        said = " ".join(str(error).split())
        with _unfinished():
            clear_frames(error.__traceback__)
        raise SettingError(
            f"{str(dataset.path)!r} is not the file River knows ({said}); remove it, to fetch "
            "it anew"
        ) from error
    finally:
        # River lifts its limit, and closes its file, only at the end of all rows.
        csv.field_size_limit(limit)
        with _unfinished():
            pairs.close()
            del pairs


@contextmanager
def _unfinished() -> Iterator[None]:
    """Let River's open file go without a word."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        yield


def scannable(dataset: Any) -> bool:
    """Return whether a set is small enough to be read beforehand."""
    return int(dataset.size) <= SCANNED


@contextmanager
def _undone_on_failure(folder: Path) -> Iterator[None]:
    """Remove a folder that was not there before, when it is left with an exception."""
    there = folder.exists()
    try:
        yield
    except BaseException:
        if not there:
            shutil.rmtree(folder, ignore_errors=True)
        raise


@contextmanager
def _patience() -> Iterator[None]:
    """Let no server be silent for ever: River's download sets no limit of its own."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(PATIENCE)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _size(size: float) -> str:
    """Return a number of bytes for a person.

    >>> _size(3_091_689)
    '3.1 MB'
    """
    for unit in ("bytes", "kB", "MB"):
        if size < 1000:
            return f"{size:.1f} {unit}" if unit != "bytes" else f"{size:.0f} bytes"
        size /= 1000
    return f"{size:.1f} GB"
