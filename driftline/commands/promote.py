"""driftline promote."""

from __future__ import annotations

from driftline.console import sum_up
from driftline.options import Common
from driftline.settings import open_stream


def promote(arm: str, *, common: Common | None = None, name: str = "main") -> int:
    """Have a learner serve another of its models from here on; 'main' is the first champion.

    A command is written into every partition of the samples, and obeyed where it is read.

    Parameters
    ----------
    arm
        Name of the model: main, or one of --challengers.
    name
        Name of the learner.
    """
    from producer.commands import promote as run

    common = common or Common()
    log = open_stream(common.address, create=False)
    try:
        told = run(log, arm, learner=name)
    finally:
        log.close()
    sum_up(
        {"arm": arm, "learner": name, "partitions": len(told)},
        as_json=common.json,
        title="told to promote",
    )
    return 0
