"""How fast files are read, beside each library's own reader.

Ours is `open_source`, `Feed` and all its rows, which are typed and ready to be sent; records
are not encoded. The types are inferred and the label's classes given, so that a file is read
once, as in a second start. The library's own reader gives what it calls rows, as Python's own
values. Both run in one process, in turns, and the ratio is that of neighbours in time.

    python -m benchmarks.sources [--rows 100000] [--rounds 5] [--kind parquet] [--json]
"""

from __future__ import annotations

import argparse
import csv
import gzip
import io
import json
import random
import sys
import tempfile
import zipfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import fastavro
import pyarrow as pa
from pyarrow import ipc, parquet
from river import datasets
from river import stream as river_stream
from river.datasets import synth
from sklearn import datasets as sklearn_datasets
from sklearn.datasets import load_svmlight_file

from benchmarks.pairs import Pair, Stopwatch, Took, compare
from producer.feed import Feed
from producer.sources.table import open_source

SEED = 42
CLASSES = ("DOWN", "UP")
_COLUMNS = ("n0", "n1", "f0", "f1", "f2", "f3", "truth", "word", "day", "class")

Reader = Callable[[Path], Iterable[Any]]


def rows_of(count: int) -> list[dict[str, Any]]:
    """Return rows of ten columns: whole numbers, numbers, a truth, texts, a time, a class."""
    rng = random.Random(SEED)
    return [
        {
            "n0": rng.randrange(100),
            "n1": rng.randrange(10**9),
            **{f"f{i}": rng.gauss(0, 1) for i in range(4)},
            "truth": rng.random() < 0.5,
            "word": rng.choice(["red", "green", "blue"]),
            "day": 1_700_000_000_000_000 + i * 1_000_000,
            "class": rng.choice(CLASSES),
        }
        for i in range(count)
    ]


def write(folder: Path, rows: list[dict[str, Any]]) -> None:
    """Write the rows in every form there is."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(_COLUMNS)
    writer.writerows([*row.values()] for row in rows)
    data = text.getvalue().encode()
    (folder / "a.csv").write_bytes(data)
    (folder / "a.csv.gz").write_bytes(gzip.compress(data))
    with zipfile.ZipFile(folder / "a.csv.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", data)
    (folder / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    _write_arrow(folder, rows)
    _write_avro(folder, rows)
    _write_arff(folder, rows)
    lines = (
        f"{CLASSES.index(row['class'])} "
        + " ".join(f"{at}:{row[name]}" for at, name in enumerate(_COLUMNS[:6], 1))
        for row in rows
    )
    (folder / "a.libsvm").write_text("\n".join(lines) + "\n")
    days = folder / "days"
    days.mkdir()
    for number in range(4):
        lines = text.getvalue().splitlines(keepends=True)
        size = len(rows) // 4
        part = lines[1 + number * size : 1 + (number + 1) * size]
        (days / f"{number}.csv").write_text(lines[0] + "".join(part), newline="")


def _write_arrow(folder: Path, rows: list[dict[str, Any]]) -> None:
    table = pa.Table.from_pylist(rows)
    at = table.schema.get_field_index("day")
    table = table.set_column(at, "day", table.column("day").cast(pa.timestamp("us")))
    parquet.write_table(table, folder / "a.parquet", row_group_size=20_000)
    with ipc.new_file(folder / "a.arrow", table.schema) as writer:
        writer.write_table(table, max_chunksize=20_000)


def _write_avro(folder: Path, rows: list[dict[str, Any]]) -> None:
    kinds: dict[str, Any] = {name: "double" for name in _COLUMNS if name[0] == "f"}
    kinds |= {"n0": "int", "n1": "long", "truth": "boolean", "word": "string"}
    kinds["day"] = {"type": "long", "logicalType": "timestamp-micros"}
    kinds["class"] = "string"
    fields = [{"name": name, "type": kinds[name]} for name in _COLUMNS]
    with (folder / "a.avro").open("wb") as file:
        schema = {"type": "record", "name": "row", "fields": fields}
        fastavro.writer(file, schema, rows, codec="deflate")


def _write_arff(folder: Path, rows: list[dict[str, Any]]) -> None:
    nominal = {"truth": "{True,False}", "word": "{red,green,blue}", "class": "{DOWN,UP}"}
    head = [f"@attribute {name} {nominal.get(name, 'numeric')}" for name in _COLUMNS]
    lines = (",".join(map(str, row.values())) for row in rows)
    (folder / "a.arff").write_text("\n".join(["@relation r", *head, "@data", *lines, ""]))


def by_csv(path: Path) -> Iterator[Any]:
    """Read with Python's csv, whose values are texts."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive, archive.open("a.csv") as member:
            yield from csv.DictReader(io.TextIOWrapper(member))
    else:
        with (gzip.open if path.suffix == ".gz" else open)(path, "rt") as file:
            yield from csv.DictReader(file)


