"""The rights that docs/clusters.md lists, and what needs each of them."""

import re
from pathlib import Path
from typing import NamedTuple

CLUSTERS = (Path(__file__).parent.parent.parent / "docs" / "clusters.md").read_text()


class Row(NamedTuple):
    """A right of the table in docs/clusters.md, for stream `shop` and learner `main`."""

    role: str
    operation: str
    kind: str
    name: str
    pattern: str

    def of(self, stream, learner):
        """Return the same right for another stream and learner."""
        name = re.sub(r"\bmain\b", learner, re.sub(r"\bshop\b", stream, self.name))
        return self._replace(name=name)


def rows():
    """Return every right that the document lists, each operation by itself."""
    found = []
    for line in CLUSTERS.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 5 and cells[4] in ("literal", "prefixed"):
            role, operations, kind, name, pattern = (cell.strip("`") for cell in cells)
            found += [
                Row(role, operation, kind, name, pattern)
                for operation in operations.split(", ")
            ]
    return found


ROWS = rows()
WITHOUT = [f"without{i}" for i in range(len(ROWS))]
ROLES = ("produce", "learn", "monitor")


def place(row):
    """Return the stream and the learner with which a command runs without a right.

    A producer has a stream of its own. A learner reads that of all, under a name of its own;
    a monitor looks at what there is.
    """
    number = ROWS.index(row)
    if row.role == "produce":
        return f"own{number}", "main"
    return "shop", f"n{number}" if row.role == "learn" else "main"


def lives(role, url, name):
    """Yield who runs what, one after the other, until each right has been needed.

    Nobody in particular is the user in question. What is there already is read by one who
    starts again, and what a learner has committed by a monitor that sees it lag.
    """
    yield None, command(role, url, name)
    if role == "monitor":
        yield "produce", command("produce", url, limit=400)
        yield None, ("monitor", "--stream", url, "--name", name, "--port", 0)
    else:
        yield None, command(role, url, name, limit=400)


def command(role, url, name="main", limit=300):
    """Return the words that run a command to the end of the stream."""
    words = {
        "produce": ("--source", "river:Phishing", "--limit", limit),
        "learn": ("--until-end", "--state", f"state-{name}", "--name", name),
        "monitor": ("--until-end", "--name", name),
    }
    return (role, "--stream", url, *words[role], "--json")
