"""What the doctor found, for the tests that look at it."""


class Findings(list):
    """The findings of one round, as `doctor --json` gives them."""

    def of(self, step, status=None):
        """Return what was found by a step, as one text."""
        return "\n".join(
            f"{f['found']}; {f['advice']}"
            for f in self
            if f["step"] == step and status in (None, f["status"])
        )

    def statuses(self, step):
        """Return the statuses of a step."""
        return [f["status"] for f in self if f["step"] == step]
