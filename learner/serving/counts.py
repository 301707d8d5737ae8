"""What was asked of a learner over HTTP, for whoever scrapes it."""

from __future__ import annotations

from learner.serving.desk import Desk
from stream.metrics import Computed, Described, Told

_REQUESTS = "driftline_learner_requests"

ASKED = (
    Described(
        f"{_REQUESTS}_total",
        "Questions over HTTP, by outcome: answered or refused.",
        ("outcome",),
    ),
    Described(f"{_REQUESTS}_in_progress", "Questions over HTTP that wait for an answer."),
    Described(
        "driftline_learner_breaker_open",
        "1 where the learner has paused, as most records are refused; else 0.",
    ),
)


def asked_of(desk: Desk, stream: str) -> Computed:
    """Return what the desk of a learner of a stream tells when it is scraped."""

    def tell() -> Told:
        yield f"{_REQUESTS}_total", ("answered",), desk.asked
        yield f"{_REQUESTS}_total", ("refused",), desk.refused
        yield f"{_REQUESTS}_in_progress", (), desk.under_way
        yield "driftline_learner_breaker_open", (), float(desk.paused is not None)

    return Computed(ASKED, tell, {"stream": stream, "learner": desk.name})
