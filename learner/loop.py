"""A learner: it opens what it needs, works in one seat after the other, and sums up."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from learner.config import Config
from learner.counts import Counts
from learner.hot import hot, one_thread
from learner.learner import Learner
from learner.lookout import replaced
from learner.messages import Topics
from learner.opening import Stopping, asked_over_http, awaited
from learner.past import enter, let_go, refuse_past
from learner.run import MAIN, Run
from learner.summary import Summary, summarize
from learner.work import Moved, Work
from stream.errors import CheckpointError, SeatLost, TopicReplaced, TopicTimeout
from stream.span import Span
from stream.topic import Log, Topic, check_name, heeding, samples_of

if TYPE_CHECKING:
    from learner.serving.desk import Desk

_log = logging.getLogger("driftline.learner")


def learn(
    log: Log,
    config: Config,
    run: Run,
    *,
    stopping: Stopping = lambda: False,
    moved: Moved = lambda _: None,
) -> Summary:
    """Learn a stream until `stopping`, or until its end; return the sums.

    `moved` is told the cursors after each turn. Raises `SettingError`, `CheckpointError` and
    the other errors of a stream; what was committed before is then still there, and a new
    start goes on from it.
    """
    check_name(run.name, "learner")
    # A wrong setting is said before anything is opened or waited for.
    model = Learner(config, 0, 0).policy.model
    topic = config.topic or samples_of(log.stream)
    counts = Counts(log.stream, run.name)
    with (
        heeding(log, stopping),
        asked_over_http(log, run.name, run.host, run.port, stopping, counts) as (desk, port),
    ):
        patient = not (run.until_end or run.past)
        samples = awaited(log, topic, stopping, patient=patient)
        if samples is None:
            summary = summarize([], 0.0, 0)
        else:
            run, span = _settled(log, samples, config, run)
            with hot(), one_thread(model):
                summary = _lives(log, samples, config, run, span, stopping, moved, desk, counts)
            if span is not None:
                summary = replace(summary, name=run.name)
                let_go(log, run.name, summary.cursor, span)
    if desk is None:
        return summary
    _log.info("asked=%d refused=%d", desk.asked, desk.refused)
    return replace(summary, port=port, asked=desk.asked, refused=desk.refused)


def _settled(log: Log, samples: Topic, config: Config, run: Run) -> tuple[Run, Span | None]:
    """Return how to run, and over which range, if not over all there is and will be."""
    if run.past is None:
        refuse_past(log, run.state, run.name)
        return run, None
    # The default is a live learner's.
    name = run.past.name(config, samples) if run.name == MAIN else run.name
    span = enter(run.past, log, samples, config, run.state, name)
    outcomes = Topics.of(log.stream, name).outcomes
    _log.info("past=%s name=%s outcomes=%s", span.text(), name, outcomes)
    return replace(run, name=name, until_end=True), span


def _lives(
    log: Log,
    samples: Topic,
    config: Config,
    run: Run,
    span: Span | None,
    stopping: Stopping,
    moved: Moved,
    desk: Desk | None,
    counts: Counts,
) -> Summary:
    """Learn, and begin anew whenever the seat in the group is lost."""
    end = span.stop if span else samples.end() if run.until_end else {}
    work: Work | None = None
    while True:
        try:
            work = Work(log, samples, config, run, span, end, stopping, moved, desk, counts)
            return work.run()
        except TopicReplaced as error:
            raise CheckpointError(replaced(samples.name, run.name)) from error
        except (SeatLost, TopicTimeout) as error:
            if stopping() or work is None:
                raise
            # Nothing that is in memory can be trusted: all of it goes with the seat.
            _log.warning("%s; joining again", error)
            if work.begun:
                run = replace(run, rebuild=False, fresh=False)
