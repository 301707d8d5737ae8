"""driftline learn."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from driftline.console import Stop, set_up_logging, sum_up, tell
from driftline.options import MODEL, Common, Learning, Named
from driftline.settings import challengers, config_and_run, labels, open_stream, spec

if TYPE_CHECKING:
    from learner.summary import Summary


def learn(
    *,
    common: Common | None = None,
    learning: Learning | None = None,
    named: Named | None = None,
    turn: int = 2000,
    turn_seconds: float = 0.01,
    delivery: Literal["exactly-once", "at-least-once"] = "exactly-once",
    member: str | None = None,
    workers: int = 1,
    breaker: float | Literal["off"] = 0.5,
    until_end: bool = False,
    rebuild: bool = False,
    accept_versions: bool = False,
    fresh: bool = False,
    from_: Annotated[str | None, Parameter(name="--from")] = None,
    to: str | None = None,
    answer: str = "asked",
    port: int | None = None,
    host: str = "127.0.0.1",
) -> int:
    """Guess, score and learn the samples of the stream, in that order.

    Started again, it goes on where it stopped: nothing is lost, and nothing is said twice
    that cannot be told apart.

    Parameters
    ----------
    turn
        Records of one commit, at most.
    turn_seconds
        Seconds for which the first of them waits for more.
    delivery
        exactly-once, or at-least-once on Kafka: there an outcome may be said again.
    member
        Name of this one of several learners of a name that share a stream's partitions on
        Kafka; started again under it, it takes its old place at once.
    workers
        Processes on this machine that share the partitions; when one fails, all end.
    breaker
        Share of dead letters among a partition's last 1,000 records above which the learner
        pauses for a person to look; off for never.
    until_end
        Stop at the end of the stream as it stands now.
    accept_versions
        Take a checkpoint that other versions of the libraries have made, if the guesses
        it remembers come out the same here.
    rebuild
        Replay the stream from the old start into a new state, in silence.
    fresh
        Begin with a new state where the old one stands.
    from_
        Learn a range of the past, from this record on: OFFSET or PARTITION:OFFSET,… It has a
        state and, unless given one, a name of its own, and ends by itself.
    to
        The record behind the last of that range, written alike. Default: the end as it is now.
    answer
        Samples that get a prediction: asked (questions only), all or none.
    port
        Answer questions and /metrics over HTTP at this port, 0 for a free one; of several
        workers each at its own, one after the other from here. Default: do not.
    host
        Address to answer at; the default is for this machine alone.
    """
    from learner.learner import Learner
    from learner.loop import learn as run

    common = common or Common()
    set_up_logging(verbose=common.verbose)
    named = named or Named()
    config, how = config_and_run(
        common.address,
        name=named.name,
        state=named.state,
        until_end=until_end,
        settings={
            **settings_of(learning or Learning()),
            "key_file": named.key_file,
            "turn": turn,
            "turn_seconds": turn_seconds,
            "delivery": delivery,
            "member": member,
            "accept_versions": accept_versions,
            "breaker": breaker,
            "rebuild": rebuild,
            "fresh": fresh,
            "begin": from_,
            "end": to,
            "answer": answer,
            "port": port,
            "host": host,
        },
    )
    Learner(config, 0, 0)  # a model that cannot be makes no log
    if workers != 1:
        from driftline.workers import learn as run_all

        log = open_stream(common.address, create=how.waits)
        try:
            with Stop().on_signals() as stop:
                summary, failed = run_all(
                    *(log, common.address, config, how),
                    workers=workers,
                    verbose=common.verbose,
                    stop=stop,
                )
        finally:
            log.close()
        _tell_summary(summary, common)
        return failed or _code(summary, stop)
    log = open_stream(common.address, create=how.waits)
    try:
        with Stop().on_signals() as stop:
            summary = run(log, config, how, stopping=stop)
    finally:
        log.close()
    _tell_summary(summary, common)
    return _code(summary, stop)


def _tell_summary(summary: Summary, common: Common) -> None:
    from driftline.refused import advice

    sum_up(summary.as_dict(), as_json=common.json, title="learned")
    if summary.dead * 2 > summary.samples:
        tell(
            f"driftline: {summary.dead:,} dead letters for {summary.samples:,} samples, "
            f"{advice(summary.dead_by_reason, summary.task)}; 'driftline dead' shows them"
        )


def _code(summary: Summary, stop: Stop) -> int:
    if summary.dead and not summary.samples:
        return stop.exit_code or 1
    return stop.exit_code


def settings_of(learning: Learning) -> dict[str, object]:
    """Return the options in the form that `learner.config.Config` takes."""
    settings = dataclasses.asdict(learning)
    settings["model"] = spec(MODEL if learning.model is None else learning.model)
    settings["policy"] = spec(learning.policy)
    settings["detector"] = spec(learning.detector)
    settings["challengers"] = challengers(learning.challengers)
    settings["promotion"] = spec(learning.promotion)
    settings["classes"] = labels(learning.classes)
    return settings
