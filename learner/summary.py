"""What a run comes to, in one line."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple

from learner.learner import Learner
from learner.policies.auto import BLEND
from stream.errors import TopicMissing
from stream.records import Totals
from stream.told import newest_outcomes
from stream.topic import Log, topic_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The sums of a learner over all its partitions, since its start.

    `seconds` and `samples_per_second` are of this run alone: from its first sample to its
    last commit. `actions` are warnings and what a policy did, by kind, besides resets, None
    where there was nothing of that. `cursor` is where each partition stands. `arms` has
    accuracy, or mae, of each of several models by name, where there are several, and `serving`
    says which of them serves by then, by partition: blend is all of them. Of one that
    could be asked over HTTP, `port` says where, `asked` and `refused` how many requests got
    an answer or none. Of several processes `workers` says how many. `name` is that under
    which a range of the past was learned.
    """

    samples: int
    scored: int
    task: str
    accuracy: float | None
    mae: float | None
    rmse: float | None
    drifts: int
    improvements: int
    resets: int
    dead: int
    dead_by_reason: dict[str, int]
    pending: int
    seconds: float
    samples_per_second: float
    cursor: dict[str, int]
    actions: dict[str, int] | None = None
    arms: dict[str, float] | None = None
    serving: dict[str, str] | None = None
    port: int | None = None
    asked: int | None = None
    refused: int | None = None
    workers: int | None = None
    name: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the summary without the figures that its task has not."""
        return {key: value for key, value in asdict(self).items() if value is not None}


class Standing(NamedTuple):
    """A partition as the newest outcomes have it."""

    partition: int
    cursor: int
    totals: Totals


def pooled(log: Log, name: str, runs: Sequence[Summary], *, workers: int) -> Summary:
    """Return the summary of several learners of one name that ran at the same time.

    Its sums are those of the newest outcomes, whichever of them said these; the rate is that
    of all together, over the seconds of the one that took longest.
    """
    found = []
    with contextlib.suppress(TopicMissing):
        topic = log.topic(topic_of(log.stream, name, "outcomes"))
        for p in range(topic.partitions):
            newest = newest_outcomes(topic, p)
            if newest is not None and (totals := newest[1].totals) is not None:
                found.append(Standing(p, newest[1].last + 1, totals))
    seconds = max((each.seconds for each in runs), default=0.0)
    samples = sum(round(each.samples_per_second * each.seconds) for each in runs)
    return replace(summarize(found, seconds, samples), workers=workers)


def summarize(learners: Sequence[Learner | Standing], seconds: float, samples: int) -> Summary:
    """Return the summary of a run that took `samples` in `seconds`."""
    totals = [learner.totals for learner in learners]
    task = totals[0].task if totals else "classification"
    scored = sum(each.scored for each in totals)
    finite = scored - sum(each.not_finite for each in totals)
    reasons: dict[str, int] = {}
    for each in totals:
        for reason, count in each.dead.items():
            reasons[reason] = reasons.get(reason, 0) + count
    actions: Counter[str] = Counter()
    for each in totals:
        actions.update(each.actions)
    classes = task == "classification"

    def mean(name: str) -> float | None:
        # One partition: its own running mean, which is River's to the last digit.
        if task != "regression" or not finite:
            return None
        if len(totals) == 1:
            return float(getattr(totals[0], name))
        weights = [each.scored - each.not_finite for each in totals]
        pairs = zip(totals, weights, strict=True)
        return float(sum(getattr(each, name) * weight for each, weight in pairs) / finite)

    mse = mean("mse")
    return Summary(
        samples=sum(each.samples for each in totals),
        scored=scored,
        task=task,
        accuracy=sum(each.correct for each in totals) / scored if classes and scored else None,
        mae=mean("mae"),
        rmse=None if mse is None else mse**0.5,
        drifts=sum(each.drifts for each in totals),
        improvements=sum(each.improvements for each in totals),
        resets=sum(each.resets for each in totals),
        dead=sum(reasons.values()),
        dead_by_reason=reasons,
        pending=sum(each.pending for each in totals),
        seconds=seconds,
        samples_per_second=samples / seconds if seconds else 0.0,
        actions=dict(actions) or None,
        cursor={str(learner.partition): learner.cursor for learner in learners},
        arms=_arms(totals, classes=classes) or None,
        serving={
            str(learner.partition): _serving(each)
            for learner, each in zip(learners, totals, strict=True)
            if each.arms
        }
        or None,
    )


def _serving(totals: Totals) -> str:
    return next((name for name, arm in totals.arms.items() if arm.serving), BLEND)


def _arms(totals: Sequence[Totals], *, classes: bool) -> dict[str, float]:
    found = {}
    for name in dict.fromkeys(name for each in totals for name in each.arms):
        arms = [each.arms[name] for each in totals if name in each.arms]
        lost = 0 if classes else sum(arm.not_finite for arm in arms)
        scored = sum(arm.scored for arm in arms) - lost
        sums = sum(arm.correct if classes else arm.absolute_error for arm in arms)
        if scored:
            found[name] = sums / scored
    return found
