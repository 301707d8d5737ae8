"""A process that dies by SIGKILL when it has come to a place for the n-th time."""

import os
import signal
from functools import wraps

wanted = {}
"""How many times more each place must be reached."""


def reach(place):
    """Note that a place is reached, and die if this was the time to."""
    if place in wanted:
        wanted[place] -= 1
        if wanted[place] == 0:
            os.write(2, f"died at {place}\n".encode())
            os.kill(os.getpid(), signal.SIGKILL)


def around(owner, name, before=None, after=None):
    """Reach a place before a function is called, or once it has returned."""
    function = getattr(owner, name)

    @wraps(function)
    def watched(*args, **kwargs):
        if before:
            reach(before)
        found = function(*args, **kwargs)
        if after:
            reach(after)
        return found

    setattr(owner, name, watched)
