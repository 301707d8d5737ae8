"""A ceiling for what a model may hold, whatever the stream makes it grow to."""

from __future__ import annotations

from learner.models.model import Model
from learner.models.size import opaque, parameters
from stream.errors import SettingError

_EVERY = 1000
"""Samples learned between two looks, at least; a look at a large model takes its time."""


class Ceiling:
    """Tells when a model has outgrown `most` numbers; part of a learner's state.

    It looks after 1,000 samples learned, or after as many as the model held numbers at the
    look before, if those are more: by then a model may be over its ceiling. Numbers are
    counted, not bytes, which are others after a pickle. Raises `SettingError` for a model
    that does not show what it holds.
    """

    def __init__(self, most: int, model: Model) -> None:
        if (kind := opaque(model.parts)) is not None:
            raise SettingError(
                f"max_parameters counts the numbers in a model, and {kind} does not show its "
                "own; leave it out, or choose another model"
            )
        self.most = most
        self._learned, self._next = 0, _EVERY

    def reached(self, model: Model, learned: int = 1) -> bool:
        """Take how many samples were learned since; return whether the model is too large."""
        self._learned += learned
        if self._learned < self._next:
            return False
        size = parameters(model.parts, most=self.most)
        self._learned = 0
        self._next = _EVERY if size > self.most else max(_EVERY, size)
        return size > self.most
