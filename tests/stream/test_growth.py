"""The contract of topics that change, and of groups held by several, kept by every log."""

import contextlib
import functools

import pytest

from stream.errors import Fenced, TopicMissing, TopicReplaced
from stream.topic import Crew, Log, Seat, Topic, group_of, samples_of
from tests.changes import remake

WAIT = 20.0


@pytest.fixture
def topic(log: Log) -> Topic:
    """Give a topic of two partitions."""
    return log.create(samples_of(log.stream), partitions=2)


def test_a_topic_that_grows_keeps_its_records_and_is_empty_where_it_is_new(
    log: Log, topic: Topic
) -> None:
    """Who has it open hears of the partitions when it looks again, and reads them."""
    writer = log.writer("a")
    writer.append(topic.name, b"old", partition=1)
    writer.commit()
    log.widen(topic.name, 4)
    topic.refresh()
    assert topic.partitions == 4
    assert {p: topic.first()[p] for p in (2, 3)} == {2: 0, 3: 0}
    # The writer was open before and has written to this topic already.
    writer.append(topic.name, b"new", partition=3)
    writer.commit()
    found = topic.read({1: 0, 3: 0}, limit=10, wait=WAIT)
    while len(found) < 2:
        cursor = {batch.partition: batch.next for batch in found}
        found = [*found, *topic.read({1: 0, 3: 0} | cursor, limit=10, wait=WAIT)]
    values = {batch.partition: [value for _, value in batch.entries] for batch in found}
    assert values == {1: [b"old"], 3: [b"new"]}
    assert log.topic(topic.name).partitions == 4
    writer.close()


def test_a_topic_never_gets_narrower(log: Log, topic: Topic) -> None:
    """To ask for fewer partitions, or for as many, changes nothing."""
    for wanted in (1, 2):
        log.widen(topic.name, wanted)
        topic.refresh()
        assert topic.partitions == 2
    with pytest.raises(TopicMissing):
        log.widen("missing", 3)


@pytest.mark.parametrize("log", ["memory", "sqlite"], indirect=True)
def test_a_group_is_held_by_several_and_lost_by_all_at_once(log: Log, topic: Topic) -> None:
    """Each has its part of the partitions, those too that are added; none fences another."""
    group, claim = group_of(log.stream, "main"), log.claim(group_of(log.stream, "main"))
    assert claim is not None
    with contextlib.ExitStack() as seats:
        sit = functools.partial(_sit, seats, log, topic)
        crew = [sit(Crew(number, 3, claim)) for number in range(3)]
        assert _shares(crew) == [{0}, {1}, set()]
        log.widen(topic.name, 5)
        topic.refresh()
        before = [seat.share() for seat in crew]
        assert _shares(crew) == [{0, 3}, {1, 4}, {2}]
        assert [seat.share() for seat in crew] == before
        for number, seat in enumerate(crew):
            seat.writer.commit({number: number + 1})
        log.claim(group)
        for seat in crew:
            with pytest.raises(Fenced):
                seat.writer.commit({0: 9})
        alone = sit(None)
        assert _shares([alone]) == [{0, 1, 2, 3, 4}]
        assert alone.committed(range(5)) == {0: 1, 1: 2, 2: 3}


def _sit(seats: contextlib.ExitStack, log: Log, topic: Topic, crew: Crew | None) -> Seat:
    return seats.enter_context(
        contextlib.closing(log.join(group_of(log.stream, "main"), topic, crew=crew))
    )


def _shares(crew: list[Seat]) -> list[set[int]]:
    return [set(share.partitions) for seat in crew if (share := seat.share()) is not None]


@pytest.mark.parametrize(
    "log", ["sqlite", pytest.param("kafka", marks=pytest.mark.kafka)], indirect=True
)
def test_a_topic_that_was_made_anew_is_another(log: Log, topic: Topic) -> None:
    """Who has the old one open is told, not given records of the new one."""
    remake(log, topic.name, 2)
    with pytest.raises(TopicReplaced, match="made anew"):
        topic.refresh()
    assert log.topic(topic.name).identity != topic.identity
