"""What a seat has only on Kafka: others beside it; see `test_kafka_guards` for the rest."""

import time

import pytest

from stream.errors import SeatLost
from tests.stream.seating import Sit, settle, values

pytestmark = pytest.mark.kafka


def test_members_share_all_partitions_and_no_two_have_the_same(kafka: str, sit: Sit) -> None:
    """Who leaves gives back what was its own at once."""
    one, two = sit(kafka), sit(kafka)
    first, second = settle(one, two)
    assert first | second == {0, 1, 2, 3}
    assert len(first) == len(second) == 2
    begun = time.monotonic()
    one.close()
    assert settle(two) == [{0, 1, 2, 3}]
    assert time.monotonic() - begun < 8


def test_what_was_shared_out_before_is_committed_no_more(kafka: str, sit: Sit) -> None:
    """A member that was away while others shared anew has its commit refused, whole."""
    one = sit(kafka)
    settle(one)
    one.writer.commit({0: 1})
    before = one.writer.metadata
    two = sit(kafka)
    settle(one, two)
    assert before.generation_id < one.writer.metadata.generation_id
    one.writer.metadata = before
    one.writer.heard -= 60
    one.writer.append(one._topic, b"zombie", partition=0)
    with pytest.raises(SeatLost, match=r"gone on without .* stood still for \d\d s: paused"):
        one.writer.commit({0: 2})
    assert two.committed([0]) == {0: 1}
    assert values(two) == []
