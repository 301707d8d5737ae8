"""From a turn to messages on the learner's topics."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

from learner.turn import Turn
from stream.records import Outcomes, Totals, encode
from stream.topic import Writer, topic_of

_SIZE = 512 * 1024
"""Bytes of one outcomes message, at most; a Kafka broker takes 1 MiB unless told otherwise."""
_DEAD = 64 * 1024
"""Bytes kept of a refused record."""
_TEXT = 1024
"""Bytes kept of the sentence that says why."""


@dataclass(frozen=True, slots=True)
class Topics:
    """The names of a learner's topics."""

    outcomes: str
    predictions: str
    dead: str

    @classmethod
    def of(cls, stream: str, learner: str) -> Topics:
        """Return the names for a learner of a stream."""
        kinds = ("outcomes", "predictions", "dead")
        return cls(*(topic_of(stream, learner, kind) for kind in kinds))


def send(
    turn: Turn,
    totals: Totals,
    partition: int,
    topics: Topics,
    writer: Writer,
    origin: dict[str, bytes],
) -> None:
    """Append all that a turn says to the topics; `origin` are headers of every outcome."""
    for message in outcomes_of(turn, totals):
        writer.append(topics.outcomes, message, partition=partition, headers=origin)
    for prediction in turn.predictions:
        writer.append(
            topics.predictions,
            encode(prediction),
            partition=partition,
            key=str(prediction.id).encode(),
        )
    for offset, value, error in turn.dead:
        headers = {
            "reason": error.reason.encode(),
            "message": str(error).encode(errors="replace")[:_TEXT],
            "partition": str(partition).encode(),
            "offset": str(offset).encode(),
            "size": str(len(value)).encode(),
        }
        writer.append(topics.dead, value[:_DEAD], partition=partition, headers=headers)


def outcomes_of(turn: Turn, totals: Totals) -> list[bytes]:
    """Return the turn as outcomes messages, each within the size a log takes.

    The ranges `first` to `last` of the messages join up; only the last one has totals.
    """
    return _cut(turn, turn.first, turn.next, totals)


def _cut(turn: Turn, first: int, next_: int, totals: Totals | None) -> list[bytes]:
    offsets = turn.transposed()[0]
    start, stop = (bisect_left(offsets, at) for at in (first, next_))
    events = [event for event in turn.events if first <= event[0] < next_]
    message = encode(
        Outcomes(
            first=first,
            last=next_ - 1,
            rows=turn.columns(start, stop),
            events=events,
            totals=totals,
        )
    )
    if len(message) <= _SIZE:
        return [message]
    said = sorted({*offsets[start:stop]} | {event[0] for event in events})
    if len(said) < 2:
        return [message]
    border = said[len(said) // 2]
    return [*_cut(turn, first, border, None), *_cut(turn, border, next_, totals)]
