"""What a process is set to while it learns, and set back from."""

from __future__ import annotations

import contextlib
import gc
import sys
from collections.abc import Iterator

from learner.models.model import Model

_TURNS = 0.0005
"""Seconds a thread works while another waits for its turn."""


@contextlib.contextmanager
def hot() -> Iterator[None]:
    """Let the garbage collector look less often while rows are made by the thousand.

    And let the thread that commits have its turns soon: each of its steps would else wait
    for the 5 ms that Python gives the one at work.
    """
    before, interval = gc.get_threshold(), sys.getswitchinterval()
    gc.collect()
    gc.freeze()  # what is there now need not be looked at again by `_save`
    gc.set_threshold(100_000, 50, 100)
    sys.setswitchinterval(_TURNS)
    try:
        yield
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)
        sys.setswitchinterval(interval)


def one_thread(model: Model) -> contextlib.AbstractContextManager[None]:
    """Return what keeps a model's arithmetic on one thread, where that matters."""
    if model.one_by_one:
        return contextlib.nullcontext()  # it multiplies no matrices
    from learner.models import sklearn

    return sklearn.one_thread()
