"""What the producer's tests share: files to replay, and the topics that come of them."""

import gzip
import json
import zipfile

import pytest

from producer.replay import Replay, produce
from stream.memory import MemoryLog


@pytest.fixture
def write(tmp_path):
    """Give a function that writes a file of text, packed when its name ends so."""

    def write(name, text):
        path = tmp_path / name
        data = text.encode() if isinstance(text, str) else text
        if name.endswith(".zip") and not data.startswith(b"PK"):
            with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr(name.removesuffix(".zip"), data)
            return str(path)
        path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
        return str(path)

    return write


@pytest.fixture
def table(write):
    """Give a function that writes a CSV file of n rows: day, x, color and a class."""

    def table(n, name="table.csv"):
        hours = (f"2024-01-{1 + i // 24:02}T{i % 24:02}:00:00" for i in range(n))
        rows = (
            f"{hour},{i}.5,{'red' if i % 3 else 'blue'},{i % 2}" for i, hour in enumerate(hours)
        )
        return write(name, "\n".join(["day,x,color,class", *rows]) + "\n")

    return table


@pytest.fixture
def told():
    """Give a function that reads a topic of samples: a list of messages for each partition."""

    def told(log):
        topic = log.topic(f"{log.stream}.samples")
        return [
            [json.loads(entry.value) for entry in topic.scan(p, 0, topic.end()[p])]
            for p in range(topic.partitions)
        ]

    return told


@pytest.fixture
def replayed(told):
    """Give a function that replays into a new log in memory, at time 0, and reads it."""

    def replayed(source, **settings):
        log = MemoryLog()
        produce(log, Replay(source=source, **settings), now=lambda: 0.0)
        return told(log)

    return replayed
