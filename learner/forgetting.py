"""What a policy keeps of samples that it has learned, and how some of it is let go."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from learner.grains import Untaught
from learner.policies.policy import Policy
from stream.records import Record


def say_whose(policy: Policy, ids: Sequence[str]) -> None:
    """Tell whoever keeps samples of a policy the ids of those that are learned next."""
    for store in policy.stores:
        store.ids = ids


def id_of(record: Record, partition: int, offset: int) -> str:
    """Return the id of a record, its place where it has none of its own."""
    return f"{partition}@{offset}" if record.id is None else str(record.id)


def let_go(
    policy: Policy, untaught: Untaught, whose: Callable[[int, bytes], str], id_: str
) -> int:
    """Let go of samples of an id that a policy keeps, or will; return how many there were.

    `untaught` are those of a grain that is not learned yet. `whose` gives the id of such a
    record. A policy that keeps none lets go of none.
    """
    stores = policy.stores
    if not stores:
        return 0
    gone = untaught.drop(lambda offset, value: whose(offset, value) == id_)
    return gone + sum(store.drop(id_) for store in stores)
