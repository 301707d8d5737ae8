"""What came of a turn, said: on the topics, to a person, and to who counts."""

from __future__ import annotations

import socket

from learner.counts import Counts
from learner.messages import Topics, send
from learner.models.presets import named
from learner.places import Part
from learner.policies.table import name_of
from learner.resources import event_time, header
from learner.turn import Turn
from stream.topic import Batch, Topic, Writer

_NAME = 200
"""Bytes kept of a model's name."""


class Teller:
    """Appends to the topics what comes of the `samples`, with headers that say whose it is."""

    def __init__(self, samples: Topic, topics: Topics, writer: Writer, counts: Counts) -> None:
        self._topics, self._writer, self._counts = topics, writer, counts
        self._origin = {
            "host": socket.gethostname().encode(),
            "topic": samples.name.encode(),
            "identity": samples.identity.encode(),
        }

    def tell(
        self,
        part: Part,
        batch: Batch,
        turn: Turn,
        seconds: float,
        *,
        commit: float | None,
        paused: bool,
    ) -> None:
        """Say what came of a partition's turn, which took so many seconds to learn.

        `commit` is what the commit before took; `paused` that the breaker is open behind it.
        """
        learner = part.learner
        resources = header(
            turn.timed,
            event_time(batch.entries, learner.reading.any),
            turn=seconds,
            commit=commit,
            account=part.store.account,
            model_parameters=part.parameters,
            paused=paused,
        )
        config = learner.config
        headers = {
            **self._origin,
            "resources": resources,
            "start": str(learner.start).encode(),
            "config": config.hash.encode(),
            "model": named(config.model).encode(errors="replace")[:_NAME],
            "policy": name_of(config.policy).encode(),
        }
        send(turn, learner.totals, learner.partition, self._topics, self._writer, headers)
        part.progress.say(turn)
        self._counts.told(turn, seconds)
