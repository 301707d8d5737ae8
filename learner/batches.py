"""Parts of batches, by offset."""

from __future__ import annotations

from collections.abc import Sequence

from stream.topic import Batch


def joined(batches: Sequence[Batch], more: Sequence[Batch]) -> Sequence[Batch]:
    """Return what came and what came after it, one batch for each partition."""
    if not more:
        return batches
    found = {batch.partition: batch for batch in batches}
    for p, entries, next_ in more:
        before = found[p].entries if p in found else []
        found[p] = Batch(p, before + entries, next_)
    return list(found.values())


def until(batch: Batch, stop: float) -> Batch:
    """Return the part of a batch before an offset."""
    if batch.next <= stop:
        return batch
    return Batch(batch.partition, [e for e in batch.entries if e[0] < stop], int(stop))


def since(batch: Batch, start: int) -> Batch:
    """Return the part of a batch from an offset on."""
    if not batch.entries or batch.entries[0][0] >= start:
        return batch
    return Batch(batch.partition, [e for e in batch.entries if e[0] >= start], batch.next)
