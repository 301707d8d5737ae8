"""What is asked at /predict, and what is answered: JSON, checked as a record is."""

from __future__ import annotations

from itertools import islice
from typing import NamedTuple

import msgspec

from stream.errors import RecordError
from stream.records import Features, Int, Label, decode, reader
from stream.topic import partition_of

MAX_BODY = 1024 * 1024
"""Bytes of one request, at most."""
MOST = 256
"""Samples of one request, at most."""
_TOLD = 10
"""Names of unknown features that are told, at most."""


class Question(NamedTuple):
    """What one request asks: guesses for samples, and where they would have stood."""

    xs: list[Features]
    many: bool
    """Whether it was a list, so that the answer is one."""
    id: int | str | None
    key: int | str | None
    partition: int | None


class Served(msgspec.Struct, omit_defaults=True):
    """A guess for a sample that is no record.

    `y_pred` and `p` are those of `stream.records.Prediction`. `at` is the record in whose
    place the sample would have got this guess: the next one the learner was to take.
    `unknown` are names of features, 10 at most, that the newest sample of the stream has not:
    slips, perhaps, of which a model says nothing.
    """

    y_pred: Label | None
    at: str
    partition: int
    id: int | str | None = None
    p: dict[str, float] | None = None
    unknown: list[str] = []

    def compare(self, asked: Features, newest: Features) -> None:
        """Note which features that were asked are not among the newest sample's, if any."""
        if newest:
            self.unknown = [*islice((name for name in asked if name not in newest), _TOLD)]


class _Body(msgspec.Struct):
    x: msgspec.Raw
    id: Int | str | None = None
    key: Int | str | None = None
    partition: int | None = None


_read_body = reader(_Body)
_read_list = reader(list[msgspec.Raw])


def decode_question(body: bytes) -> Question:
    """Return what a body asks. Raises `RecordError`, with the reasons that `decode` has."""
    asked: _Body = _read_body(body)
    text = bytes(asked.x)
    if not text.startswith(b"["):
        return Question([_sample(text)], False, asked.id, asked.key, asked.partition)
    parts: list[msgspec.Raw] = _read_list(text)
    if not 1 <= len(parts) <= MOST:
        raise RecordError(
            "too_many_samples" if parts else "no_content",
            f"x has {len(parts)} samples, 1 to {MOST} are allowed in one request",
        )
    xs = []
    for place, part in enumerate(parts):
        try:
            xs.append(_sample(bytes(part)))
        except RecordError as error:
            raise RecordError(error.reason, f"x[{place}]: {error}") from None
    return Question(xs, True, asked.id, asked.key, asked.partition)


def _sample(text: bytes) -> Features:
    """Read features as those of a record: by the same limits, refused by the same codes."""
    x: Features = decode(b'{"x":%b}' % text).x  # type: ignore[assignment]
    return x


def features_of(x: dict[str, object]) -> Features:
    """Return features that came by another way, checked as those of a record."""
    return _sample(msgspec.json.encode(x))


def place_of(
    partitions: int, *, partition: int | None, key: int | str | None, id: int | str | None
) -> int:
    """Return the partition that a question is for. Raises `RecordError`."""
    if partition is not None:
        if not 0 <= partition < partitions:
            raise RecordError(
                "unknown_partition",
                f"partition must be 0 to {partitions - 1}, got {partition}",
            )
        return partition
    name = id if key is None else key
    if name is not None:
        return partition_of(str(name).encode(), partitions)
    if partitions > 1:
        raise RecordError(
            "no_partition",
            f"there are {partitions} partitions with a model each; say which by 'partition', "
            "or by the 'key' or 'id' that the records have",
        )
    return 0