def by_folder(path: Path) -> Iterator[Any]:
    """Read the files of a folder with Python's csv."""
    for each in sorted(path.iterdir()):
        yield from by_csv(each)


def by_json(path: Path) -> Iterator[Any]:
    """Read with Python's json."""
    with path.open() as file:
        yield from map(json.loads, file)


def by_parquet(path: Path) -> Iterator[Any]:
    """Read with pyarrow, batch by batch, as dictionaries."""
    for batch in parquet.ParquetFile(path).iter_batches(batch_size=10_000):
        yield from batch.to_pylist()


def by_arrow(path: Path) -> Iterator[Any]:
    """Read with pyarrow, batch by batch, as dictionaries."""
    with ipc.open_file(path) as reader:
        for at in range(reader.num_record_batches):
            yield from reader.get_batch(at).to_pylist()


def by_avro(path: Path) -> Iterator[Any]:
    """Read with fastavro."""
    with path.open("rb") as file:
        yield from fastavro.reader(file)


def by_svmlight(path: Path) -> Iterator[Any]:
    """Read with scikit-learn's loader, written in Cython, which holds all in one matrix."""
    _, y = load_svmlight_file(str(path))
    yield from y


def named(text: str, rows: int) -> tuple[str, Reader]:
    """Return a source that is no file, and what reads it without us."""
    own: dict[str, Callable[[], Iterable[Any]]] = {
        "river:Bananas": datasets.Bananas,
        "sklearn:digits": lambda: river_stream.iter_sklearn_dataset(
            sklearn_datasets.load_digits()
        ),
        "synth:Agrawal": lambda: islice(synth.Agrawal(seed=SEED), rows),
    }
    return text, lambda _: own[text]()


def readers(rows: int) -> dict[str, tuple[str, Reader]]:
    """Return what is read, and by which reader, by the name of the comparison."""
    return {
        "csv": ("a.csv", by_csv),
        "csv.gz": ("a.csv.gz", by_csv),
        "csv.zip": ("a.csv.zip", by_csv),
        "jsonl": ("a.jsonl", by_json),
        "parquet": ("a.parquet", by_parquet),
        "arrow": ("a.arrow", by_arrow),
        "avro": ("a.avro", by_avro),
        "arff": ("a.arff", lambda path: river_stream.iter_arff(str(path), target="class")),
        "libsvm": ("a.libsvm", lambda path: river_stream.iter_libsvm(str(path))),
        "libsvm, Cython": ("a.libsvm", by_svmlight),
        "folder": ("days", by_folder),
        "river": named("river:Bananas", rows),
        "sklearn": named("sklearn:digits", rows),
        "synth": named("synth:Agrawal", rows),
    }


def ours(text: str, rows: int) -> Took:
    """Read a source through the feed."""
    watch = Stopwatch()
    watch.start()
    file = ":" not in text
    label = "class" if file and not text.endswith(".libsvm") else None
    classes = None if not file else [0, 1] if label is None else list(CLASSES)
    feed = Feed(open_source(text, label=label, seed=SEED), classes=classes)
    found = _count(islice(feed.read(), rows))
    watch.stop()
    if feed.skipped or not found:
        raise AssertionError(f"{text}: {found} rows, {feed.skipped} left out: {feed.flaws}")
    return watch.took(float(found))


def bare(reader: Reader, path: Path) -> Took:
    """Read a file through its library alone."""
    watch = Stopwatch()
    watch.start()
    found = _count(reader(path))
    watch.stop()
    return watch.took(float(found))


def _count(rows: Iterable[Any]) -> int:
    numbered = deque(enumerate(rows, 1), maxlen=1)
    return numbered[0][0] if numbered else 0


def measure(
    rows: int, rounds: int, kinds: list[str] | None, say: Callable[[str], None]
) -> list[dict[str, object]]:
    """Return the figures of every kind of source; both read the same number of rows."""
    results = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder, rows_of(rows))
        for kind, (what, reader) in readers(rows).items():
            if kinds and kind not in kinds:
                continue
            text = what if ":" in what else str(folder / what)
            path = folder / what
            samples = int(ours(text, rows).accuracy)
            pair = compare(
                Pair(kind, samples),
                lambda reader=reader, path=path: bare(reader, path),
                lambda text=text: ours(text, rows),
                rounds=rounds,
                say=say,
            )
            results.append(pair.as_dict())
    return results


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--kind", action="append")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    results = measure(
        given.rows, given.rounds, given.kind, lambda line: print(line, file=sys.stderr)
    )
    if given.json:
        print(json.dumps(results))
        return
    print(f"{'source':<16}{'rows':>9}{'ours/s':>12}{'bare/s':>12}{'ratio':>8}  of all rounds")
    for each in results:
        print(
            f"{each['name']:<16}{each['samples']:>9,}{each['ours_per_second']:>12,.0f}"
            f"{each['bare_per_second']:>12,.0f}{each['median']:>8.2f}"
            f"  {each['min']:.2f}–{each['max']:.2f}"
        )


if __name__ == "__main__":
    main()
