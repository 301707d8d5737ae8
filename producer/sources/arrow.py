"""Parquet files and Arrow's own (IPC, Feather), batch by batch."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import repeat
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import ipc, parquet

from producer.sources.arrow_columns import Column, columns_of
from producer.sources.files import scannable
from producer.sources.source import Pair, Source, chosen_label
from stream.errors import SettingError

BATCH = 2_000
"""Rows turned into Python's own values at once."""
_BUFFER = 1 << 20

Batches = Callable[[Sequence[str] | None], Iterator[Any]]
"""Record batches from the first one on, of the named top-level columns or of all."""


def open_parquet(path: Path, label: str | None) -> Source:
    """Return the rows of a Parquet file, of which one row group at most is held.

    Raises `SettingError` when the file is missing, is damaged, has no column `label`, or has
    one that holds lists.
    """

    def batches(names: Sequence[str] | None) -> Iterator[Any]:
        # The buffer makes pyarrow read a column's pages as they are needed.
        with parquet.ParquetFile(path, buffer_size=_BUFFER, pre_buffer=False) as file:
            yield from file.iter_batches(batch_size=BATCH, columns=names)

    with _readable(path), parquet.ParquetFile(path) as file:
        schema, rows = file.schema_arrow, file.metadata.num_rows
    return _source(path, label, schema, batches, rows)


def open_ipc(path: Path, label: str | None) -> Source:
    """Return the rows of an Arrow IPC file or stream, of which one batch at most is held.

    Feather's second version is such a file. Raises `SettingError` as `open_parquet` does,
    and for Feather's first version.
    """

    def batches(names: Sequence[str] | None) -> Iterator[Any]:
        with _ipc_reader(path) as reader:
            if hasattr(reader, "get_batch"):
                found = map(reader.get_batch, range(reader.num_record_batches))
            else:
                found = iter(reader)
            for batch in found:
                # An offset that points out of its buffer would end the whole process.
                batch.validate(full=True)
                for start in range(0, batch.num_rows, BATCH):
                    yield batch.slice(start, BATCH)

    with _readable(path), _ipc_reader(path) as reader:
        schema = reader.schema
    return _source(path, label, schema, batches, None)


@contextmanager
def _ipc_reader(path: Path) -> Iterator[Any]:
    with pa.OSFile(os.fspath(path)) as file:
        magic = file.read(6)
        file.seek(0)
        if magic.startswith(b"FEA1"):
            raise SettingError(
                f"{str(path)!r} is of Feather's first version; write it anew with its second"
            )
        opened = ipc.open_file if magic == b"ARROW1" else ipc.open_stream
        with opened(file) as reader:
            yield reader


def _source(
    path: Path, label: str | None, schema: Any, batches: Batches, rows_known: int | None
) -> Source:
    columns = columns_of(path, schema)
    chosen_label(path, label, [column.name for column in columns])
    features = [column for column in columns if column.name != label]
    names = [column.name for column in features]
    (target,) = [column for column in columns if column.name == label] or (None,)

    def rows() -> Iterator[Pair]:
        read = 0
        with _readable(path, lambda: read):
            for batch in batches(None):
                labels = target.take(batch) if target else repeat(None, batch.num_rows)
                values = zip(*(column.take(batch) for column in features), strict=True)
                xs = values if features else repeat((), batch.num_rows)
                for x, y in zip(xs, labels, strict=True):
                    yield dict(zip(names, x, strict=True)), y
                read += batch.num_rows

    def labels(target: Column) -> Iterator[Any]:
        with _readable(path):
            for batch in batches([target.path[0]]):
                yield from target.within(batch).take(batch)

    return Source(
        name=path.name,
        rows=rows,
        label=label,
        columns=names,
        kinds={column.name: column.kind for column in columns if column.kind},
        ready=frozenset(column.name for column in columns if column.ready),
        labels=(lambda: labels(target)) if target else None,
        finite=scannable(path),
        rows_known=rows_known,
    )


@contextmanager
def _readable(path: Path, read: Callable[[], int] = lambda: 0) -> Iterator[None]:
    """Say in one sentence what pyarrow says of a file it cannot read."""
    try:
        yield
    except FileNotFoundError:
        raise SettingError(f"{str(path)!r} does not exist; give the path of a file") from None
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        said = " ".join(str(error).split())[:200].rstrip(".")
        place = f" row {read()} and on" if read() else ""
        raise SettingError(f"{str(path)!r}{place} cannot be read: {said}") from error
