"""Outcomes made up in plain Python, and what the figures over them should be."""

import math
from dataclasses import dataclass, field

from hypothesis import strategies as st

from stream.memory import MemoryLog
from stream.records import (
    MAX_CLASSES,
    NO_GUESS,
    NOT_FINITE,
    OTHER,
    SCORED,
    Label,
    Outcomes,
    Rows,
    Totals,
    encode,
    text_of,
)
from stream.topic import Log, topic_of

FADING = 0.999
CLASSES = "classification"
NUMBERS = "regression"
ANOMALIES = "anomaly"


@dataclass
class Step:
    """What one record of the samples came to; a question has no label, and so no row."""

    y: Label | None = None
    y_pred: Label | None = None
    flag: int = SCORED
    no_change: float = 0.0
    majority: float = 0.0
    events: list[str] = field(default_factory=list)
    dead: str | None = None
    p_true: float | None = None
    p_pred: float | None = None

    @property
    def scored(self) -> bool:
        return self.y is not None and self.flag in (SCORED, NOT_FINITE)

    @property
    def right(self) -> bool:
        return self.flag == SCORED and self.y_pred == self.y

    @property
    def error(self) -> float:
        return abs(self.y_pred - self.y)


def rows_of(steps: dict[int, Step]) -> Rows:
    """Return the rows of these steps, given by their offsets."""
    steps = {offset: step for offset, step in steps.items() if step.y is not None}
    offsets, many = list(steps), len(steps)
    return Rows(
        offset=offsets,
        of=offsets,
        id=[str(offset) for offset in offsets],
        ts=[float(offset) for offset in offsets],
        y=[step.y for step in steps.values()],
        y_pred=[step.y_pred for step in steps.values()],
        p_true=[step.p_true for step in steps.values()],
        p_pred=[step.p_pred for step in steps.values()],
        arm=["main"] * many,
        flag=[step.flag for step in steps.values()],
        no_change_error=[step.no_change for step in steps.values()],
        majority_error=[step.majority for step in steps.values()],
    )


def totals_of(task: str, steps: list[Step]) -> Totals:
    """Count from the start, the plain way."""
    rows = [step for step in steps if step.y is not None]
    scored = [step for step in rows if step.scored]
    totals = Totals(task, samples=len(steps), labelled=len(rows), scored=len(scored))
    totals.no_change_error = math.fsum(step.no_change for step in scored)
    totals.majority_error = math.fsum(step.majority for step in scored)
    for step in scored:
        totals.not_finite += step.flag == NOT_FINITE
        if task == ANOMALIES or (task == NUMBERS and step.flag == NOT_FINITE):
            continue
        error = step.error if task == NUMBERS else float(not step.right)
        totals.fading_error = totals.fading_error * FADING + error
        totals.fading_weight = totals.fading_weight * FADING + 1.0
        if task == NUMBERS:
            totals.absolute_error += error
            totals.squared_error += error * error
        else:
            totals.correct += step.right
    if task == CLASSES:
        totals.confusion = confusion_of(rows)
    for step in steps:
        totals.drifts += step.events.count("drift")
        totals.resets += step.events.count("reset")
        totals.marks += step.events.count("mark")
        if step.dead:
            totals.count_dead(step.dead)
    return totals


def confusion_of(rows: list[Step]) -> dict[str, dict[str, int]]:
    """Count label by guess as a learner does, each class under its first spelling."""
    seen = list(dict.fromkeys(step.y for step in rows))
    texts = {y: text_of(y) for y in seen[:MAX_CLASSES]}
    confusion: dict[str, dict[str, int]] = {}
    for step in rows:
        if step.flag != SCORED:
            continue
        row = confusion.setdefault(texts.get(step.y, OTHER), {})
        guess = texts.get(step.y_pred, OTHER)
        row[guess] = row.get(guess, 0) + 1
    return confusion


def message(
    steps: list[Step], first: int, last: int, *, task: str = CLASSES, ends: bool = True
) -> Outcomes:
    """Return what a learner says of the samples `first` to `last`; one that `ends` a turn."""
    return Outcomes(
        first=first,
        last=last,
        rows=rows_of({offset: steps[offset] for offset in range(first, last + 1)}),
        events=[
            (offset, kind, {"place": place})
            for offset in range(first, last + 1)
            for place, kind in enumerate(steps[offset].events)
        ],
        totals=totals_of(task, steps[: last + 1]) if ends else None,
    )


def said(
    steps: list[Step], cuts: list[tuple[int, bool]], *, task: str = CLASSES, start: int = 0
) -> list[Outcomes]:
    """Say all steps from `start` on, cut into messages of (size, whether it ends a turn).

    The last message ends a turn in any case.
    """
    messages, first, turn = [], start, iter(cuts)
    while first < len(steps):
        size, ends = next(turn, (len(steps), True))
        last = min(first + size, len(steps)) - 1
        ends = ends or last == len(steps) - 1
        messages.append(message(steps, first, last, task=task, ends=ends))
        first = last + 1
    return messages


def later(messages: list[Outcomes], by: int) -> list[Outcomes]:
    """Say the same of samples further on, as a learner does that is begun anew there."""
    for each in messages:
        each.first, each.last = each.first + by, each.last + by
        each.rows.offset = each.rows.of = [offset + by for offset in each.rows.offset]
        each.events = [(offset + by, kind, details) for offset, kind, details in each.events]
    return messages


