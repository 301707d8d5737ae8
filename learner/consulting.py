"""What a learner would guess, asked by one who is no record of its stream."""

from __future__ import annotations

from collections.abc import Sequence

from learner.learner import Learner
from learner.models.model import Guess, ModelError
from learner.refusing import check_numbers, model_error
from stream.errors import RecordError
from stream.records import Features


def consult(learner: Learner, xs: Sequence[Features]) -> Sequence[Guess]:
    """Return guesses for samples that are no records.

    Raises `RecordError` for one that the model cannot take.
    """
    model = learner.policy.model
    if model.skips_missing:
        xs = [{name: v for name, v in x.items() if v is not None} for x in xs]
    try:
        if model.numbers_only:
            for x in xs:
                check_numbers(x, learner.config.model, model.task)
        return model.consult(xs)
    except (RecordError, *ModelError) as error:
        if len(xs) == 1:
            raise _refusal(error) from None
    guesses: list[Guess] = []
    for place, x in enumerate(xs):
        try:
            guesses += consult(learner, [x])
        except RecordError as error:
            raise RecordError(error.reason, f"x[{place}]: {error}") from None
    return guesses


def _refusal(error: Exception) -> RecordError:
    return error if isinstance(error, RecordError) else model_error(error)
