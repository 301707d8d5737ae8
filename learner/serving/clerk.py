"""Answers questions on the learner's own thread, wherever it stands between two records."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import Any

from learner.consulting import consult
from learner.learner import Learner
from learner.models.model import Guess
from learner.reading import Decode
from learner.serving.desk import About, Asked, Desk, Refused
from learner.serving.questions import Served
from stream.errors import RecordError, StreamError
from stream.records import UNSET, encode
from stream.topic import Batch, Log

_log = logging.getLogger("driftline.learner")
_PIECES = (500, 9500)
"""How many predictions are looked through for one, from the end backwards."""
_LATEST = 8
"""Records looked at, from the end of a batch, for a sample that has features."""


class Clerk:
    """Takes what lies on a desk to the learners, and back.

    `learners` gives those of its own partitions, `partitions` how many there are in all;
    `predictions` is the name of the topic in which a learner has answered the questions that
    came as records.
    """

    def __init__(
        self,
        desk: Desk,
        log: Log,
        predictions: str,
        learners: Callable[[], Mapping[int, Learner]],
        partitions: Callable[[], int],
    ) -> None:
        self._desk, self._log, self._topic = desk, log, predictions
        self._learners, self._partitions = learners, partitions

    def know(self, said: Mapping[int, int]) -> None:
        """Note how far each partition is; up to `said` it only learns again."""
        learners = self._learners()
        self._desk.spare = not learners
        if not learners:
            self._desk.about = None
            return
        first = learners[min(learners)]
        ready = {p: learner.cursor >= said[p] for p, learner in learners.items()}
        about = About(first.task, first.config.hash, ready, self._partitions())
        if about != self._desk.about:
            self._desk.about = about

    def note(self, batch: Batch, read: Decode) -> None:
        """Note the newest sample that has features, if it is near the end."""
        for _, value in reversed(batch.entries[-_LATEST:]):
            with contextlib.suppress(RecordError):
                record = read(value)
                if record.x is not UNSET and record.x:
                    self._desk.newest = record
                    return

    def between(self, partition: int) -> Callable[[int], None]:
        """Return what to call between two records of a partition, with the next offset."""
        waiting = self._desk.guesses

        def answer(reached: int) -> None:
            if waiting:
                self.answer({partition: reached})

        return answer

    def wait(self, seconds: float) -> None:
        """Answer what is asked within so many seconds, or up to the first answer."""
        if not self._desk.guesses and not self._desk.lookups:
            self._desk.wait(seconds)
        self.answer({})
        self.look_up()

    def answer(self, reached: Mapping[int, int]) -> None:
        """Answer all that wait for guesses; `reached` is where a partition stands in a turn."""
        taken = self._desk.take()
        if not taken:
            return
        learners = self._learners()
        answers: list[tuple[Asked, Any]] = []
        for p in dict.fromkeys(asked.partition for asked in taken):
            of_this = [asked for asked in taken if asked.partition == p]
            if p not in learners:
                gone = Refused(503, "moved", f"partition {p} is another learner's now")
                answers += [(asked, gone) for asked in of_this]
                continue
            at = reached.get(p, learners[p].cursor)
            answers += [*zip(of_this, _answers(learners[p], of_this, at), strict=True)]
        self._desk.give(answers)

    def look_up(self) -> None:
        """Answer one who wants to know what became of a question; it may take a while."""
        asked = self._desk.take_lookup()
        if asked is not None:
            self._desk.give([(asked, self._found(asked))])

    def _found(self, asked: Asked) -> Any:
        for learner in self._learners().values():
            if asked.id in learner.waiting:
                return encode(learner.prediction(learner.waiting[asked.id]))
        try:
            found = self._search(asked)
        except StreamError as error:
            return Refused(503, "log_failed", str(error))
        return found or Refused(
            404,
            "unknown_id",
            f"no question of id {asked.id!r} waits, and none of the last {sum(_PIECES)} "
            f"predictions of partition {asked.partition} is for it; where there are several "
            "partitions, 'partition' or 'key' says which",
        )

    def _search(self, asked: Asked) -> bytes | None:
        """Return the newest prediction of that id, from the end of its partition."""
        topic, key = self._log.topic(self._topic), asked.id.encode()
        stop, first = topic.end()[asked.partition], topic.first()[asked.partition]
        for piece in _PIECES:
            start = max(first, stop - piece)
            found = [e for e in topic.scan(asked.partition, start, stop) if e.key == key]
            if found:
                return found[-1].value
            stop = start
        return None


def _answers(learner: Learner, asked: Sequence[Asked], at: int) -> list[Any]:
    """Return for each question a list of `Served`, or the error it comes to."""
    every = [x for each in asked for x in each.xs or ()]
    try:
        guesses = iter(consult(learner, every))
        return [_served(learner, [*islice(guesses, len(each.xs or ()))], at) for each in asked]
    except RecordError as error:
        if len(asked) == 1:
            return [error]
    except Exception as error:  # noqa: BLE001 - whoever asks must not be able to end a learner
        _log.exception("a question could not be answered")
        return [Refused(500, "failed", f"the model failed: {type(error).__name__}")] * len(
            asked
        )
    return [_answers(learner, [each], at)[0] for each in asked]


def _served(learner: Learner, guesses: Sequence[Guess], at: int) -> list[Served]:
    place = f"samples[{learner.partition}]@{at}"
    named = map(learner.named, guesses)
    return [Served(y_pred, place, learner.partition, p=p) for y_pred, p in named]