def again(
    steps: list[Step], lives: list[list[tuple[int, bool]]], back: list[int]
) -> list[Outcomes]:
    """Say the steps as a learner that dies after each life, and goes back so many samples."""
    messages: list[Outcomes] = []
    start = 0
    for cuts, steps_back in zip(lives, back, strict=False):
        life = said(steps, cuts, start=start)[: len(cuts)]
        messages += life
        start = max(0, (life[-1].last + 1 if life else start) - steps_back)
    return messages + said(steps, [], start=start)


def store(
    log: Log, messages: dict[int, list[Outcomes]], *, name: str = "main", at: float = 1000.0
) -> None:
    """Append messages to a learner's topic, one commit each, stored at an hour."""
    topic = topic_of(log.stream, name, "outcomes")
    writer = log.writer(topic)
    for partition, said_there in messages.items():
        for outcomes in said_there:
            writer.append(topic, encode(outcomes), partition=partition, timestamp=at)
            writer.commit()
    writer.close()


def log_with(messages: dict[int, list[Outcomes]], *, samples: int = 0) -> MemoryLog:
    """Return a log that holds these messages by partition, and so many samples in each."""
    log = MemoryLog("tale")
    log.create("tale.samples", partitions=len(messages))
    log.create("tale.main.outcomes", partitions=len(messages))
    writer = log.writer("source")
    for partition in messages:
        for _ in range(samples):
            writer.append("tale.samples", b"{}", partition=partition)
    writer.commit()
    store(log, messages)
    return log


def last_scored(steps: list[Step], n: int) -> list[Step]:
    """Return the last `n` scored of these steps."""
    return [step for step in steps if step.scored][-n:]


def accuracy(scored: list[Step]) -> float:
    """Return the plain share of right guesses."""
    return sum(step.right for step in scored) / len(scored)


def flags() -> st.SearchStrategy[int]:
    """Draw mostly scored rows, some without a guess, corrected, or not finite."""
    return st.sampled_from([SCORED] * 6 + [NO_GUESS, 2, NOT_FINITE])


def classes() -> st.SearchStrategy[Step]:
    """Draw a step of a classifier; now and then only a question, or a dead letter."""
    return st.builds(
        Step,
        y=st.sampled_from(["up", "down", "up", None]),
        y_pred=st.sampled_from(["up", "down"]),
        flag=flags(),
        no_change=st.sampled_from([0.0, 1.0]),
        majority=st.sampled_from([0.0, 1.0]),
        events=st.lists(st.sampled_from(["drift", "reset", "mark"]), max_size=2),
        dead=st.sampled_from([None, None, None, "too_large", "unknown_id"]),
    )


ODD = ["other", '"other"', "", "1", "true", "a\nb", "é", "x" * 64, "x" * 300, "x" * 299 + "y"]
"""Texts that a careless name would confuse with one another, or break a page with."""


def named() -> st.SearchStrategy[Step]:
    """Draw a step over classes of every kind: odd texts, numbers, and True beside 1."""
    label = st.one_of(st.sampled_from([*ODD, 0, 1, True, False, -1, -2]), st.text(max_size=3))
    return st.builds(Step, y=label, y_pred=label, flag=flags())


def likely() -> st.SearchStrategy[Step]:
    """Draw a step of a classifier that gives probabilities, ties and certainties among them."""

    @st.composite
    def step(draw: st.DrawFn) -> Step:
        y, guess = draw(st.sampled_from([False, True])), draw(st.sampled_from([False, True]))
        p = draw(st.sampled_from([0.5, 0.7, 0.9, 1.0]) | st.floats(0.5, 1.0))
        flag = draw(flags())
        if flag in (NO_GUESS, NOT_FINITE):
            return Step(y, None if flag == NO_GUESS else guess, flag)
        return Step(y, guess, flag, p_true=p if y == guess else 1 - p, p_pred=p)

    return step()


def anomalies() -> st.SearchStrategy[Step]:
    """Draw a step of a detector of anomalies: whether it was one, and the score it had."""
    score = st.sampled_from([0.0, 0.5, 0.5, 1.0]) | st.floats(-10, 10)
    found = st.builds(Step, y=st.booleans(), y_pred=score)
    lost = st.builds(Step, y=st.booleans(), flag=st.just(NOT_FINITE))
    return st.one_of(found, found, found, lost, st.just(Step()))


def numbers() -> st.SearchStrategy[Step]:
    """Draw a step of a regressor; a guess that is not finite is null on the wire."""
    real = st.floats(-1e6, 1e6)
    finite = st.builds(
        Step, y=real, y_pred=real, no_change=real.map(abs), majority=real.map(abs)
    )
    lost = st.builds(Step, y=real, flag=st.just(NOT_FINITE), no_change=real.map(abs))
    return st.one_of(finite, finite, finite, lost, st.just(Step()))


def cuts() -> st.SearchStrategy[list[tuple[int, bool]]]:
    """Draw sizes of messages, and which of them end a turn."""
    return st.lists(st.tuples(st.integers(1, 9), st.booleans()), max_size=30)
