"""What tests have counted, left in a file for whoever runs the battery."""

import json
import os
from pathlib import Path

FILE = os.environ.get("DRIFTLINE_COUNTS")
"""Where counts go, a line of JSON for each test; nowhere unless told."""


def number(name, short):
    """Return how much of something to do: the environment's `DRIFTLINE_name`, else `short`."""
    return int(os.environ.get(f"DRIFTLINE_{name}", short))


def some(*cases, short):
    """Return the first few of some planted bugs; with `DRIFTLINE_PLANTED` set, all of them."""
    return cases if number("PLANTED", 0) else cases[:short]


def note(test, **counts):
    """Add a line to the file, if there is one; what is no number is left out."""
    if FILE:
        numbers = {k: v for k, v in counts.items() if isinstance(v, int | float)}
        with Path(FILE).open("a") as file:
            file.write(json.dumps({"test": test, **numbers}) + "\n")
